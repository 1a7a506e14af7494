"""The C library's heap, told to keep what a request gives back for the next one."""

from __future__ import annotations

import ctypes

# Of malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 16 * 2**20
"""Free at the heap's end, from which on it is given back."""
LARGE_BYTES = 4 * 2**20
"""What is this large has pages of its own, which are given back when it is freed."""


def keep_freed_memory() -> None:
    """Let freed memory stay with the process, up to KEPT_BYTES in each of the heap's arenas.

    glibc would give a picture's memory back to the kernel at the end of every request, and fetch
    it again page by page in the next: a fifth of a request's time (docs/benchmarks-api.md). Other
    C libraries have no such call (mallopt(3)) and are left alone.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
