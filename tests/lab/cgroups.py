"""The machines' cgroups: memory limits, shares of the processors, and whose process is whose.

Every machine has the same share of the processors, however many processes it runs, so that one
that installs packages leaves the others what a machine of its own would.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from tests.lab import names

CGROUPS = Path("/sys/fs/cgroup")
SHARE = 100
"""Of a machine, unless `weigh` says otherwise: 1 to 10,000, against that of other machines."""
SHARE_OF_ALL = 200
"""Of all machines together, against 100 of one process of this machine, or of one session."""

SESSIONS = "-sessions"
"""Ends the name of the cgroup beside a machine's that `set_aside_sessions` makes."""


def directories(name: str = "") -> list[Path]:
    """Where this kernel has cgroups for a machine (or for all): v2, or v1's of these kinds."""
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS / names.PREFIX / name]
    kinds = ("memory", "cpu", "systemd", "unified")
    return [CGROUPS / kind / names.PREFIX / name for kind in kinds if (CGROUPS / kind).is_dir()]


def make(name: str, memory_bytes: int) -> list[Path]:
    """Make a machine's cgroups with its memory limit; give their directories."""
    made = directories(name)
    first = not directories()[0].is_dir()
    for directory in made:
        directory.mkdir(parents=True, exist_ok=True)
    if (CGROUPS / "cgroup.controllers").exists():
        for parent in (CGROUPS, CGROUPS / names.PREFIX):
            (parent / "cgroup.subtree_control").write_text("+cpu +memory")
        limits = {"memory.max": memory_bytes, "memory.swap.max": 0}
    else:
        limits = {
            "memory.limit_in_bytes": memory_bytes,
            "memory.memsw.limit_in_bytes": memory_bytes,
        }
    for file, value in limits.items():
        if (made[0] / file).exists():
            (made[0] / file).write_text(str(value))
    if first:
        weigh("", SHARE_OF_ALL)
    weigh(name, SHARE)
    return made


def machines() -> list[str]:
    """Name the machines that have cgroups now."""
    top = directories()[0]
    return sorted(one.name for one in top.iterdir() if one.is_dir()) if top.is_dir() else []


def weigh(name: str, share: int) -> None:
    """Set a machine's share of the processors, or that of all machines together."""
    for directory in directories(name):
        for file, value in (("cpu.weight", share), ("cpu.shares", share * 1024 // SHARE)):
            if (directory / file).exists():
                (directory / file).write_text(str(value))


def set_aside_sessions(name: str) -> None:
    """Let what is done on a machine over SSH come after what serves, here and on other machines.

    It is moved beside the machine's cgroup, into one with a machine's usual share; sessions that
    begin later are born there, until sshd is started anew. With cgroups v1 only: in v2 the
    machine's systemd has the tree.
    """
    top = CGROUPS / "cpu" / names.PREFIX
    if not (top / name).is_dir():
        return
    aside = top / f"{name}{SESSIONS}"
    aside.mkdir(exist_ok=True)
    for pid in (top / name / "cgroup.procs").read_text().split():
        with contextlib.suppress(OSError):  # it ended meanwhile
            place = Path(f"/proc/{pid}/cgroup").read_text()
            if "/user.slice" in place or "/ssh.service" in place:
                (aside / "cgroup.procs").write_text(pid)


def memory_used(name: str) -> int | None:
    """A machine's memory in bytes, without what is only cache; None if it does not run."""
    directory = directories(name)[0]
    try:
        stat = dict(line.split() for line in (directory / "memory.stat").read_text().splitlines())
        if (directory / "memory.current").exists():
            return int((directory / "memory.current").read_text()) - int(stat["inactive_file"])
        used = int((directory / "memory.usage_in_bytes").read_text())
        return used - int(stat["total_inactive_file"])
    except OSError:
        return None


def processes(name: str = "") -> set[int]:
    """Every process in a machine's cgroups, or in those of all machines."""
    found: set[int] = set()
    for directory in directories(name):
        for file in directory.glob("**/cgroup.procs"):
            with contextlib.suppress(OSError):  # its cgroup went meanwhile
                found.update(int(pid) for pid in file.read_text().split() if pid != "0")
    return found


def remove(name: str = "") -> None:
    """Remove a machine's cgroups, or all of the lab's; those with a process in them stay."""
    aside = directories(f"{name}{SESSIONS}") if name else []
    for top in directories(name) + aside:
        if top.is_dir():
            for directory in sorted((p for p in top.glob("**/") if p.is_dir()), reverse=True):
                with contextlib.suppress(OSError):
                    directory.rmdir()
