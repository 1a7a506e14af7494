"""Every role's molecule scenarios, each on one new machine of the lab."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted(path.parent for path in ROOT.glob("roles/*/molecule/*/molecule.yml"))
SHOWN = 20_000
"""How many characters of a failed scenario's output are shown: its end."""


def test_every_role_of_hosts_has_a_scenario_and_a_second_where_it_has_switches() -> None:
    names = {str(path.relative_to(ROOT / "roles")) for path in SCENARIOS}
    both = {
        f"{role}/molecule/{scenario}"
        for role in ("base", "dev", "backend", "frontend")
        for scenario in ("default", "alternative")
    }
    assert names == {*both, "nat/molecule/default"}


@pytest.mark.lab
@pytest.mark.timeout(1500)
@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(
            path,
            id=f"{path.parts[-3]}-{path.name}",
            marks=() if path.name == "default" else pytest.mark.long,
        )
        for path in SCENARIOS
    ],
)
def test_scenario(scenario: Path, lab) -> None:
    run = subprocess.run(
        ["molecule", "test", "--scenario-name", scenario.name],
        cwd=scenario.parents[1],
        env={**lab.env, "NO_COLOR": "1", "MOLECULE_COMMAND_BORDERS": "false"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    assert run.returncode == 0, f"{scenario}:\n{run.stdout[-SHOWN:]}"
    # The last but one: the check after verify; the last is destroy's.
    again = run.stdout.split("PLAY RECAP")[-2]
    changed = re.findall(r"^(\S+) +: ok=\d+ +changed=(\d+)", again, re.MULTILINE)
    assert changed
    told = run.stdout.split("PLAY RECAP")[-3][-SHOWN:]
    assert [host for host, count in changed if count != "0"] == [], told
