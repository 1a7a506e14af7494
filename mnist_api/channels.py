"""Waitress's connections, with what it leaves out: problems as JSON, and an end in order.

A stopping worker says `Connection: close` with every answer, so that the client takes its next
request elsewhere. A refused upload is read to its end, or for a while: closing a connection with
unread input resets it, and the client would see that instead of the refusal.
"""

from __future__ import annotations

import socket
import time
from http import HTTPStatus
from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import ErrorTask, WSGITask

from mnist_api import problems

LINGER_SECONDS = 5.0
"""How long the rest of a refused upload is read and thrown away."""

# Waitress ships no types, so that mypy takes its classes for Any.
# mypy: disable-error-code="misc"


class AppTask(WSGITask):
    """A request for the application."""

    def build_response_header(self) -> bytes:
        """Close the connection after this answer when the worker stops."""
        if self.channel.server.stopping:
            self.request.headers["CONNECTION"] = "close"
        header: bytes = super().build_response_header()
        return header


class RefusalTask(ErrorTask):
    """A request that Waitress refuses by itself: malformed, or too large."""

    def execute(self) -> None:
        """Answer with a problem."""
        error = self.request.error
        self.channel.linger = True
        body = problems.problem_body(error.code, self._detail(error))
        self.status = f"{error.code} {error.reason}"
        self.response_headers = [
            ("Content-Type", problems.MEDIA_TYPE),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)

    def _detail(self, error: Any) -> str:
        if error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return problems.too_large(self.channel.adj.max_request_body_size - 1)
        if error.code == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
            limit = self.channel.adj.max_request_header_size
            return f"The request's header is too large; send one of at most {limit} bytes."
        return f"The request is not valid HTTP: {error.body}."


class Channel(HTTPChannel):
    """A client's connection."""

    task_class = AppTask
    error_task_class = RefusalTask

    linger = False
    """Whether the rest of the input is to be read before the connection is closed."""
    _linger_until = 0.0

    def idle_since(self, moment: float) -> bool:
        """Say whether nothing has come or gone since a moment (time.time()), nor is on its way."""
        with self.requests_lock:
            if self.requests or self.request or self.total_outbufs_len:
                return False
        return bool(self.last_activity < moment) and not self._input_waits()

    def _input_waits(self) -> bool:
        try:
            return bool(self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except OSError:
            return False

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
        return time.monotonic() < self._linger_until
