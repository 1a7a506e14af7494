"""A steady load on the front door, each request of it accounted for.

Requests are sent when they are due, whether or not the answers to others have come, over
connections that are kept as a browser keeps them. Nothing is sent twice: a connection that ends
before its answer has come is a failure, one that ends while nothing is asked of it is replaced.
"""

from __future__ import annotations

import os
import re
import selectors
import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

CONNECTIONS = 40
PATIENCE_SECONDS = 10.0
"""How long an answer may take."""
RELEASE = re.compile(rb'"release": ?"([^"]+)"')
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
END = b"\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """What came of a request. due: of time.monotonic(). said: a status, or what went wrong."""

    due: float
    seconds: float
    said: str
    release: str = ""

    @property
    def failed(self) -> bool:
        """Whether it was not answered as it should be."""
        return self.said != "200"


@dataclass
class Connection:
    """A kept connection. due: of the request that is on it, or 0."""

    sock: socket.socket
    due: float = 0.0
    received: bytes = b""

    @property
    def ended(self) -> bool:
        """Whether the other side has ended it; every client looks before it uses one again."""
        try:
            return not self.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True


@dataclass
class Load:
    """A context: the load begins as it is entered, and ends with the last answer.

    requests: whole HTTP requests, sent in turn.
    connections: the most that are kept; a request that is due while all are busy waits, and its
        time counts.
    """

    url: str
    requests: Sequence[bytes]
    rate: float
    connections: int = CONNECTIONS
    answers: list[Answer] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Begin."""
        place = urlsplit(self.url)
        self._address = (str(place.hostname), place.port or 80)
        self._over = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._free: list[Connection] = []
        self._open = 0
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        _: type[BaseException] | None,
        __: BaseException | None,
        ___: TracebackType | None,
    ) -> None:
        """End, when the last answer is there."""
        self._over.set()
        self._thread.join()

    @property
    def failures(self) -> Counter[str]:
        """What went wrong, how often."""
        return Counter(one.said for one in self.answers if one.failed)

    def between(self, begin: float, end: float) -> list[Answer]:
        """Give the answers to what was due in a span of time.monotonic()."""
        return [one for one in self.answers if begin <= one.due < end]

    def _run(self) -> None:
        # Its clients are elsewhere, and do not wait for this machine's processors.
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        begun, sent, total = time.monotonic(), 0, 0
        while not self._over.is_set() or self._busy():
            now = time.monotonic()
            if not self._over.is_set():
                total = int((now - begun) * self.rate) + 1  # the first is due at once
            while sent < total:
                due = begun + sent / self.rate
                try:
                    connection = self._take()
                except OSError as error:
                    self.answers.append(Answer(due, now - due, f"not connected: {error}"))
                else:
                    if connection is None:
                        break
                    self._send(connection, self.requests[sent % len(self.requests)], due)
                sent += 1
            for key, _ in self._selector.select(0.002):
                self._receive(key.data)
            self._give_up(now)
        # What was due and found no connection before the end.
        self.answers += [
            Answer(begun + one / self.rate, 0.0, "never sent") for one in range(sent, total)
        ]
        for key in list(self._selector.get_map().values()):
            self._close(key.data)
        self._selector.close()

    def _busy(self) -> bool:
        return any(key.data.due for key in self._selector.get_map().values())

    def _take(self) -> Connection | None:
        """Give a free connection, a new one if need be and if there may be more. Raises OSError."""
        while self._free:
            connection = self._free.pop()
            if not connection.ended:
                return connection
            self._close(connection)
        if self._open >= self.connections:
            return None
        sock = socket.create_connection(self._address, timeout=PATIENCE_SECONDS)
        sock.settimeout(None)  # with one, Python would wait before a look at what has come
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(sock)
        self._selector.register(sock, selectors.EVENT_READ, connection)
        self._open += 1
        return connection

    def _send(self, connection: Connection, request: bytes, due: float) -> None:
        connection.due, connection.received = due, b""
        try:
            connection.sock.sendall(request)
        except OSError:
            self._end(connection, "closed before an answer")

    def _receive(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(2**16)
        except OSError:
            data = b""
        if not data:
            if connection.due:
                self._end(connection, "closed before an answer")
            else:
                self._free.remove(connection)
                self._close(connection)
            return
        connection.received += data
        head, found, body = connection.received.partition(END)
        length = LENGTH.search(head)
        if found and len(body) >= int(length[1] if length else 0):
            release = RELEASE.search(body)
            name = release[1].decode() if release else ""
            self._note(connection, head[9:12].decode(), name)
            if CLOSES.search(head):
                self._close(connection)
            else:
                self._free.append(connection)

    def _give_up(self, now: float) -> None:
        for key in list(self._selector.get_map().values()):
            if key.data.due and now - key.data.due > PATIENCE_SECONDS:
                self._end(key.data, "no answer in time")

    def _end(self, connection: Connection, why: str) -> None:
        self._note(connection, why)
        self._close(connection)

    def _note(self, connection: Connection, said: str, release: str = "") -> None:
        took = time.monotonic() - connection.due
        self.answers.append(Answer(connection.due, took, said, release))
        connection.due = 0.0

    def _close(self, connection: Connection) -> None:
        self._selector.unregister(connection.sock)
        connection.sock.close()
        self._open -= 1


def percentile(answers: Sequence[Answer], part: int) -> float:
    """Give a percentile of the answers' times, in seconds; nan if there are under two."""
    times = [one.seconds for one in answers]
    return statistics.quantiles(times, n=100)[part - 1] if len(times) > 1 else float("nan")


def posts(url: str, path: str, bodies: Sequence[bytes]) -> list[bytes]:
    """Write a request for each picture (PNG)."""
    host = urlsplit(url).netloc
    return [
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: image/png\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
        for body in bodies
    ]
