"""Waitress's connections, with what it leaves out: deadlines, and an end in order.

A refused upload is read to its end, or for a while: closing a connection with unread input resets
it, and the client would see that instead of the refusal.
"""

from __future__ import annotations

import socket
import time
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import Task
from waitress.utilities import Error

from mnist_api.load import DEADLINE, GONE, SLOW
from mnist_api.tasks import AppTask, RefusalTask, ShedTask

LINGER_SECONDS = 5.0
"""How long the rest of a refused upload is read and thrown away."""
PATIENT_SECONDS = 0.1
"""A request that waited so long is only done if its client is still there. Before that, one that
has sent all it will (a half-closed connection, as some tools make it) gets its answer."""

# Waitress ships no types, so that mypy takes its classes for Any.
# mypy: disable-error-code="misc"


class TooSlow(Error):  # noqa: N818 - a sibling of Waitress's BadRequest
    """The request did not arrive in its time."""

    code = 408
    reason = "Request Timeout"


class Request(HTTPRequestParser):
    """A request, whole or still arriving. Times are of time.monotonic().

    began: when its first bytes came. queued: when it was whole and had to wait for a thread, or 0.
    shed: why it is not served, if it is not. wait: seconds until it may be sent again.
    """

    path = ""

    def __init__(self, adjustments: Any) -> None:
        """Begin to receive."""
        super().__init__(adjustments)
        self.began = time.monotonic()
        self.queued = 0.0
        self.shed = ""
        self.wait = 1.0


class Channel(HTTPChannel):
    """A client's connection."""

    parser_class = Request
    error_task_class = RefusalTask
    request: Request | None

    linger = False
    """Whether the rest of the input is to be read before the connection is closed."""
    _linger_until = 0.0
    _unsent_since = 0.0

    @staticmethod
    def task_class(channel: Channel, request: Request) -> Task:
        """Choose what becomes of a request."""
        return ShedTask(channel, request) if request.shed else AppTask(channel, request)

    def service(self) -> None:
        """Answer the first request that waits; in a thread, or on the I/O thread if it is quick."""
        request, server = self.requests[0], self.server
        if not request.queued:
            super().service()
            return
        server.load.waiting = len(server.task_dispatcher.queue)
        waited = time.monotonic() - request.queued
        if waited > PATIENT_SECONDS and self._peer_left():
            request.shed = GONE
        elif waited > server.deadline_seconds:
            request.shed = DEADLINE
        if request.shed:
            server.load.shed_one(request.shed)
            super().service()
            return
        with server.load.work():
            super().service()

    def expire(self, now: float, receive_seconds: float) -> None:
        """Give up a request that comes, or an answer that is taken, too slowly.

        now: time.monotonic(). Only the I/O thread may call this.
        """
        if self.total_outbufs_len:
            self._unsent_since = self._unsent_since or now
            if now - self._unsent_since > receive_seconds:
                self.server.load.shed_one(SLOW)
                self.handle_close()
            return
        self._unsent_since = 0.0
        request = self.request
        if request and not self.requests and now - request.began > receive_seconds:
            self.server.load.shed_one(SLOW)
            with self.requests_lock:
                request.error = TooSlow("")
                self.requests.append(request)
                self.request = None
                self.server.add_task(self)

    def silent_since(self) -> float | None:
        """Since when (time.monotonic()) a whole request is waited for; None: there is one."""
        if self.requests:
            return None
        if self.request:
            return float(self.request.began)
        return float(time.monotonic() - (time.time() - self.last_activity))

    def idle_since(self, moment: float) -> bool:
        """Say whether nothing has come or gone since a moment (time.time()), nor is on its way."""
        with self.requests_lock:
            if self.requests or self.request or self.total_outbufs_len:
                return False
        return bool(self.last_activity < moment) and not self._peek()

    def _peek(self) -> bytes | None:
        """Look at the next byte of the input; b"" at its end, None when there is none yet."""
        try:
            return bytes(self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _peer_left(self) -> bool:
        return not self.connected or self._peek() == b""

    def handle_close(self) -> None:
        """Close the connection, or say that nothing more will be sent and start lingering."""
        if self.linger and self.connected:
            self.linger = False
            self._linger_until = time.monotonic() + LINGER_SECONDS
            self.will_close = False
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                super().handle_close()
        else:
            super().handle_close()

    def readable(self) -> bool:
        """Say whether the connection should be read."""
        return bool(self._lingers() or super().readable())

    def writable(self) -> bool:
        """Say whether the connection should be written to; lingering, only to end it in time."""
        if self._linger_until and not self._lingers():
            self.will_close = True
        return bool(super().writable())

    def handle_read(self) -> None:
        """Read a request, or throw away what comes while lingering."""
        if not self._linger_until:
            super().handle_read()
            return
        try:
            self.recv(self.adj.recv_bytes)  # closes the connection at its end
        except OSError:
            super().handle_close()

    def _lingers(self) -> bool:
        return bool(self._linger_until) and time.monotonic() < self._linger_until
