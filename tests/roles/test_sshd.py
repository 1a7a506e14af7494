"""What the role base lets sshd use is what ssh-audit's hardened policies ask for."""

import re
from pathlib import Path

import pytest
import yaml
from ssh_audit.builtin_policies import BUILTIN_POLICIES

VARIABLES = yaml.safe_load(
    (Path(__file__).parents[2] / "roles" / "base" / "vars" / "main.yml").read_text()
)
POLICIES = {
    "Amazon": "Hardened Amazon Linux 2023 (version 2)",
    "Debian": "Hardened Debian 12 (version 3)",
    "Ubuntu": "Hardened Ubuntu Server 24.04 LTS (version 2)",
}
MARKERS = {"ext-info-s", "kex-strict-s-v00@openssh.com"}
"""What a server says beside its key exchanges."""


@pytest.mark.parametrize("distribution", POLICIES)
def test_algorithms_are_the_policys(distribution: str) -> None:
    policy = BUILTIN_POLICIES[POLICIES[distribution]]
    ours = VARIABLES["__base_sshd_hardened"][distribution]
    assert ours["kex"] == [name for name in policy["kex"] if name not in MARKERS]
    assert ours["ciphers"] == policy["ciphers"]
    assert ours["macs"] == policy["macs"]
    assert VARIABLES["__base_sshd_host_key_algorithms"] == policy["host_keys"]


def test_groups_from_3072_bits_on_are_left() -> None:
    lines = [f"20240101000000 2 6 100 {bits - 1} 5 ABCDEF\n" for bits in (1024, 2048, 3072, 8192)]
    left = re.sub(
        VARIABLES["__base_sshd_short_moduli"], "", "# moduli\n" + "".join(lines), flags=re.M
    )
    assert left == "# moduli\n" + "".join(lines[2:])
