"""How long ansible-playbook site.yml takes: python -m tests.bench.bench_site [--report FILE].

Needs root and no running lab. A release of today's inputs is there already (that of
artifacts/releases, or one that is trained first), so nothing is trained. Each of these with the
repository's ansible.cfg and with Ansible's default settings, side by side:

- from nothing: an empty account, to a digit that was read; each on a lab of its own;
- again: nothing has changed since;
- one line of the page has changed.

The last two take turns on one lab. There, a run that has nothing to do is also made with one of the
settings at a time put back to Ansible's default, to say what makes the difference.
"""

from __future__ import annotations

import argparse
import configparser
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.bench.harness import (
    REPORT_HELP,
    measured_on,
    refuse_another_lab,
    running_lab,
    write,
)
from tests.e2e.ansible_run import ROOT, run_playbook
from tests.lab import control

OURS, DEFAULT = "this repository's", "Ansible's default"
PATHS = ("inventory", "inventory_plugins", "roles_path", "library")
NEEDED = {
    "defaults": (*PATHS, "interpreter_python"),
    "inventory": ("enable_plugins", "inventory_unparsed_warning"),
}
"""Settings without which the playbooks cannot be run at all."""
ALONE = {
    "pipelining off": ("ssh_connection", "pipelining", "False"),
    "facts gathered by every play": ("defaults", "gathering", "implicit"),
    "5 forks": ("defaults", "forks", "5"),
}
"""What is put back alone: section, name, Ansible's default."""


class Timed:
    """Runs site.yml with one configuration or another, and notes the seconds."""

    def __init__(self, place: Path, rounds: int) -> None:
        """place: for configurations, releases and what is built."""
        self.place = place
        self.rounds = rounds
        self.seconds: dict[tuple[str, str], list[float]] = {}
        self.configs = {OURS: config(place / "ours.cfg", {}), DEFAULT: bare(place / "bare.cfg")}
        for name, (section, key, value) in ALONE.items():
            self.configs[name] = config(place / f"{key}.cfg", {(section, key): value})
        self._edits = 0
        clone = ["git", "clone", "--quiet", str(ROOT), str(place / "sources")]
        subprocess.run(clone, check=True)

    def run(self, settings: str, what: str, *, edit: bool = False) -> None:
        """Run site.yml; `edit`: after a change of one line of the page."""
        if edit:
            self._edits += 1
            page = self.place / "sources" / "site" / "index.html"
            text = page.read_text(encoding="utf-8")
            page.write_text(f"{text}<!-- {self._edits} -->\n", encoding="utf-8")
        env = {**control.environment(), "ANSIBLE_CONFIG": str(self.configs[settings])}
        # By itself it is where the configuration lies.
        given = ("-e", f"project_root={ROOT}", "-e", f"releases_dir={self.place / 'releases'}")
        built = self._built()
        # Connections that are kept from the run before are no help to this one.
        time.sleep(2)
        begin = time.monotonic()
        run = run_playbook(env, "site.yml", *given, "-e", f'{{"build": {built}}}')
        took = time.monotonic() - begin
        if run.returncode:
            sys.exit(f"site.yml failed, with {settings} settings, {what}:\n{run.lines}")
        print(f"{what}, {settings}: {took:.0f} s, {sum(run.changed.values())} changed", flush=True)
        self.seconds.setdefault((what, settings), []).append(took)

    def _built(self) -> str:
        """Build wheel and page from the copy of the sources; gives their paths as JSON."""
        build = ROOT / "playbooks" / "files" / "build.py"
        command = [sys.executable, str(build), str(self.place / "sources"), str(self.place / "to")]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def have_release(releases: Path) -> None:
    """Copy this checkout's release of today's inputs to a directory, or train one there."""
    model = [sys.executable, "-m", "mnist_model"]
    wanted = ["--recipe", "fast", "--seed", "1"]  # as in inventory/group_vars/all.yml
    kept = ROOT / "artifacts" / "releases"
    ask = [*model, "release", "current", *wanted, "--releases", str(kept)]
    found = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode == 0:
        name = found.stdout.split()[-1]
        shutil.copytree(kept / name, releases / name)
    else:
        print("no release of today's inputs in artifacts/releases: training one", flush=True)
        train = [*model, "train", *wanted, "--releases", str(releases)]
        subprocess.run(train, cwd=ROOT, check=True)


def config(file: Path, changes: Mapping[tuple[str, str], str]) -> Path:
    """Write the repository's ansible.cfg, with changes, for use from elsewhere."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "ansible.cfg", encoding="utf-8")
    for (section, key), value in changes.items():
        parser[section][key] = value
    return written(parser, file)


def bare(file: Path) -> Path:
    """Write what is needed at all, and leave the rest to Ansible."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "ansible.cfg", encoding="utf-8")
    for section in parser.sections():
        for key in list(parser[section]):
            if key not in NEEDED.get(section, ()):
                del parser[section][key]
    return written(parser, file)


def written(parser: configparser.ConfigParser, file: Path) -> Path:
    """Save a configuration; its paths are relative to where it lies."""
    for key in PATHS:
        parser["defaults"][key] = str(ROOT / parser["defaults"][key])
    with file.open("w", encoding="utf-8") as to:
        parser.write(to)
    return file


def measure(timed: Timed) -> None:
    """Do all of it."""
    with running_lab():
        timed.run(DEFAULT, "from nothing")
    with running_lab():
        timed.run(OURS, "from nothing")
        for _ in range(timed.rounds):
            for settings in timed.configs:
                timed.run(settings, "again")
            for settings in (OURS, DEFAULT):
                timed.run(settings, "one line of the page", edit=True)


def report(timed: Timed) -> str:
    """Write the table."""
    lines = [
        f"{measured_on()}, {time.strftime('%Y-%m-%d', time.gmtime())}, {timed.rounds} round(s)",
        "",
        "| what | settings | seconds | times this repository's |",
        "|---|---|---|---|",
    ]
    for (what, settings), seconds in timed.seconds.items():
        ratio = sum(seconds) / len(seconds) / (sum(ours := timed.seconds[what, OURS]) / len(ours))
        told = ", ".join(f"{one:.0f}" for one in seconds)
        lines.append(f"| {what} | {settings} | {told} | {ratio:.2f} |")
    return "\n".join(lines)


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_site", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--report", type=Path, help=REPORT_HELP)
    args = parser.parse_args()
    refuse_another_lab()
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        have_release(place / "releases")
        timed = Timed(place, args.rounds)
        measure(timed)
    table = report(timed)
    print(f"\n{table}")
    if args.report:
        write(args.report, table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
