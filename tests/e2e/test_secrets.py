"""No secret in what a run prints, logs or leaves behind, --diff included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.ansible_run import ROOT
from tests.e2e.conftest import Site
from tests.e2e.test_site import inside
from tests.lab import names

pytestmark = pytest.mark.lab

PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
TOKEN_IN_AN_ADDRESS = re.compile(r"[?&]token=[A-Za-z0-9]{20,}")


def written(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every file under a folder as text; archives and pictures have their bytes looked through."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path, path.read_bytes().decode("latin-1")


def leaks(text: str, secrets: list[str]) -> list[str]:
    """What of a text is secret: enough to find it, not to use it."""
    found = [match[0][:40] for match in PRIVATE_KEY.finditer(text)]
    found += [match[0][:9] for match in TOKEN_IN_AN_ADDRESS.finditer(text)]
    return found + [f"a secret that begins with {s[:4]}" for s in secrets if s in text]


@pytest.fixture(scope="module")
def secrets(site: Site) -> list[str]:
    """What must be nowhere: the key's own lines, and the AWS secret."""
    key = (Path(site.env["MNIST_SSH_DIR"]) / "id_ed25519").read_text()
    assert PRIVATE_KEY.search(key)
    lines = [line for line in key.splitlines() if len(line) > 30 and "PRIVATE" not in line]
    assert lines
    return [*lines, site.env["AWS_SECRET_ACCESS_KEY"]]


def test_a_leak_would_be_found(secrets: list[str]) -> None:
    for secret in [*secrets, "-----BEGIN OPENSSH PRIVATE KEY-----", "?token=" + "a" * 40]:
        assert leaks(f"ok: [host] => {secret}\n", secrets)


@pytest.mark.parametrize("run", ["rehearsal", "first", "second"])
def test_the_output_has_none(site: Site, secrets: list[str], run: str) -> None:
    assert leaks(getattr(site, run).output, secrets) == []


def test_a_deploy_with_diff_shows_none(site: Site, secrets: list[str]) -> None:
    run = site.playbook("site.yml", "--diff", "-v", "--tags", "prepare,deploy-api,deploy-site")
    assert run.returncode == 0, run.lines
    assert leaks(run.output, secrets) == []


def test_the_labs_logs_and_consoles_have_none(site: Site, secrets: list[str]) -> None:
    logs = [names.LOG, *names.MACHINES.glob("*/console.log")]
    assert len(logs) >= len(site.hosts)
    told = {path: leaks(path.read_bytes().decode("latin-1"), secrets) for path in logs}
    assert {path: found for path, found in told.items() if found} == {}


def test_the_artifacts_have_none(site: Site, secrets: list[str]) -> None:
    places = [site.releases, ROOT / "artifacts" / "build"]
    files = [item for place in places for item in written(place)]
    assert files
    told = {path: leaks(text, secrets) for path, text in files}
    assert {path: found for path, found in told.items() if found} == {}


@pytest.mark.parametrize("host", ["AI_Backend", "AI_Frontend", "NAT_A19P1", "JB_A19P1"])
def test_no_host_has_the_key_or_its_journal_a_secret(
    site: Site, secrets: list[str], host: str
) -> None:
    del secrets
    found = inside(
        site,
        host,
        "sudo grep --recursive --files-with-matches --binary-files=text -e 'PRIVATE KEY-----'"
        " /home /root /opt /srv /tmp /var/log 2>/dev/null || true",
    )
    assert found == ""
    journal = inside(site, host, "sudo journalctl --no-pager --output=cat")
    assert leaks(journal, [site.env["AWS_SECRET_ACCESS_KEY"]]) == []
