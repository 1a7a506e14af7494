"""An open load: requests at a given rate, whether or not the answers come; each is accounted for.

One request is on each of many connections at most. One that is due while none is free is sent as
soon as one is, and its time counts from when it was due.
"""

from __future__ import annotations

import collections
import selectors
import socket
import statistics
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field

CONNECTIONS = 200
PATIENCE_SECONDS = 10.0
"""How long the last answers are waited for."""


@dataclass
class Flood:
    """What came of the requests: seconds by status, and how many had no answer."""

    sent: int = 0
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
        _send(port, request, rate, seconds, found)
    finally:
        over.set()
        health.join()
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


def _send(port: int, request: bytes, rate: float, seconds: float, found: Flood) -> None:
    selector = selectors.DefaultSelector()
    free = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    for connection in free:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
    due_at: dict[int, float] = {}
    begun = time.perf_counter()
    end = begun + seconds
    total = int(rate * seconds)
    while found.sent < total or due_at:
        now = time.perf_counter()
        due = min(total, int((now - begun) * rate) + 1) if now < end else total  # 0 is due at once
        while found.sent < due and free:
            connection = free.pop()
            due_at[connection.fileno()] = begun + found.sent / rate
            connection.sendall(request)
            found.sent += 1
        if now > end + PATIENCE_SECONDS:
            found.dropped += len(due_at) + total - found.sent
            break
        for key, _ in selector.select(0.001):
            sock: socket.socket = key.fileobj  # type: ignore[assignment]
            try:
                answer = sock.recv(2**16)
            except OSError:
                answer = b""
            since = due_at.pop(sock.fileno(), None)
            if not answer:
                found.dropped += since is not None
                selector.unregister(sock)
                sock.close()
                continue
            if since is not None:
                found.seconds[int(answer[9:12])].append(time.perf_counter() - since)
                free.append(sock)
    for key in list(selector.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    selector.close()
