"""One process that serves: Waitress on one socket, until it is told to stop and has drained.

Stopping loses no request. The worker (1) is no longer ready, (2) accepts no new connection: those
that wait at a shared socket are for the other workers, those at an own socket are still taken,
(3) answers what it has, and what still comes on open connections, with `Connection: close`,
(4) closes the connections that have been silent for SILENCE_SECONDS, and (5) ends when none is
left, or at the latest after `drain_seconds`. A client that keeps connections for reuse must not
reuse one that has been idle for SILENCE_SECONDS; then none of its requests meets a closed one.
"""

from __future__ import annotations

import logging
import select
import signal
import socket
import time
from types import FrameType
from typing import Any

import waitress
from waitress import wasyncore

from mnist_api.channels import Channel
from mnist_api.settings import Settings
from mnist_api.sockets import BACKLOG
from mnist_api.views import Life

SILENCE_SECONDS = 2.0
"""How long an open connection may be silent while the worker stops."""
CONNECTIONS = 256
"""Connections held at once; further ones wait in the socket's queue. Each may need two of the 1,024
file descriptors that select(2) can watch: its own, and one for an upload that is on disk."""
IN_MEMORY_BYTES = 64 * 2**10
"""Part of an unfinished upload that is kept in memory: slow clients must not fill it."""
CHANNEL_TIMEOUT = 30
"""Seconds until a connection is closed on which nothing happens."""
HEADER_BYTES = 16 * 2**10

log = logging.getLogger(__name__)


class Worker:
    """Serves an application on a listening socket."""

    def __init__(
        self, app: Any, listener: socket.socket, settings: Settings, life: Life, shared: bool
    ) -> None:
        """Prepare to serve.

        shared: whether other processes accept connections from the same socket, or will do so
        after this one.
        """
        self._life = life
        self._shared = shared
        self._drain_seconds = settings.drain_seconds
        self._map: dict[int, Any] = {}
        self._server = waitress.create_server(
            app,
            map=self._map,
            sockets=[listener],
            threads=settings.threads,
            backlog=BACKLOG,
            connection_limit=CONNECTIONS,
            channel_timeout=CHANNEL_TIMEOUT,
            cleanup_interval=5,
            inbuf_overflow=IN_MEMORY_BYTES,
            log_socket_errors=False,
            max_request_header_size=HEADER_BYTES,
            # Waitress refuses a body of just this size, too.
            max_request_body_size=settings.max_body_bytes + 1,
            ident=None,
        )
        self._server.channel_class = Channel
        self._server.stopping = False

    def handle_signals(self) -> None:
        """Let SIGTERM and SIGINT stop the worker, from now on; a second SIGINT ends it at once."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)

    def run(self) -> None:
        """Serve until a signal stops the worker, then drain."""
        while not self._life.draining:
            self._turn(1.0)
        self._drain()

    def _stop(self, number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._life.draining = True
        self._server.stopping = True
        self._server.pull_trigger()

    def _turn(self, seconds: float) -> None:
        """Wait for input or output, at most so long, and deal with it."""
        wasyncore.loop(timeout=seconds, map=self._map, count=1)

    def _drain(self) -> None:
        deadline = time.monotonic() + self._drain_seconds
        connections = self._server.active_channels
        log.info("stopping", extra={"fields": {"connections": len(connections)}})
        self._stop_accepting()
        while connections and time.monotonic() < deadline:
            silent = time.time() - SILENCE_SECONDS
            for channel in list(connections.values()):
                if channel.idle_since(silent):
                    channel.handle_close()
            self._turn(0.1)
        if connections:
            log.warning("time is up", extra={"fields": {"connections_cut": len(connections)}})
        self._server.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map)
        log.info("stopped")

    def _stop_accepting(self) -> None:
        # Closing an own socket would reset the connections that still wait in its queue.
        while not self._shared and select.select([self._server.socket], [], [], 0)[0]:
            self._server.handle_accept()
        wasyncore.dispatcher.close(self._server)
