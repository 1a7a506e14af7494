"""How much work there is: what waits, what is under way, and what was not taken on."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

QUEUE = "queue"
"""Not done: it had waited for the longest when one more came than may wait."""
DEADLINE = "deadline"
"""Not done: it had waited so long that its time was up."""
GONE = "gone"
"""Not done: its client went away while it waited."""
SLOW = "slow"
"""Given up: the request came, or its answer was taken, too slowly."""
CROWD = "crowd"
"""Closed while nothing was asked: a new connection needed the place."""
RATE = "rate"
"""Not taken on: its client asks more often than one may."""
REASONS = (QUEUE, DEADLINE, GONE, SLOW, CROWD, RATE)


class Load:
    """Counts the requests of one process; may be shared between threads.

    waiting, working: requests in the queue, and in a thread. shed: how many were not served since
    the start, by reason (REASONS); the application never sees those.
    """

    def __init__(self) -> None:
        """Start at nothing."""
        self.waiting = 0
        self.working = 0
        self.shed: Counter[str] = Counter(dict.fromkeys(REASONS, 0))
        self._lock = threading.Lock()

    def shed_one(self, reason: str) -> None:
        """Count a request that is not served."""
        with self._lock:
            self.shed[reason] += 1

    @contextmanager
    def work(self) -> Iterator[None]:
        """Count a request as worked on, as long as the context lasts."""
        with self._lock:
            self.working += 1
        try:
            yield
        finally:
            with self._lock:
                self.working -= 1
