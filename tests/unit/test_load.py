"""The load of the tests under load: it counts every request, and what goes wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.e2e.load import Answer, Load, percentile, posts

RATE = 100


class Answering(BaseHTTPRequestHandler):
    """Answers by the server's list of behaviours, in turn."""

    protocol_version = "HTTP/1.1"
    behaviours = ("answer",)
    asked = 0

    def do_POST(self) -> None:
        kind = type(self)
        behaviour = kind.behaviours[kind.asked % len(kind.behaviours)]
        kind.asked += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        if behaviour == "hang up":
            self.close_connection = True
            return
        body = b'{"release": "r1"}'
        self.send_response(503 if behaviour == "busy" else 200)
        self.send_header("Content-Length", str(len(body)))
        if behaviour == "last":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def answering(*kinds: str) -> Iterator[tuple[str, type[Answering]]]:
    class Handler(Answering):
        behaviours = kinds

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", Handler
        finally:
            server.shutdown()
            thread.join()


def loaded(url: str) -> Load:
    with Load(url, posts(url, "/", [b"x", b"longer"]), RATE) as load:
        time.sleep(1)
    return load


def test_every_request_is_answered_and_counted() -> None:
    with answering("answer", "last") as (url, server):
        load = loaded(url)
    assert not load.failures
    assert len(load.answers) == server.asked >= RATE * 0.8
    assert {one.release for one in load.answers} == {"r1"}


def test_what_goes_wrong_is_counted_and_sent_once() -> None:
    with answering("answer", "busy", "answer", "hang up") as (url, server):
        load = loaded(url)
    assert len(load.answers) == server.asked
    each = len(load.answers) // 4
    assert abs(load.failures["503"] - each) <= 1
    assert abs(load.failures["closed before an answer"] - each) <= 1


def test_nobody_there_is_a_failure() -> None:
    with answering("answer") as (url, _):
        pass
    load = loaded(url)
    assert RATE * 0.8 <= sum(load.failures.values()) == len(load.answers) <= RATE * 1.5


def test_the_percentile_is_of_the_times() -> None:
    answers = [Answer(0, seconds / 100, "200") for seconds in range(1, 101)]
    assert 0.98 < percentile(answers, 99) <= 1
    assert abs(percentile(answers, 50) - 0.5) < 0.02
