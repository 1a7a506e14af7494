"""Runs playbooks as a person would, and reads their recap."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECAP = re.compile(
    r"^(?P<host>\S+)\s+: ok=\d+\s+changed=(?P<changed>\d+)\s+unreachable=\d+", re.MULTILINE
)


@dataclass(frozen=True)
class Run:
    """What a playbook printed and how it ended."""

    returncode: int
    output: str

    @property
    def changed(self) -> dict[str, int]:
        """Changes by host, from the recap."""
        return {match["host"]: int(match["changed"]) for match in RECAP.finditer(self.output)}

    @property
    def changes(self) -> list[str]:
        """The tasks that changed something, each with the hosts' lines."""
        tasks = re.split(r"^(?=TASK )", self.output, flags=re.MULTILINE)
        return [task for task in tasks if re.search(r"^changed: ", task, re.MULTILINE)]

    @property
    def lines(self) -> str:
        """The output's end: what one reads when it failed."""
        return "\n".join(self.output.splitlines()[-80:])


def run_playbook(env: dict[str, str], *arguments: str, seconds: int = 1800) -> Run:
    """Run ansible-playbook in the repository's root."""
    process = subprocess.run(
        ["ansible-playbook", *arguments],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    return Run(process.returncode, process.stdout)
