"""What can become of a request: an answer of the application, a refusal, or nothing.

A stopping worker says `Connection: close` with every answer, so that the client takes its next
request elsewhere.
"""

from __future__ import annotations

import math
import secrets
from http import HTTPStatus
from typing import Any

from waitress.task import ErrorTask, Task, WSGITask

from mnist_api import problems
from mnist_api.load import DEADLINE, GONE, RATE
from mnist_api.logs import REQUEST_ID

# Waitress ships no types, so that mypy takes its classes for Any.
# mypy: disable-error-code="misc"


class Polite(Task):
    """Ends connections when the worker stops, and sends head and body of an answer in one piece."""

    wrote_header: bool

    def build_response_header(self) -> bytes:
        """Close the connection after this answer when the worker stops."""
        if self.channel.server.stopping:
            self.request.headers["CONNECTION"] = "close"
        header: bytes = super().build_response_header()
        return header

    def write(self, data: bytes) -> None:
        """Send a part of the body, and the header before the first; both at once if that is all."""
        whole = self.complete and not self.wrote_header and self.content_length == len(data) > 0
        if whole and self.has_body:
            header = self.build_response_header()
            self.wrote_header = True
            self.content_bytes_written = len(data)
            self.channel.write_soon(header + data)
        else:
            super().write(data)

    def problem(
        self,
        status: int,
        detail: str,
        headers: tuple[tuple[str, str], ...] = (),
        limit: tuple[str, int] | None = None,
    ) -> None:
        """Answer with a problem; the application is not asked."""
        given = self.request.headers.get("X_REQUEST_ID", "")
        name = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        more = {"limit": {"name": limit[0], "most": limit[1]}} if limit else {}
        body = problems.problem_body(status, detail, request=name, **more)
        self.status = f"{status} {HTTPStatus(status).phrase}"
        self.response_headers = [
            ("Content-Type", problems.MEDIA_TYPE),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Request-Id", name),
            *headers,
        ]
        self.complete = True
        self.content_length = len(body)
        # An answer to HEAD has the length of what GET says, and nothing of it.
        self.write(b"" if getattr(self.request, "command", "") == "HEAD" else body)


class AppTask(Polite, WSGITask):
    """A request for the application."""


class RefusalTask(Polite, ErrorTask):
    """A request that is refused before it is whole: malformed, too large, or too slow."""

    def execute(self) -> None:
        """Answer with a problem, then end the connection."""
        error = self.request.error
        self.channel.linger = True
        # The rest of this request would be taken for the next one.
        self.request.headers["CONNECTION"] = "close"
        detail, limit = self._reason(error)
        self.problem(error.code, detail, limit=limit)
        self.close_on_finish = True

    def _reason(self, error: Any) -> tuple[str, tuple[str, int] | None]:
        """Return a sentence, and the limit that was met, if it was one."""
        adjustments = self.channel.adj
        match error.code:
            case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                most = adjustments.max_request_body_size - 1
                return problems.too_large(most), ("body-bytes", most)
            case HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
                most = adjustments.max_request_header_size
                detail = f"The request's header is too large; send one of at most {most} bytes."
                return detail, ("header-bytes", most)
            case HTTPStatus.REQUEST_TIMEOUT:
                most = self.channel.server.receive_seconds
                detail = f"The request came too slowly; send it whole within {most} seconds."
                return detail, ("receive-seconds", most)
            case HTTPStatus.INTERNAL_SERVER_ERROR:
                return "The request could not be answered; try again.", None
        return f"The request is not valid HTTP: {error.body}.", None


class ShedTask(Polite):
    """A request that is not served, because there is too much to do or nobody to do it for."""

    def execute(self) -> None:
        """Say when to try again; to a client that is gone, nothing."""
        if self.request.shed == GONE:
            self.close_on_finish = True
            # Nothing may be written: neither an answer nor a header.
            self.wrote_header = True
            return
        server = self.channel.server
        seconds = str(math.ceil(self.request.wait))
        if self.request.shed == RATE:
            limit = ("requests-per-second", server.requests_per_second)
            detail = f"You ask more often than {limit[1]} times a second; ask again in {seconds} s."
            self.problem(429, detail, (("Retry-After", seconds),), limit)
            return
        detail = "There is more to do than can be done just now; try again in a second."
        limit = ("queue", server.longest_queue)
        if self.request.shed == DEADLINE:
            detail = "This request waited too long for its turn; try again in a second."
            limit = ("deadline-milliseconds", round(server.deadline_seconds * 1000))
        self.problem(503, detail, (("Retry-After", seconds),), limit)
