"""Numbers that several processes share: each counts in a row of its own, anybody adds them up.

A scrape reaches one worker, whichever takes the connection; it must tell of all. So each worker
maps a small file, `N.RELEASE.LAYOUT`, into its memory and counts there. N is a number that no other
living worker has (a lock that ends with the process says so), and whoever takes it over counts on,
so that no sum ever falls when a worker is replaced. Without a directory the numbers are only this
process's, in its own memory.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

Row = npt.NDArray[np.float64]

MOST_WORKERS = 64
MOST_RELEASES = 8
"""Of each worker, whose numbers are kept; the oldest go first."""


class Counts:
    """One row of numbers for every release that this process served.

    names: what is counted, in the order of a row. The names decide whether rows fit together: those
    of another version of this program are left alone, and go when their worker's number is taken.
    """

    def __init__(
        self, names: Sequence[str], directory: Path | None, gauges: Sequence[str] = ()
    ) -> None:
        """Take a worker's number. Raises OSError when the directory cannot be written to.

        gauges: the names that tell of this moment; they end with the process.
        """
        self.index = {name: place for place, name in enumerate(names)}
        self._gauges = [self.index[name] for name in gauges]
        self._directory = directory
        self._rows: dict[str, Row] = {}
        self._layout = hashlib.sha256("\n".join(names).encode()).hexdigest()[:8]
        if directory is not None:
            self._number, self._lock = _take_number(directory)
            for old in directory.glob(f"{self._number}.*"):
                if old.suffix not in (".lock", f".{self._layout}"):
                    old.unlink(missing_ok=True)

    def row(self, release: str) -> Row:
        """Return this process's numbers for a release, to be counted in by one thread at a time."""
        if release not in self._rows:
            for old in self._rows.values():
                old[self._gauges] = 0
            self._rows[release] = self._map(release)
            self._rows[release][self._gauges] = 0
        return self._rows[release]

    def totals(self) -> dict[str, Row]:
        """Add up the rows of all processes, by release."""
        if self._directory is None:
            return {release: row.copy() for release, row in self._rows.items()}
        found: dict[str, Row] = {}
        for file in self._directory.glob(f"*.{self._layout}"):
            try:
                row = np.fromfile(file, np.float64)
            except FileNotFoundError:  # another worker has just taken it away
                continue
            if len(row) != len(self.index):
                continue
            number, release, _ = file.name.split(".")
            if int(number) != self._number and not _is_taken(self._directory, int(number)):
                row[self._gauges] = 0
            found[release] = found.get(release, 0) + row
        return found

    def _map(self, release: str) -> Row:
        if self._directory is None:
            return np.zeros(len(self.index))
        kept = sorted(
            self._directory.glob(f"{self._number}.*.{self._layout}"),
            key=lambda one: one.stat().st_mtime,
        )
        for old in kept[:-MOST_RELEASES]:
            old.unlink(missing_ok=True)
        size = 8 * len(self.index)
        name = self._directory / f"{self._number}.{release}.{self._layout}"
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, size)
            return np.frombuffer(mmap.mmap(descriptor, size), np.float64)
        finally:
            os.close(descriptor)


def _is_taken(directory: Path, number: int) -> bool:
    try:
        lock = os.open(directory / f"{number}.lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _take_number(directory: Path) -> tuple[int, int]:
    """Return a number that no other process has, and the open lock that keeps it so."""
    for number in range(MOST_WORKERS):
        lock = os.open(directory / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return number, lock
    raise BlockingIOError(f"{MOST_WORKERS} workers count in {directory} already")
