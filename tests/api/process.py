"""Runs `python -m mnist_api` as a process of its own, as systemd or a person would."""

from __future__ import annotations

import http.client
import json
import os
import queue
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).resolve().parents[2]
START_SECONDS = 120
READY = r'"message": "ready", "address": "([^"]+)"'
AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3, inheritable=True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", "mnist_api"])
"""
"""What systemd does for a service with a socket: descriptor 3, and two variables."""


class Server:
    """A running process that serves; `lines` is what it has printed so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._arrived: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.address = ""

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            self._arrived.put(line)
        self._arrived.put(None)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Return the first match in a line that is printed from now on."""
        while True:
            line = self._arrived.get(timeout=START_SECONDS)
            assert line is not None, f"ended without {pattern}:\n{''.join(self.lines)}"
            if match := re.search(pattern, line):
                return match

    def log(self) -> list[dict[str, Any]]:
        """Return the lines that are JSON."""
        return [json.loads(line) for line in self.lines if line.startswith("{")]

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.address, timeout=60)

    def stop(self, seconds: float = 60) -> int:
        """Ask the process to stop, and return its exit status."""
        self.process.terminate()
        return self.wait(seconds)

    def wait(self, seconds: float = 60) -> int:
        status = self.process.wait(seconds)
        self._reader.join(seconds)
        return status


def environment(release: Path, **settings: Any) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MNIST_API_")}
    given = {f"MNIST_API_{name}": str(value) for name, value in settings.items()}
    return {**kept, "MNIST_API_RELEASE": str(release), **given}


@contextmanager
def started(
    command: list[str],
    env: dict[str, str],
    ready: str,
    pass_fds: tuple[int, ...] = (),
    stdin: int = subprocess.DEVNULL,
) -> Iterator[Server]:
    """Start a process and wait until it prints what `ready` matches; group 1 is its address."""
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=HOUSE,
        env=env,
        pass_fds=pass_fds,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        server = Server(process)
        try:
            server.address = server.wait_for(ready)[1]
            yield server
        finally:
            process.kill()
            server.wait()


@contextmanager
def worker(
    release: Path, listener: socket.socket | None = None, **settings: Any
) -> Iterator[Server]:
    """Serve a release, at a free port or on a socket as systemd passes it."""
    if listener:
        command = ["-c", AS_SYSTEMD, str(listener.fileno())]
        fds: tuple[int, ...] = (listener.fileno(),)
    else:
        command, fds = ["-m", "mnist_api"], ()
        settings = {"LISTEN": "127.0.0.1:0", **settings}
    with started(command, environment(release, **settings), READY, fds) as server:
        yield server


@contextmanager
def demo(release: Path, *options: str, **settings: Any) -> Iterator[Server]:
    """Serve page and API at a free port."""
    env = environment(release, **{"LISTEN": "127.0.0.1:0", **settings})
    with started(["-m", "mnist_api", "--demo", *options], env, r"http://([^/]+)/") as server:
        yield server
