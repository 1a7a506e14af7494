"""roles/dev, where several hosts train together: what each is told, from the inventory."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ANSIBLE_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
HOSTS = {"AI_Dev": "10.80.1.7", "AI_Dev2": "10.80.1.9", "AI_Dev3": "10.80.1.8"}


def units(directory: Path, hosts: list[str], *arguments: str) -> dict[str, str]:
    """Render the training's unit of each host."""
    variables = [f"{name} private_address={HOSTS[name]}" for name in hosts]
    inventory = directory / "hosts.ini"
    inventory.write_text("\n".join(["[dev]", *variables]))
    target = directory / "units"
    target.mkdir()
    run = subprocess.run(
        [
            ANSIBLE_PLAYBOOK,
            "-i",
            inventory,
            "tests/roles/shared_training.yml",
            "-e",
            f"target={target}",
            "-e",
            f"ansible_python_interpreter={sys.executable}",
            *arguments,
        ],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    return {path.name: path.read_text() for path in target.iterdir()}


def tf_config(unit: str) -> Any:
    """Give the TF_CONFIG of a unit, unquoted as systemd does, or None."""
    lines = [line.partition("=")[2] for line in unit.splitlines() if line.startswith("Environment")]
    values = dict(word.split("=", 1) for line in lines for word in shlex.split(line))
    return json.loads(values["TF_CONFIG"]) if "TF_CONFIG" in values else None


def test_each_knows_all_and_which_it_is(tmp_path: Path) -> None:
    # The inventory's order is not that of the names, and is not everywhere the same.
    together = ["-e", json.dumps({"dev_train_hosts": sorted(HOSTS), "dev_worker_port": 2300})]
    found = units(tmp_path, ["AI_Dev3", "AI_Dev", "AI_Dev2"], *together)
    workers = ["10.80.1.7:2300", "10.80.1.9:2300", "10.80.1.8:2300"]
    assert {name: tf_config(unit) for name, unit in found.items()} == {
        name: {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        for index, name in enumerate(["AI_Dev", "AI_Dev2", "AI_Dev3"])
    }


def test_one_alone_shares_with_nobody(tmp_path: Path) -> None:
    (unit,) = units(tmp_path, ["AI_Dev"]).values()
    assert tf_config(unit) is None
    assert "TF_CONFIG" not in unit
