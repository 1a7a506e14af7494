"""Another release is put into service while requests are answered."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import socket
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.api.process import READY, Server, environment, started, worker
from tests.api.releases import another, damage, point
from tests.api.test_serving import Load, ask

LOADED = '"release loaded"'


@pytest.fixture
def link(release: Path, tmp_path: Path) -> Path:
    link = tmp_path / "release"
    point(link, release)
    return link


def serves(server: Server) -> str:
    answer, body = ask(server, "GET", "/readyz")
    assert answer.status == 200
    return str(json.loads(body)["release"])


@pytest.mark.slow
def test_a_release_is_swapped_under_load_without_a_failed_request(
    release: Path, link: Path, tmp_path: Path
) -> None:
    new = another(release, tmp_path, "2026-02-01T00:00:00Z")
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        workers = [stack.enter_context(worker(link, listener)) for _ in range(2)]
        loads = [Load(workers[0], keep, pause) for keep in (True, False) for pause in (0, 0.01)]
        for load in loads:
            load.start()
        time.sleep(0.5)
        point(link, new)
        for server in workers:
            server.wait_for(LOADED)
        time.sleep(0.5)
        for load in loads:
            load.done.set()
            load.join()
        assert [failure for load in loads for failure in load.failures] == []
        assert all(load.answered[200] > 2 for load in loads)
        releases = [load.releases for load in loads if load.keep_alive and not load.pause]
        assert [set(names) for names in releases] == [{release.name, new.name}]
        assert {serves(workers[0]) for _ in range(4)} == {new.name}


def test_sighup_loads_what_the_path_holds_now(release: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    shutil.copytree(release, place)
    new = another(release, tmp_path, "2026-02-01T00:00:00Z")
    with worker(place) as server:
        for file in new.rglob("*"):
            if file.is_file():
                shutil.copyfile(file, place / file.relative_to(new))
        server.process.send_signal(signal.SIGHUP)
        server.wait_for(LOADED)
        assert serves(server) == new.name
        assert server.stop() == 0


def test_a_terminal_that_closes_ends_the_process_as_ever(release: Path) -> None:
    ours, its = pty.openpty()
    env = environment(release, LISTEN="127.0.0.1:0")
    try:
        with started(["-m", "mnist_api"], env, READY, stdin=its) as server:
            server.process.send_signal(signal.SIGHUP)
            assert server.wait() == -signal.SIGHUP
    finally:
        os.close(ours)
        os.close(its)


def test_a_release_that_does_not_work_changes_nothing_but_the_log(
    release: Path, link: Path, tmp_path: Path
) -> None:
    new = another(release, tmp_path, "2026-02-01T00:00:00Z")
    model = damage(new)
    with worker(link) as server, closing(server.connect()) as connection:
        connection.request("GET", "/healthz")
        assert connection.getresponse().read()
        point(link, new)
        server.wait_for("release not changed")
        [entry] = [entry for entry in server.log() if entry["level"] == "error"]
        assert entry["message"].startswith(f"release not changed, {release.name} goes on serving")
        assert model.name in entry["message"]
        assert re.search(r"\.$", entry["message"])
        assert "exception" not in entry
        assert serves(server) == release.name
        # Mended, it is taken when the process is asked to.
        shutil.copyfile(release / model.name, model)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for(LOADED)
        assert serves(server) == new.name
        # The connection of before the swap goes on, too.
        connection.request("GET", "/readyz")
        assert json.loads(connection.getresponse().read())["release"] == new.name


def test_a_path_that_leads_nowhere_is_waited_for(release: Path, link: Path, tmp_path: Path) -> None:
    new = another(release, tmp_path, "2026-02-01T00:00:00Z")
    with worker(link) as server:
        link.unlink()
        time.sleep(1.5)
        assert serves(server) == release.name
        assert [entry for entry in server.log() if entry["level"] == "error"] == []
        point(link, new)
        server.wait_for(LOADED)
        assert serves(server) == new.name
