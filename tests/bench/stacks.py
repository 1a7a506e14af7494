"""The stacks that bench_api compares: how each is started, and what a request to it looks like."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.api.process import AS_SYSTEMD

HOUSE = Path(__file__).resolve().parents[2]
VENV = HOUSE / ".bench-venv"
BENCH_PYTHON = str(VENV / "bin" / "python")
START_SECONDS = 300
STOP_SECONDS = 20

APACHE = """
ServerRoot /usr/lib/apache2
PidFile {place}/apache.pid
ErrorLog {place}/apache.log
Listen 127.0.0.1:{port}
ServerName localhost
User www-data
Group www-data
LoadModule mpm_event_module modules/mod_mpm_event.so
StartServers 2
ThreadLimit 256
ThreadsPerChild 256
MaxRequestWorkers 512
MaxSpareThreads 512
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
ProxyPass /api/ http://127.0.0.1:{behind}/ ttl=1
"""
"""As the role's, but for TLS, files and the balancer's checks."""


Start = Callable[[ExitStack, int, dict[str, str]], None]


@dataclass(frozen=True)
class Stack:
    """A stack: its name, its processes that compute, and what is sent where.

    start: gets an ExitStack, a port and an environment; returns when the processes are started.
    """

    name: str
    processes: int
    path: str
    media_type: str
    body: Callable[[bytes], bytes]
    start: Start


def png(body: bytes) -> bytes:
    """Send the file as it is."""
    return body


def data_url(body: bytes) -> bytes:
    """Send the file as the tutorial's page does."""
    return b"data:image/png;base64," + base64.b64encode(body)


def in_json(body: bytes) -> bytes:
    """Send the file as JSON."""
    return json.dumps({"image": base64.b64encode(body).decode()}).encode()


def peer(
    *command: str, python: str = BENCH_PYTHON
) -> Callable[[ExitStack, int, dict[str, str]], None]:
    """Return what starts a peer; PORT in the command stands for the port."""

    def start(stack: ExitStack, port: int, env: dict[str, str]) -> None:
        words = [python, *(word.replace("PORT", str(port)) for word in command)]
        stack.enter_context(running(words, env))

    return start


def ours(workers: int) -> Start:
    """Return what starts this API, workers sharing a socket as with systemd."""

    def start(stack: ExitStack, port: int, env: dict[str, str]) -> None:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", port), backlog=1024))
        command = [sys.executable, "-c", AS_SYSTEMD, str(listener.fileno())]
        for _ in range(workers):
            stack.enter_context(running(command, env, (listener.fileno(),)))

    return start


def apache(workers: int) -> Start:
    """Return what starts this API behind Apache."""

    def start(stack: ExitStack, port: int, env: dict[str, str]) -> None:
        behind = free_port()
        ours(workers)(stack, behind, env)
        place = stack.enter_context(tempfile.TemporaryDirectory())
        config = Path(place) / "apache.conf"
        config.write_text(APACHE.format(place=place, port=port, behind=behind), encoding="utf-8")
        command = ["apache2", "-DFOREGROUND", "-f", str(config)]
        stack.enter_context(running(command, {**env, "APACHE_RUN_DIR": place}))

    return start


STACKS = {
    stack.name: stack
    for stack in (
        Stack(
            "tutorial: Flask's server, Keras predict",
            1,
            "/predict/",
            "text/plain",
            data_url,
            peer("-m", "tests.bench.peers.tutorial", "PORT", python=sys.executable),
        ),
        Stack(
            "Flask, Waitress, LiteRT",
            1,
            "/predict",
            "image/png",
            png,
            peer("-m", "tests.bench.peers.flask_waitress", "PORT"),
        ),
        *(
            Stack(
                f"FastAPI, uvicorn, ONNX Runtime{' (2)' * (count > 1)}",
                count,
                "/predict",
                "image/png",
                png,
                peer("-m", "tests.bench.peers.fastapi_uvicorn", "PORT", str(count)),
            )
            for count in (1, 2)
        ),
        Stack(
            "LitServe, LiteRT",
            1,
            "/predict",
            "application/json",
            in_json,
            peer("-m", "tests.bench.peers.lit_serve", "PORT"),
        ),
        Stack(
            "BentoML, LiteRT",
            1,
            "/predict",
            "application/json",
            in_json,
            peer(
                *("-m", "bentoml", "serve", "tests.bench.peers.bento:Digits"),
                *("--host", "127.0.0.1", "--port", "PORT"),
            ),
        ),
        Stack("this API", 1, "/predict", "image/png", png, ours(1)),
        Stack("this API (2)", 2, "/predict", "image/png", png, ours(2)),
        Stack("this API (2), behind Apache", 2, "/api/predict", "image/png", png, apache(2)),
    )
}


def missing(stack: Stack) -> str:
    """Say what is not installed that a stack needs; nothing if it can run."""
    if "Apache" in stack.name and not shutil.which("apache2"):
        return "apache2 is not installed (apt-get install apache2)"
    return ""


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextmanager
def running(
    command: list[str], env: dict[str, str], fds: tuple[int, ...] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process in a group of its own, and end all of the group."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, cwd=HOUSE, env=env, pass_fds=fds, stdout=log, stderr=log, process_group=0
        )
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            # What it left behind is in its group, and in no other.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def ask(port: int, stack: Stack, body: bytes) -> bytes:
    """Send a request; return its answer. Raises OSError."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{stack.path}", body, {"Content-Type": stack.media_type}
    )
    with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:  # noqa: S310
        return bytes(answer.read())


@contextmanager
def started(stack: Stack, env: dict[str, str], picture: bytes) -> Iterator[tuple[int, float]]:
    """Start a stack; give its port, and the seconds until its first answer."""
    port = free_port()
    with ExitStack() as processes:
        begun = time.monotonic()
        stack.start(processes, port, env)
        while True:
            try:
                ask(port, stack, stack.body(picture))
                break
            except (OSError, urllib.error.URLError) as error:
                if time.monotonic() - begun > START_SECONDS:
                    raise TimeoutError(f"{stack.name} does not answer: {error}") from error
                time.sleep(0.005)
        yield port, time.monotonic() - begun
