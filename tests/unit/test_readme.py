"""The README tells the truth about what can be checked without running it all."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_commands_are_those_of_make_help() -> None:
    # Under `make test` the outer make's MAKEFLAGS would add "Entering directory" lines.
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    done = subprocess.run(
        ["make", "help"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout in README


def test_what_it_names_is_there() -> None:
    named = set(re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
    named |= set(re.findall(r"^\| `([a-z_.]+/?)`", README, re.MULTILINE))
    named |= {"inventory/group_vars/all.yml"}
    assert len(named) > 8
    missing = sorted(name for name in named if not (ROOT / name).exists())
    assert not missing
