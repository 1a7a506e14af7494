"""A server between browser and demo that passes requests on, or fails as it is told."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


class Between(ThreadingHTTPServer):
    """Passes everything on to `target` (host:port) but what a test wants to be otherwise."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.address = f"127.0.0.1:{self.server_port}"
        self.asked: list[str] = []
        """Method and path of what came for the API's POST addresses."""
        self._open = threading.Event()
        self._open.set()
        self._refusal: tuple[int, dict[str, str], bytes] | None = None
        self._hang_up = False

    def refuse(self, status: int, **headers: str) -> None:
        """Answer every POST with a status from now on, as the API words it."""
        problem = {"type": "about:blank", "title": "no", "status": status, "detail": "As told."}
        reason = headers.pop("reason", None)
        body = json.dumps(problem | ({"reason": reason} if reason else {})).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._refusal = status, {"Content-Type": "application/problem+json", **named}, body

    def reply(self, body: Any) -> None:
        """Answer every POST with 200 and this (bytes, or what becomes JSON) from now on."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._refusal = 200, {"Content-Type": "application/json"}, content

    def hang_up(self) -> None:
        """Close the connection instead of answering a POST, from now on."""
        self._hang_up = True

    def hold(self) -> None:
        """Let every POST wait until `work`."""
        self._open.clear()

    def release(self) -> None:
        """Let go what was held, to whatever else it is told."""
        self._open.set()

    def work(self) -> None:
        """Pass everything on again, what waits as well."""
        self._refusal, self._hang_up = None, False
        self.release()

    def handle_error(self, *_: Any) -> None:
        """Say nothing of browsers that went away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Between

    def do_GET(self) -> None:
        self._pass_on(b"")

    do_HEAD = do_GET  # noqa: N815 - http.server's name

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(f"{self.command} {self.path}")
        self.server._open.wait(30)
        if self.server._hang_up:
            self.close_connection = True
        elif self.server._refusal:
            self._answer(*self.server._refusal)
        else:
            self._pass_on(body)

    do_DELETE = do_POST  # noqa: N815 - http.server's name

    def _pass_on(self, body: bytes) -> None:
        connection = http.client.HTTPConnection(self.server.target, timeout=20)
        try:
            connection.request(self.command, self.path, body or None, dict(self.headers))
            answer = connection.getresponse()
            self._answer(answer.status, dict(answer.headers), answer.read())
        except OSError:
            self._answer(502, {}, b"")
        finally:
            connection.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep no log."""


@contextmanager
def between(target: str) -> Iterator[Between]:
    """Stand before a server for as long as it is needed."""
    server = Between(target)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.work()
        server.shutdown()
        thread.join()
        server.server_close()
