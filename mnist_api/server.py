"""Waitress's server with a door: what comes in is queued, answered at once, or turned away.

The I/O thread reads and writes for every connection, so that no slow client ever holds a thread.
A whole request is (1) answered at once on the I/O thread if it is refused or asks for the process's
state, so that those answers never wait; or (2) put into the queue, from which the threads take it.
If the queue is full, the one that has waited in it for the longest is turned away with 503, which
costs a small part of serving it. Under overload the queue then moves as fast as requests come, not
as slowly as they are served, and those that are served have waited less (drop from front: Lakshman,
Neidhardt and Ott, "The drop from front strategy in TCP and in TCP over ATM", INFOCOM 1996).
"""

from __future__ import annotations

import logging
import operator
import select
import socket
import time
from collections import Counter, deque
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from mnist_api import clients
from mnist_api.channels import Channel
from mnist_api.load import CROWD, QUEUE, RATE, Load
from mnist_api.rates import Rates
from mnist_api.settings import Settings
from mnist_api.sockets import BACKLOG

CONNECTIONS = 256
"""Connections held at once. Each may need two of the 1,024 file descriptors that select(2) can
watch: its own, and one for an upload that is on disk."""
CROWD_SECONDS = 1.0
"""When all are taken, one on which no request arrived for so long makes room for a new one."""
IN_MEMORY_BYTES = 64 * 2**10
"""Part of an unfinished upload that is kept in memory: slow clients must not fill it."""
IDLE_SECONDS = 30
"""Until a connection is closed on which nothing happens."""
TIDY_SECONDS = 1.0
"""How often slow connections are looked for."""
HEADER_BYTES = 16 * 2**10
AT_ONCE = frozenset({"healthz", "readyz", "metrics"})
"""Last parts of the addresses that tell the process's state: quick, and never queued or refused."""

log = logging.getLogger(__name__)

# Waitress ships no types, so that mypy takes its classes for Any.
# mypy: disable-error-code="misc"


class Server(TcpWSGIServer):
    """Accepts and serves connections of one listening socket, by one call of `turn` after another.

    stopping: whether every answer ends its connection.
    """

    channel_class = Channel
    stopping = False

    def __init__(self, app: Any, listener: socket.socket, settings: Settings, load: Load) -> None:
        """Listen, and start the threads."""
        self.load = load
        self.deadline_seconds = settings.deadline_milliseconds / 1000
        self.receive_seconds = settings.receive_seconds
        self.longest_queue = settings.queue
        self.requests_per_second = settings.requests_per_second
        self._trusted_proxies = settings.trusted_proxies
        self._rates: Rates | None = None
        if settings.requests_per_second:
            self._rates = Rates(
                settings.requests_per_second, settings.requests_at_once, settings.metrics
            )
        self._at_once: deque[Channel] = deque()
        self._told: Counter[str] = Counter()
        self._tidy_at = 0.0
        adjustments = Adjustments(
            sockets=[listener],
            threads=settings.threads,
            backlog=BACKLOG,
            connection_limit=CONNECTIONS,
            channel_timeout=IDLE_SECONDS,
            cleanup_interval=5,
            inbuf_overflow=IN_MEMORY_BYTES,
            log_socket_errors=False,
            max_request_header_size=HEADER_BYTES,
            # Waitress refuses a body of just this size, too.
            max_request_body_size=settings.max_body_bytes + 1,
            ident=None,
            # mnist_api.clients decides what to believe of X-Forwarded-For.
            clear_untrusted_proxy_headers=False,
        )
        threads = ThreadedTaskDispatcher()
        threads.set_thread_count(settings.threads)
        facts = (listener.family, listener.type, listener.proto, listener.getsockname())
        super().__init__(
            app,
            map={},
            _sock=listener,
            dispatcher=threads,
            adj=adjustments,
            sockinfo=facts,
            bind_socket=False,
        )

    def turn(self, seconds: float) -> None:
        """Wait for input or output, at most so long, and deal with it."""
        # Connections may be closed here only: the loop has looked at them before it waits.
        now = time.monotonic()
        if now >= self._tidy_at:
            self._tidy_at = now + TIDY_SECONDS
            self._tidy(now)
        if self.accepting and len(self._map) >= self.adj.connection_limit:
            self._make_room(now)
        wasyncore.loop(timeout=0 if self._at_once else seconds, map=self._map, count=1)
        while self._at_once:
            self._at_once.popleft().service()

    def add_task(self, channel: Channel) -> None:
        """Decide what becomes of a connection's whole request; quick, and under its lock."""
        request = channel.requests[0]
        queue = self.task_dispatcher.queue
        if request.error or request.path.rpartition("/")[2] in AT_ONCE:
            self._at_once.append(channel)
        elif self._rates and (wait := self._rates.wait(self._client(channel), time.monotonic())):
            request.wait = wait
            self._turn_away(channel, RATE)
        else:
            if len(queue) >= self.longest_queue:
                self._shed_oldest()
            request.queued = time.monotonic()
            self.task_dispatcher.add_task(channel)
            self.load.waiting = len(queue)

    def _shed_oldest(self) -> None:
        """Turn away what has waited for the longest, unless a thread has just taken it."""
        with self.task_dispatcher.lock:
            if not self.task_dispatcher.queue:
                return
            channel = self.task_dispatcher.queue.popleft()
        self._turn_away(channel, QUEUE)

    def _turn_away(self, channel: Channel, reason: str) -> None:
        request = channel.requests[0]
        request.queued, request.shed = 0.0, reason
        self.load.shed_one(reason)
        self._at_once.append(channel)

    def close_all(self) -> None:
        """End the threads and all connections."""
        self.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(self._map)
        if self._rates:
            self._rates.close()

    def stop_accepting(self) -> None:
        """Take no new connection any more; those that are open stay."""
        wasyncore.dispatcher.close(self)

    def _client(self, channel: Channel) -> str:
        forwarded = channel.requests[0].headers.get("X_FORWARDED_FOR", "")
        asked = {"REMOTE_ADDR": channel.addr[0], "HTTP_X_FORWARDED_FOR": forwarded}
        return clients.address(asked, self._trusted_proxies)

    def _tidy(self, now: float) -> None:
        """Give up what is too slow, and tell what was shed."""
        for channel in list(self.active_channels.values()):
            channel.expire(now, self.receive_seconds)
        if shed := self.load.shed - self._told:
            self._told = self.load.shed.copy()
            log.warning("requests shed", extra={"fields": dict(shed)})

    def _make_room(self, now: float) -> None:
        """Close the one on which a request has been waited for the longest, for a new one."""
        if not select.select([self.socket], [], [], 0)[0]:
            return
        silent = [
            (since, channel)
            for channel in self.active_channels.values()
            if (since := channel.silent_since()) is not None and now - since > CROWD_SECONDS
        ]
        if silent:
            _, channel = min(silent, key=operator.itemgetter(0))
            self.load.shed_one(CROWD)
            channel.handle_close()
