"""http://localhost:8080/ on the controller: the lab's frontend, so that a person can look.

The frontend is whichever running instance has a public address and groups that let the whole world
in on port 80; the lab knows nothing of roles.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable

from tests.lab import names
from tests.lab.model import Network, Rule
from tests.lab.names import LabError

NOBODY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    b"The lab has no frontend yet: no machine with a public address lets the world in on port 80.\n"
)


def frontend(network: Network) -> str | None:
    """Give the public address of the first host that lets 0.0.0.0/0 in on port 80."""
    open_groups = {g.id for g in network.groups if any(_is_open_web(rule) for rule in g.ingress)}
    for host in network.hosts:
        if host.public and open_groups.intersection(host.groups):
            return host.public
    return None


def _is_open_web(rule: Rule) -> bool:
    first, last = rule.ports or (0, 65535)
    return rule.cidr == "0.0.0.0/0" and rule.protocol in ("tcp", "-1") and first <= 80 <= last


def serve(find: Callable[[], str | None]) -> None:
    """Serve in threads of its own. Raises LabError if the port is taken."""
    try:
        listener = socket.create_server(("127.0.0.1", names.PAGE_PORT), backlog=128)
    except OSError as error:
        raise LabError(
            f"Port {names.PAGE_PORT} of this machine is taken, and the lab's page needs it: "
            f"stop what listens there (ss -ltnp 'sport = :{names.PAGE_PORT}')."
        ) from error
    threading.Thread(target=_accept, args=(listener, find), name="page", daemon=True).start()


def _accept(listener: socket.socket, find: Callable[[], str | None]) -> None:
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_relay, args=(client, find()), daemon=True).start()


def _relay(client: socket.socket, address: str | None) -> None:
    with client:
        try:
            if address is None:
                raise ConnectionRefusedError
            server = socket.create_connection((address, 80), 5)
        except OSError:
            client.recv(65536)
            client.sendall(NOBODY)
            return
        server.settimeout(None)
        with server:
            _pump(client, server)


def _pump(left: socket.socket, right: socket.socket) -> None:
    """Copy both ways until both sides have ended."""
    with selectors.DefaultSelector() as selector:
        selector.register(left, selectors.EVENT_READ, right)
        selector.register(right, selectors.EVENT_READ, left)
        while selector.get_map():
            for key, _ in selector.select():
                source, sink = key.fileobj, key.data
                try:
                    data = source.recv(65536)
                    sink.sendall(data) if data else sink.shutdown(socket.SHUT_WR)
                except OSError:
                    return
                if not data:
                    selector.unregister(source)
