"""How often each client may ask: a token bucket for everyone, which the workers of a host share.

The buckets lie in one small file that every worker maps, in the directory where they count together
(/run on a host: gone at the next boot). It has no addresses, only hashes of them. A bucket is one
number, the moment at which it will be full again (the generic cell rate algorithm): a request moves
that moment on by one part of a second, and is refused if it would lie too far ahead.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
from pathlib import Path

SETS = 4096
WAYS = 8
"""32,768 clients are told apart; of more, those whose buckets are the fullest are forgotten."""
ROUNDING = 1e-3
"""Part of a token that may be missing: moments are floating-point numbers."""
SLOT = struct.Struct("=Qd")
"""The hash of an address, and when its bucket is full again (time.monotonic())."""
SET_BYTES = WAYS * SLOT.size


class Rates:
    """The buckets, each of `burst` requests, refilled with `rate` of them a second.

    Only one thread of a process may use it; processes wait for each other, for microseconds.
    """

    def __init__(self, rate: int, burst: int, directory: Path | None) -> None:
        """Map the file in the directory, or without one memory of this process's own.

        Raises OSError when the directory cannot be written to.
        """
        self._step = 1 / rate
        self._longest = burst / rate
        self._file = -1
        if directory is not None:
            # Another layout is another file: two versions serve side by side in a deploy.
            name = directory / f"rates-{SETS}-{WAYS}"
            self._file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.ftruncate(self._file, SETS * SET_BYTES)
        self._map = mmap.mmap(self._file, SETS * SET_BYTES)

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()
        if self._file >= 0:
            os.close(self._file)

    def wait(self, client: str, now: float) -> float:
        """Take a client's token; return 0, or the seconds until there will be one.

        now: time.monotonic(), which all processes of a machine have in common.
        """
        digest = hashlib.blake2b(client.encode(), digest_size=8).digest()
        name = int.from_bytes(digest, "little") or 1  # 0 is a slot that nobody has had
        place = name % SETS * SET_BYTES
        if self._file >= 0:
            fcntl.lockf(self._file, fcntl.LOCK_EX, SET_BYTES, place)
        try:
            return self._take(name, place, now)
        finally:
            if self._file >= 0:
                fcntl.lockf(self._file, fcntl.LOCK_UN, SET_BYTES, place)

    def _take(self, name: int, place: int, now: float) -> float:
        slots = [SLOT.unpack_from(self._map, place + way * SLOT.size) for way in range(WAYS)]
        own = next((way for way, (owner, _) in enumerate(slots) if owner == name), None)
        full = now if own is None else max(slots[own][1], now)
        if full > now + 2 * self._longest:  # nobody can have taken that many: it is damaged
            full = now
        wait = full + self._step - now - self._longest
        if wait > ROUNDING * self._step:
            return float(wait)
        if own is None:
            own = min(range(WAYS), key=lambda way: slots[way][1])
        SLOT.pack_into(self._map, place + own * SLOT.size, name, full + self._step)
        return 0.0
