"""Operations under load on the lab: python -m tests.bench.bench_deploy [--report FILE].

Needs root and no running lab. Builds the system with the tests' release, then, under a steady load
of RATE requests a second through Apache: nothing (the measure), a deploy, a rollback, one backend
to three, three to two. Fails if a request failed, or if the p99 of a phase is more than
MOST_TIMES that of the first.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mnist_api.trial import drawings
from tests.api.releases import another
from tests.bench.harness import (
    REPORT_HELP,
    measured_on,
    refuse_another_lab,
    running_lab,
    write,
)
from tests.e2e.ansible_run import ROOT, run_playbook
from tests.e2e.load import Answer, Load, percentile, posts
from tests.lab import cgroups, control

RATE = 220
QUIET_SECONDS = 20
MOST_TIMES = 3
SERVING = 20 * cgroups.SHARE
"""Share of the processors of a machine that serves."""
MACHINES = 5 * cgroups.SHARE_OF_ALL
"""Share of all machines together: the controller is none of them."""
DEPLOY = ("playbooks/deploy-api.yml",)
BUILD = (
    "playbooks/provision.yml",
    "playbooks/prepare.yml",
    "playbooks/deploy-api.yml",
    "playbooks/deploy-site.yml",
)


@dataclass(frozen=True)
class Phase:
    """A part of the run: what was done, how long it took, what came of the requests then due."""

    name: str
    seconds: float
    answers: list[Answer]

    @property
    def failed(self) -> int:
        """How many requests failed."""
        return sum(one.failed for one in self.answers)


class System:
    """The system on the lab."""

    def __init__(self, env: dict[str, str], releases: Path) -> None:
        """Take a running lab; nothing is built yet."""
        self.env = env
        self.releases = releases

    def play(self, *arguments: str) -> None:
        """Run playbooks, as a controller that is no part of the system would: after it."""
        wanted = {"releases_dir": str(self.releases), "instances_dev_wanted": "false"}
        # All of the load comes from one client.
        wanted["backend_requests_per_second"] = "0"
        given = [part for name, value in wanted.items() for part in ("-e", f"{name}={value}")]
        run = run_playbook(self.env, *arguments, *given)
        if run.returncode:
            sys.exit(f"ansible-playbook {' '.join(arguments)} failed:\n{run.lines}")

    def scale(self, backends: int, release: str) -> None:
        """Have so many backends."""
        count = f"instances_backend_count={backends}"
        self.play("playbooks/scale.yml", "-e", count, "-e", f"release={release}")

    def page(self) -> str:
        """Give the frontend's address."""
        command = ["ansible-inventory", "--host", "AI_Frontend"]
        said = subprocess.run(
            command, cwd=ROOT, env=self.env, check=True, capture_output=True, text=True
        ).stdout
        return "http://" + said.partition('"public_address": "')[2].partition('"')[0]


@contextmanager
def own_processors() -> Iterator[None]:
    """Let Apache and the API come before what would have another processor on AWS.

    That is every other machine, what Ansible does on theirs, and the controller.
    """
    over = threading.Event()

    def prefer() -> None:
        for name in cgroups.machines():
            if serves(name):
                cgroups.weigh(name, SERVING)
                cgroups.set_aside_sessions(name)

    def watch() -> None:
        while not over.wait(1):
            prefer()

    cgroups.weigh("", MACHINES)
    prefer()
    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()
        cgroups.weigh("", cgroups.SHARE_OF_ALL)


def serves(machine: str) -> bool:
    """Say whether Apache or the API runs on a machine."""
    for pid in cgroups.processes(machine):
        with suppress(OSError):  # it ended meanwhile
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if {b"/usr/sbin/apache2", b"mnist_api"} & set(command):
                return True
    return False


def measure(system: System, first: str, second: str) -> list[Phase]:
    """Do everything under one load."""
    steps: list[tuple[str, Callable[[], None]]] = [
        ("nothing", lambda: time.sleep(QUIET_SECONDS)),
        ("deploy", lambda: system.play(*DEPLOY, "-e", f"release={second}")),
        ("rollback", lambda: system.play("playbooks/rollback.yml")),
        ("1 backend to 3", lambda: system.scale(3, first)),
        ("3 backends to 2", lambda: system.scale(2, first)),
    ]
    url = system.page()
    bodies = [one.png for one in drawings() if len(one.text) == 1]
    spans = []
    with own_processors(), Load(url, posts(url, "/api/predict", bodies), RATE) as load:
        time.sleep(3)  # until connections are open and caches warm
        for name, step in steps:
            begin = time.monotonic()
            step()
            spans.append((name, begin, time.monotonic()))
            print(f"{name}: {spans[-1][2] - begin:.1f} s, {sum(load.failures.values())} failed")
        time.sleep(1)
    if load.failures:
        print(f"failures: {dict(load.failures)}")
    return [Phase(name, end - begin, load.between(begin, end)) for name, begin, end in spans]


def report(phases: list[Phase]) -> str:
    """Write the table."""
    before = percentile(phases[0].answers, 99)
    lines = [
        f"{measured_on()}, {time.strftime('%Y-%m-%d', time.gmtime())}, 1 run",
        "",
        "| phase | seconds | requests | failed | requests/s | p50 | p99 | p99 / before |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in [*phases, everything(phases)]:
        p50, p99 = (percentile(one.answers, part) for part in (50, 99))
        rate = len(one.answers) / one.seconds
        lines.append(
            f"| {one.name} | {one.seconds:.1f} | {len(one.answers)} | {one.failed} | {rate:.0f} "
            f"| {p50 * 1000:.1f} ms | {p99 * 1000:.1f} ms | {p99 / before:.2f} |"
        )
    return "\n".join(lines)


def everything(phases: list[Phase]) -> Phase:
    """Give what came after the measure as one."""
    during = phases[1:]
    answers = [answer for phase in during for answer in phase.answers]
    return Phase("all but the first", sum(phase.seconds for phase in during), answers)


def main() -> int:
    """Measure, print a table; 1 if a request failed or took too long."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_deploy", description=__doc__)
    parser.add_argument("--report", type=Path, help=REPORT_HELP)
    args = parser.parse_args()
    refuse_another_lab()
    with tempfile.TemporaryDirectory() as directory:
        (fixture,) = (ROOT / "tests" / "fixtures" / "release").glob("mnist-cnn-*")
        releases = Path(directory)
        first = another(fixture, releases, "2026-01-01T00:00:00Z").name
        second = another(fixture, releases, "2026-02-01T00:00:00Z").name
        with running_lab():
            system = System(control.environment(), releases)
            system.play(*BUILD, "-e", f"release={first}")
            phases = measure(system, first, second)
    table = report(phases)
    print(f"\n{table}")
    if args.report:
        write(args.report, table)
    whole = everything(phases)
    slow = percentile(whole.answers, 99) > MOST_TIMES * percentile(phases[0].answers, 99)
    return int(slow or any(phase.failed for phase in phases))


if __name__ == "__main__":
    sys.exit(main())
