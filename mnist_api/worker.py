"""One process that serves: on one socket, until it is told to stop and has drained.

Stopping loses no request. The worker (1) is no longer ready, (2) accepts no new connection: those
that wait at a shared socket are for the other workers, those at an own socket are still taken,
(3) answers what it has, and what still comes on open connections, with `Connection: close`,
(4) closes the connections that have been silent for SILENCE_SECONDS, and (5) ends when none is
left, or at the latest after `drain_seconds`. A client that keeps connections for reuse must not
reuse one that has been idle for SILENCE_SECONDS; then none of its requests meets a closed one.

Where all workers of a host stop, no other takes over its socket. SIGUSR1 tells each of them so some
seconds before: it is no longer ready, and serves on until balancers have noticed and SIGTERM comes.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import time
from types import FrameType

from mnist_api.reload import Reloader
from mnist_api.server import Server
from mnist_api.views import Life

SILENCE_SECONDS = 2.0
"""How long an open connection may be silent while the worker stops."""

log = logging.getLogger(__name__)


class Worker:
    """Runs a server until it is told to stop."""

    def __init__(
        self, server: Server, reloader: Reloader, life: Life, drain_seconds: float, shared: bool
    ) -> None:
        """Prepare to serve.

        shared: whether other processes accept connections from the same socket, or will do so
        after this one.
        """
        self._server = server
        self._reloader = reloader
        self._life = life
        self._drain_seconds = drain_seconds
        self._shared = shared

    def handle_signals(self) -> None:
        """Let SIGTERM and SIGINT stop the worker from now on, a second SIGINT end it at once.

        SIGHUP makes it load its release anew; from a terminal that closes it ends the worker, as
        it does by itself. SIGUSR1 makes it say that it is not ready, and nothing else.
        """
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGUSR1, self._leave)
        if not os.isatty(0):
            signal.signal(signal.SIGHUP, self._reload)

    def run(self) -> None:
        """Serve until a signal stops the worker, then drain."""
        while not self._life.draining:
            self._server.turn(1.0)
            self._reloader.turn()
        self._drain()

    def _stop(self, number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._life.draining = True
        self._server.stopping = True
        self._server.pull_trigger()

    def _leave(self, _: int, __: FrameType | None) -> None:
        self._life.leaving = True

    def _reload(self, _: int, __: FrameType | None) -> None:
        self._reloader.ask()
        self._server.pull_trigger()

    def _drain(self) -> None:
        deadline = time.monotonic() + self._drain_seconds
        connections = self._server.active_channels
        log.info("stopping", extra={"fields": {"connections": len(connections)}})
        # Closing an own socket would reset the connections that still wait in its queue.
        while not self._shared and select.select([self._server.socket], [], [], 0)[0]:
            self._server.handle_accept()
        self._server.stop_accepting()
        while connections and time.monotonic() < deadline:
            silent = time.time() - SILENCE_SECONDS
            for channel in list(connections.values()):
                if channel.idle_since(silent):
                    channel.handle_close()
            self._server.turn(0.1)
        if connections:
            log.warning("time is up", extra={"fields": {"connections_cut": len(connections)}})
        self._server.close_all()
        log.info("stopped")
