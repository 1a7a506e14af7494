"""Every role's molecule scenarios, each on one new machine of the lab."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOWN = 20_000
"""How many characters of a failed scenario's output are shown: its end."""


@pytest.mark.lab
@pytest.mark.timeout(1500)
@pytest.mark.parametrize(
    ("role", "scenario"),
    [
        ("base", "default"),
        ("base", "alternative"),
        ("dev", "default"),
        ("backend", "default"),
        ("frontend", "default"),
        ("frontend", "alternative"),
    ],
)
def test_scenario(role: str, scenario: str, lab) -> None:
    run = subprocess.run(
        ["molecule", "test", "--scenario-name", scenario],
        cwd=ROOT / "roles" / role,
        env={**lab.env, "NO_COLOR": "1", "MOLECULE_COMMAND_BORDERS": "false"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    assert run.returncode == 0, (
        f"molecule test -s {scenario} of role {role}:\n{run.stdout[-SHOWN:]}"
    )
