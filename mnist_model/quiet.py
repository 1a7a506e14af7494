"""Quiet for native libraries that write notices straight to the process's standard error."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_standard_error() -> Iterator[None]:
    """Send what this process writes to its standard error nowhere for a while.

    For start-up only: it concerns all threads. Exceptions are not affected.
    """
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
