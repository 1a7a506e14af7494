"""The process as systemd and clients see it: sockets, limits, and an end that loses nothing."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.api.contract import check_answer
from tests.api.process import Server, worker
from tests.browser.drawing import DIGITS, encoded, picture

SEVEN = encoded(picture(DIGITS[7]))
PNG = {"Content-Type": "image/png"}


@pytest.fixture(scope="module")
def server(release: Path) -> Iterator[Server]:
    with worker(release, MAX_BODY_BYTES=100_000) as server:
        yield server


def ask(
    server: Server, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    with closing(server.connect()) as connection:
        connection.request(method, path, body, {**PNG, **headers})
        answer = connection.getresponse()
        return answer, answer.read()


def test_serves(server: Server) -> None:
    answer, body = ask(server, "POST", "/predict", SEVEN)
    assert (answer.status, json.loads(body)["digit"]) == (200, 7)
    assert answer.headers["Server"] is None


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_head_has_no_body_on_the_wire(server: Server, path: str) -> None:
    with closing(socket.create_connection(server.address.split(":"))) as client:
        client.sendall(f"HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        raw = client.makefile("rb").read()
    assert raw.startswith(b"HTTP/1.1 200 OK\r\n")
    assert raw.endswith(b"\r\n\r\n")


def test_an_upload_of_the_largest_size_is_read_and_one_byte_more_is_not(server: Server) -> None:
    padded = SEVEN + bytes(100_000 - len(SEVEN))
    assert ask(server, "POST", "/predict", padded)[0].status == 200
    assert ask(server, "POST", "/predict", padded + b"\0")[0].status == 413


@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_sends_far_too_much_still_reads_why(server: Server, chunked: bool) -> None:
    with closing(server.connect()) as connection:
        body = iter([bytes(2**16)] * 100) if chunked else bytes(100 * 2**16)
        try:
            connection.request("POST", "/predict", body, PNG, encode_chunked=chunked)
        except ConnectionError:
            pytest.fail("the connection was reset before the answer could be read")
        answer = connection.getresponse()
        said = answer.read()
    check_answer("POST", "/predict", answer.status, str(answer.headers.get_content_type()), said)
    assert answer.status == 413
    assert "at most 100000 bytes" in json.loads(said)["detail"]


def test_what_is_no_http_is_refused_as_a_problem(server: Server) -> None:
    with closing(socket.create_connection(server.address.split(":"))) as client:
        client.sendall(b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n")
        head, _, body = client.makefile("rb").read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in head
    assert json.loads(body)["detail"] == "The request is not valid HTTP: Content-Length is invalid."


def test_a_long_header_is_refused_with_its_limit(server: Server) -> None:
    answer, body = ask(server, "GET", "/healthz", Cookie="x" * 20_000)
    assert answer.status == 431
    assert "at most 16384 bytes" in json.loads(body)["detail"]


def test_the_log_is_json_on_stdout(server: Server) -> None:
    ask(server, "POST", "/predict", SEVEN, **{"X-Request-Id": "find-me"})
    deadline = time.monotonic() + 10
    while not any("find-me" in line for line in server.lines):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    [entry] = [entry for entry in server.log() if entry.get("request") == "find-me"]
    assert entry["status"] == 200
    assert entry["level"] == "info"


def test_never_imports_tensorflow_and_stays_small(server: Server) -> None:
    for _ in range(20):
        ask(server, "POST", "/predict", SEVEN)
    process = Path("/proc") / str(server.process.pid)
    assert "tensorflow" not in (process / "maps").read_text()
    [resident] = [x for x in (process / "status").read_text().splitlines() if "VmHWM" in x]
    assert int(resident.split()[1]) < 110 * 1024


def test_the_readiness_of_a_service_is_told_to_systemd(release: Path, tmp_path: Path) -> None:
    name = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        manager.settimeout(60)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("NOTIFY_SOCKET", name)
            with worker(release) as server:
                assert manager.recv(100) == b"READY=1"
                assert ask(server, "GET", "/readyz")[0].status == 200


def test_takes_the_socket_that_systemd_passes(release: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with worker(release, listener) as server:
            assert server.address == f"127.0.0.1:{port}"
            assert ask(server, "POST", "/predict", SEVEN)[0].status == 200
            assert server.stop() == 0
            # The socket outlives the worker: a client waits there for the next one.
            with closing(server.connect()) as client:
                client.request("GET", "/readyz")
                with worker(release, listener):
                    assert client.getresponse().status == 200


class Load(threading.Thread):
    """A client that asks again and again; what went wrong is in `failures`."""

    def __init__(self, server: Server, keep_alive: bool, pause: float = 0) -> None:
        super().__init__()
        self.server, self.keep_alive, self.pause = server, keep_alive, pause
        self.answered = Counter[int]()
        self.failures: list[str] = []
        self.releases: list[str] = []
        self.done = threading.Event()

    def run(self) -> None:
        connection = self.server.connect()
        while not self.done.wait(self.pause):
            try:
                connection.request("POST", "/predict", SEVEN, PNG)
                answer = connection.getresponse()
                said = json.loads(answer.read())
                self.answered[answer.status] += 1
                self.releases.append(said.get("release"))
                if said.get("digit") != 7:
                    self.failures.append(f"{answer.status}: read {said}")
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
            if not self.keep_alive:
                connection.close()
        connection.close()


@pytest.mark.slow
def test_workers_are_replaced_under_load_without_a_failed_request(release: Path) -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        workers = [stack.enter_context(worker(release, listener)) for _ in range(2)]
        # A pause below the grace for silent connections, as of a proxy that keeps a few open.
        loads = [
            Load(workers[0], keep, pause) for keep in (True, False) for pause in (0, 0.01, 0.5)
        ]
        for load in loads:
            load.start()
        statuses = []
        for old in workers:
            time.sleep(1)
            stack.enter_context(worker(release, listener))
            statuses.append(old.stop())
        time.sleep(1)
        for load in loads:
            load.done.set()
            load.join()
        assert statuses == [0, 0]
        assert [failure for load in loads for failure in load.failures] == []
        assert all(load.answered[200] > 2 for load in loads)
        ended = [old.log()[-1] for old in workers]
        assert [entry["message"] for entry in ended] == ["stopped", "stopped"]


def test_a_request_that_is_under_way_is_answered_and_its_connection_closed(release: Path) -> None:
    with worker(release) as server, closing(server.connect()) as connection:
        connection.request("GET", "/readyz")
        assert connection.getresponse().read()
        connection.putrequest("POST", "/predict")
        connection.putheader("Content-Type", "image/png")
        connection.putheader("Content-Length", str(len(SEVEN)))
        connection.endheaders(SEVEN[:100])
        time.sleep(0.2)
        server.process.terminate()
        server.wait_for('"stopping"')
        time.sleep(3)
        connection.send(SEVEN[100:])
        answer = connection.getresponse()
        assert json.loads(answer.read())["digit"] == 7
        assert answer.headers["Connection"] == "close"
        assert server.wait() == 0


def test_while_stopping_an_open_connection_hears_that_it_is_not_ready(release: Path) -> None:
    with worker(release) as server, closing(server.connect()) as connection:
        connection.request("GET", "/readyz")
        assert connection.getresponse().read()
        server.process.terminate()
        server.wait_for('"stopping"')
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        assert answer.status == 503
        assert answer.headers["Connection"] == "close"
        assert json.loads(answer.read())["release"] == release.name
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(server.address.split(":")).close()
        assert server.wait() == 0


def test_told_that_its_host_will_stop_it_serves_on_but_is_not_ready(release: Path) -> None:
    with worker(release) as server:
        assert ask(server, "GET", "/readyz")[0].status == 200
        server.process.send_signal(signal.SIGUSR1)
        assert ask(server, "GET", "/readyz")[0].status == 503
        answer, body = ask(server, "POST", "/predict", SEVEN)
        assert (answer.status, json.loads(body)["digit"]) == (200, 7)
        assert answer.headers["Connection"] is None
        assert server.stop() == 0


def test_connections_that_wait_at_an_own_socket_are_taken_before_it_closes(release: Path) -> None:
    with worker(release, QUEUE=20) as server, ExitStack() as stack:
        server.process.send_signal(signal.SIGSTOP)
        waiting = [stack.enter_context(closing(server.connect())) for _ in range(20)]
        for connection in waiting:
            connection.request("POST", "/predict", SEVEN, PNG)
        server.process.terminate()
        server.process.send_signal(signal.SIGCONT)
        answers = [connection.getresponse() for connection in waiting]
        assert [json.loads(answer.read())["digit"] for answer in answers] == [7] * 20
        assert server.wait() == 0


def test_silent_connections_hold_the_end_up_only_for_their_grace(release: Path) -> None:
    with worker(release) as server, ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(closing(socket.create_connection(server.address.split(":"))))
        assert ask(server, "GET", "/healthz")[0].status == 200
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 10


def test_a_request_that_never_ends_is_cut_at_the_limit(release: Path) -> None:
    with worker(release, DRAIN_SECONDS=3) as server, closing(server.connect()) as connection:
        connection.putrequest("POST", "/predict")
        connection.putheader("Content-Length", "1000")
        connection.endheaders(b"half")
        assert ask(server, "GET", "/healthz")[0].status == 200
        started = time.monotonic()
        assert server.stop() == 0
        assert 2 < time.monotonic() - started < 10
        assert any(entry.get("connections_cut") == 1 for entry in server.log())


def test_ctrl_c_stops_as_sigterm_does(release: Path) -> None:
    with worker(release) as server:
        server.process.send_signal(signal.SIGINT)
        assert server.wait() == 0
