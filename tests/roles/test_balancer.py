"""mnist-balancer takes members out of a real Apache's balancer and puts them in again."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.browser import apache

PROGRAM = apache.ROLE / "files" / "balancer.py"
IN_FLIGHT_SECONDS = 0.5


class Answering(BaseHTTPRequestHandler):
    """Says who answers; /slow only once it may."""

    protocol_version = "HTTP/1.1"
    asked = threading.Semaphore(0)
    may_answer = threading.Event()

    def do_GET(self) -> None:
        if self.path == "/slow":
            self.asked.release()
            self.may_answer.wait(30)
        body = str(self.server.server_address[1]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def answering() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class Front:
    """A running Apache, its members, and the program that asks its manager."""

    def __init__(self, address: str, members: list[str], program: Path) -> None:
        self.address = address
        self.members = members
        self.program = program

    def run(self, *arguments: str) -> str:
        line = [sys.executable, str(self.program), *arguments]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def ask(self, path: str = "x") -> str:
        with urllib.request.urlopen(f"http://{self.address}/api/{path}", timeout=10) as answer:
            return f"127.0.0.1:{answer.read().decode()}"


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    apache.require()
    with ExitStack() as stack:
        members = [stack.enter_context(answering()) for _ in range(2)]
        empty = tmp_path / "site"
        empty.mkdir()
        address = stack.enter_context(apache.apache(empty, members))
        program, url = tmp_path / "balancer.py", tmp_path / "url"
        url.write_text(f"http://{address}/balancer-manager\n")
        program.write_text(PROGRAM.read_text().replace("/etc/apache2/mnist-balancer.url", str(url)))
        yield Front(address, members, program)


def test_one_that_is_out_ends_what_it_has_and_gets_nothing_new(front: Front) -> None:
    answers: list[str] = []
    asking = [threading.Thread(target=lambda: answers.append(front.ask("slow"))) for _ in range(2)]
    for thread in asking:
        thread.start()
        assert Answering.asked.acquire(timeout=30)
    first, second = front.members
    with ThreadPoolExecutor(1) as pool:
        taken_out = pool.submit(front.run, "out", first)
        try:
            time.sleep(IN_FLIGHT_SECONDS)
            assert not taken_out.done()
        finally:
            Answering.may_answer.set()
        assert taken_out.result() == f"changed: {first} is out of the balancer"
    for thread in asking:
        thread.join()
    assert set(answers) == {first, second}
    assert {front.ask() for _ in range(10)} == {second}
    states = {one["address"]: one["in"] for one in json.loads(front.run("status"))}
    assert states == {first: False, second: True}
    assert front.run("out", first) == f"{first} is out of the balancer"

    assert front.run("out", second) == f"{second} stays in the balancer: nobody else could answer"
    assert front.run("in", first) == f"changed: {first} is in the balancer"
    assert front.run("in", first) == f"{first} is in the balancer"
    assert {front.ask() for _ in range(10)} == {first, second}


def test_a_stranger_is_not_in_the_balancer(front: Front) -> None:
    for command in ("out", "in"):
        assert front.run(command, "192.0.2.1:5000") == "192.0.2.1:5000 is not in the balancer"


def test_without_apache_nobody_has_to_be_taken_out(front: Front) -> None:
    front.program.with_name("url").write_text("http://127.0.0.1:9/balancer-manager\n")
    assert "Apache does not answer" in front.run("out", front.members[0])
