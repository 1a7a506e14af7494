"""One lab on a machine: a lock that the kernel lets go when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from tests.lab import names
from tests.lab.names import LabError


def hold() -> IO[str]:
    """Take the lock until this process ends or closes it. Raises LabError if another has it."""
    names.RUN.mkdir(parents=True, exist_ok=True)
    handle = names.LOCK.open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        handle.close()
        raise LabError(
            "another lab is starting, running or ending on this machine, and only one can: "
            f"{describe()}"
        ) from error
    handle.truncate(0)
    handle.write(f"{os.getpid()} {names.REPOSITORY}\n")
    handle.flush()
    return handle


def owner() -> tuple[int, Path] | None:
    """Give the process and the checkout of whoever holds the lock; None if nobody does."""
    if not names.LOCK.exists():
        return None
    with names.LOCK.open() as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, _, checkout = handle.read().strip().partition(" ")
            return int(pid or 0), Path(checkout)
    return None


def check_mine(checkout: Path) -> None:
    """Raise LabError unless the running lab is this checkout's."""
    if checkout != names.REPOSITORY:
        raise _taken(checkout)


def check_free() -> None:
    """Raise LabError if a lab is running, even this checkout's."""
    if running := owner():
        raise _taken(running[1])


def _taken(checkout: Path) -> LabError:
    return LabError(
        f"the lab of {checkout} is running on this machine, and only one can: "
        "`make down` there first"
    )


def describe() -> str:
    """Say who holds the lock."""
    running = owner()
    return f"process {running[0]} of {running[1]}" if running else "try again"
