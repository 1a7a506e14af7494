"""More requests than can be served, and clients that are slow or leave: counted, never timed."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mnist_api import server as server_module
from mnist_api.load import CROWD, DEADLINE, GONE, QUEUE, SLOW, Load
from mnist_api.server import Server
from mnist_api.settings import Settings
from tests.api.contract import check_answer
from tests.api.process import worker
from tests.browser.drawing import DIGITS, encoded, picture

SEVEN = encoded(picture(DIGITS[7]))
LARGE = bytes(8 * 2**20)
WAIT_SECONDS = 60


class Door:
    """An application that works on a request until it is let through; `asked` are its addresses."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.open = threading.Event()
        self.begun = threading.Semaphore(0)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        path = environ["PATH_INFO"]
        self.asked.append(path)
        body = LARGE if path == "/large" else environ["wsgi.input"].read() or b"done"
        if path.startswith("/work"):
            self.begun.release()
            assert self.open.wait(WAIT_SECONDS)
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]


class Running:
    """A server on a thread of its own, and the door behind it."""

    def __init__(self, server: Server, door: Door) -> None:
        self.server, self.door, self.load = server, door, server.load
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self.stop.is_set():
            self.server.turn(0.05)
        self.server.close_all()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(*self.server.socket.getsockname()[:2], timeout=60)

    def raw(self) -> socket.socket:
        return socket.create_connection(self.server.socket.getsockname()[:2], timeout=60)

    def get(self, path: str) -> tuple[http.client.HTTPResponse, bytes]:
        with closing(self.connect()) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer, answer.read()

    def until(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"{self.load.shed}, {self.door.asked}"
            time.sleep(0.01)

    def wait_in_queue(self, stack: ExitStack, count: int) -> list[http.client.HTTPConnection]:
        """Send requests one after the other until so many wait."""
        sent = []
        for number in range(count):
            connection = stack.enter_context(closing(self.connect()))
            connection.request("GET", f"/wait{number}")
            self.until(lambda number=number: self.load.waiting == number + 1)
            sent.append(connection)
        return sent


@contextmanager
def running(**given: Any) -> Iterator[Running]:
    settings = Settings(Path(), **{"threads": 1, "deadline_milliseconds": 60_000, **given})
    door = Door()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        run = Running(Server(door, listener, settings, Load()), door)
        run.thread.start()
        try:
            yield run
        finally:
            door.open.set()
            run.stop.set()
            run.thread.join()


@pytest.fixture
def busy() -> Iterator[tuple[Running, ExitStack, http.client.HTTPConnection]]:
    """A server with one thread, which works, and a queue for two."""
    with running(queue=2) as run, ExitStack() as stack:
        working = stack.enter_context(closing(run.connect()))
        working.request("GET", "/work")
        assert run.door.begun.acquire(timeout=WAIT_SECONDS)
        yield run, stack, working


def test_past_the_queue_the_oldest_is_turned_away_at_once_and_none_is_lost(busy: Any) -> None:
    run, stack, working = busy
    sent = run.wait_in_queue(stack, 2)
    for number in range(5):
        sent.append(stack.enter_context(closing(run.connect())))
        sent[-1].request("GET", f"/more{number}")
        answer = sent[number].getresponse()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        media_type = str(answer.headers.get_content_type())
        body = answer.read()
        check_answer("POST", "/predict", 503, media_type, body)
        assert json.loads(body)["limit"] == {"name": "queue", "most": 2}
        assert answer.headers["Cache-Control"] == "no-store"
    assert not run.door.open.is_set(), "all that came while the one thread was at work"
    assert run.load.shed[QUEUE] == 5
    run.door.open.set()
    answers = [connection.getresponse() for connection in (working, *sent[5:])]
    assert [(answer.status, answer.read()) for answer in answers] == [(200, b"done")] * 3
    assert run.door.asked == ["/work", "/more3", "/more4"]
    run.until(lambda: run.load.waiting == run.load.working == 0)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/api/healthz"])
def test_the_state_is_told_while_every_thread_works_and_the_queue_is_full(
    busy: Any, path: str
) -> None:
    run, stack, _ = busy
    run.wait_in_queue(stack, 2)
    assert run.get(path)[0].status == 200
    assert not run.door.open.is_set()


def test_a_connection_goes_on_after_its_request_was_turned_away(busy: Any) -> None:
    run, stack, _ = busy
    run.wait_in_queue(stack, 2)
    connection, *others = [stack.enter_context(closing(run.connect())) for _ in range(5)]
    for method, newer in zip(("POST", "HEAD"), (others[:2], others[2:]), strict=True):
        for one in (connection, *newer):
            shed = run.load.shed[QUEUE]
            one.request(method, "/more", SEVEN, {"X-Request-Id": "mine"})
            run.until(lambda shed=shed: run.load.shed[QUEUE] == shed + 1)
        answer = connection.getresponse()
        assert (answer.status, answer.headers["X-Request-Id"]) == (503, "mine")
        body = answer.read()
        assert json.loads(body)["request"] == "mine" if method == "POST" else not body
    sock = connection.sock
    run.door.open.set()
    connection.request("POST", "/last", SEVEN)
    assert connection.sock is sock
    assert connection.getresponse().read() == SEVEN


def test_requests_in_a_row_on_one_connection_are_answered_in_order(busy: Any) -> None:
    run, _, __ = busy
    with closing(run.raw()) as client:
        client.sendall(
            b"GET /first HTTP/1.1\r\nHost: x\r\n\r\n"
            b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
            b"POST /last HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"
        )
        run.until(lambda: run.load.waiting == 1)
        run.door.open.set()
        answers = client.makefile("rb").read()
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    assert answers.endswith(b"body")
    assert run.door.asked == ["/work", "/first", "/healthz", "/last"]


def test_work_whose_client_has_gone_is_not_done(busy: Any) -> None:
    run, stack, _ = busy
    for connection in run.wait_in_queue(stack, 2)[:1]:
        connection.close()
    time.sleep(0.2)  # longer than a half-closed connection is waited for
    run.door.open.set()
    run.until(lambda: run.load.shed[GONE] == 1)
    run.until(lambda: "/wait1" in run.door.asked)
    assert "/wait0" not in run.door.asked


def test_work_whose_time_is_up_is_not_done() -> None:
    with running(deadline_milliseconds=50) as run, ExitStack() as stack:
        working = stack.enter_context(closing(run.connect()))
        working.request("GET", "/work")
        assert run.door.begun.acquire(timeout=WAIT_SECONDS)
        [late] = run.wait_in_queue(stack, 1)
        time.sleep(0.1)
        run.door.open.set()
        assert working.getresponse().status == 200
        answer = late.getresponse()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert "too long" in json.loads(answer.read())["detail"]
        assert run.load.shed[DEADLINE] == 1
        assert run.door.asked == ["/work"]


def test_a_client_that_has_said_all_it_will_is_still_answered() -> None:
    with running() as run, closing(run.raw()) as client:
        client.sendall(b"GET /half HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        assert client.makefile("rb").read().endswith(b"done")


@pytest.mark.parametrize(
    "part",
    [b"GET / HTTP/1.1\r\nX-Slow: ", b"POST /predict HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"],
    ids=["header", "body"],
)
def test_a_request_that_comes_too_slowly_is_ended_and_holds_no_thread(part: bytes) -> None:
    with running(receive_seconds=1) as run, closing(run.raw()) as client:
        client.sendall(part)
        assert run.get("/other")[0].status == 200
        answer = client.makefile("rb").read()  # to the end of the connection
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.")
        assert b" 408 Request Timeout\r\n" in head
        assert "within 1 seconds" in json.loads(body)["detail"]
        assert run.load.shed[SLOW] == 1
        assert run.door.asked == ["/other"]


def test_a_client_that_sends_now_and_then_a_byte_is_ended_all_the_same() -> None:
    with running(receive_seconds=1) as run, closing(run.raw()) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        client.settimeout(0.1)
        answer = b""
        deadline = time.monotonic() + WAIT_SECONDS
        while not answer:
            assert time.monotonic() < deadline
            client.sendall(b"X")
            try:
                answer = client.recv(100)
            except TimeoutError:
                continue
        assert b" 408 " in answer


def test_a_client_that_does_not_read_holds_no_thread_and_is_ended() -> None:
    with running(receive_seconds=1) as run, ExitStack() as stack:
        for _ in range(3):
            client = stack.enter_context(closing(run.raw()))
            client.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        assert run.get("/other")[1] == b"done"
        run.until(lambda: run.load.shed[SLOW] == 3)


def test_silent_connections_make_room_for_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "CONNECTIONS", 8)
    monkeypatch.setattr(server_module, "CROWD_SECONDS", 0.0)
    with running() as run, ExitStack() as stack:
        for number in range(20):
            client = stack.enter_context(closing(run.raw()))
            client.sendall(b"GET /half-a-header HTTP/1.1\r\n" if number % 2 else b"")
        assert run.get("/healthz")[0].status == 200
        assert run.load.shed[CROWD] >= 12


def test_connections_at_work_are_not_closed_for_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "CONNECTIONS", 5)
    monkeypatch.setattr(server_module, "CROWD_SECONDS", 0.0)
    with running(threads=2) as run, ExitStack() as stack:
        working = [stack.enter_context(closing(run.connect())) for _ in range(2)]
        for connection in working:
            connection.request("GET", "/work")
            assert run.door.begun.acquire(timeout=WAIT_SECONDS)
        waiting = stack.enter_context(closing(run.connect()))
        waiting.request("GET", "/later")
        run.until(lambda: run.load.waiting == 1)
        stack.enter_context(closing(run.raw()))  # there is no place for it, and none to be made
        time.sleep(0.2)
        run.door.open.set()
        answers = [connection.getresponse().status for connection in (*working, waiting)]
        assert answers == [200, 200, 200]


def resident_kib(pid: int) -> int:
    lines = (Path("/proc") / str(pid) / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


@pytest.mark.slow
def test_memory_stays_flat(release: Path) -> None:
    """What an hour shows, in short: what requests leave behind grows with every round of them.

    What threads and allocators take for themselves does not.
    """
    kinds = [
        (SEVEN, "image/png", 200),
        (SEVEN[:200], "image/png", 400),
        (b"not a picture", "image/png", 415),
        (bytes(90_000), "image/gif", 415),
    ]
    statuses = Counter[int]()
    with worker(release, MAX_BODY_BYTES=100_000) as server, closing(server.connect()) as connection:

        def ask(count: int) -> int:
            for number in range(count):
                body, media_type, _ = kinds[number % len(kinds)]
                connection.request("POST", "/predict", body, {"Content-Type": media_type})
                answer = connection.getresponse()
                answer.read()
                statuses[answer.status] += 1
            return resident_kib(server.process.pid)

        resident = [ask(400) for _ in range(5)]
    assert statuses == {200: 500, 400: 500, 415: 1000}
    growth = [after - before for before, after in pairwise(resident)]
    assert min(growth) < 200, f"each request left over half a KiB: {growth}"
