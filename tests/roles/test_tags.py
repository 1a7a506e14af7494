"""site.yml's tags: one for each playbook, by its name, and each is safe to use alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
IMPORTS = yaml.safe_load((ROOT / "site.yml").read_text(encoding="utf-8"))
PLAYBOOKS = [Path(entry["ansible.builtin.import_playbook"]).stem for entry in IMPORTS]


def listed(*arguments: str) -> str:
    done = subprocess.run(
        [
            Path(sys.executable).with_name("ansible-playbook"),
            "--inventory=localhost,",
            *arguments,
            "site.yml",
        ],
        cwd=ROOT,
        env={**os.environ, "AWS_REGION": "eu-central-1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_each_playbook_has_its_name_as_its_tag() -> None:
    assert [entry["tags"] for entry in IMPORTS] == [[name] for name in PLAYBOOKS]


def test_there_is_no_other_tag() -> None:
    """Not even `always`: what has it runs with every tag, on what another one would have made."""
    told = re.findall(r"TAGS: \[(.*?)\]", listed("--list-tags"))
    assert set(told) == set(PLAYBOOKS)
