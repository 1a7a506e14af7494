"""More load than the API can bear (tests/e2e/load.py), and how its health is told meanwhile."""

from __future__ import annotations

import collections
import statistics
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field

from tests.e2e.load import Load

CONNECTIONS = 200


@dataclass
class Flood:
    """What came of the requests: seconds by status, and how many had no answer."""

    seconds: dict[int, list[float]] = field(default_factory=lambda: collections.defaultdict(list))
    dropped: int = 0
    health: list[float] = field(default_factory=list)

    def p99(self, status: int) -> float:
        """Return the 99th percentile of a status' times, in seconds; nan if there are under two."""
        times = self.seconds.get(status, [])
        return statistics.quantiles(times, n=100)[98] if len(times) > 1 else float("nan")


def flood(port: int, request: bytes, rate: float, seconds: float) -> Flood:
    """Send `rate` requests a second for so long, and ask for the health ten times a second."""
    found = Flood()
    over = threading.Event()
    health = threading.Thread(target=_ask_health, args=(port, found, over))
    health.start()
    try:
        with Load(f"http://127.0.0.1:{port}", [request], rate, CONNECTIONS) as load:
            time.sleep(seconds)
    finally:
        over.set()
        health.join()
    for answer in load.answers:
        if answer.said.isdigit():
            found.seconds[int(answer.said)].append(answer.seconds)
        else:
            found.dropped += 1
    return found


def _ask_health(port: int, found: Flood, over: threading.Event) -> None:
    while not over.wait(0.1):
        begun = time.perf_counter()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
                answer.read()
            found.health.append(time.perf_counter() - begun)
        except (OSError, urllib.error.URLError):
            found.health.append(float("inf"))
