"""The VPCs' resolver at 169.254.169.253: hands questions on to the controller's own resolvers.

It listens inside the router's namespace and asks from the root namespace, so that a machine can
resolve names without a way out, as on AWS.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from tests.lab import names, real
from tests.lab.system import in_namespace

SECONDS = 3.0
Seen = Callable[[set[str]], None]


def serve(seen: Seen) -> None:
    """Answer over UDP and TCP in threads of their own.

    `seen` is called, before an answer is passed on, with the real addresses of the lab's public
    range that it names.
    """
    udp = in_namespace(names.ROUTER, lambda: _bound(socket.SOCK_DGRAM))
    tcp = in_namespace(names.ROUTER, lambda: _bound(socket.SOCK_STREAM))
    tcp.listen()
    threading.Thread(target=_serve_udp, args=(udp, seen), name="dns-udp", daemon=True).start()
    threading.Thread(target=_serve_tcp, args=(tcp, seen), name="dns-tcp", daemon=True).start()


def _bound(kind: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, kind)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((names.DNS_ADDRESS, 53))
    return listener


def _resolvers() -> list[str]:
    text = Path("/etc/resolv.conf").read_text()
    return re.findall(r"^nameserver\s+(\d+\.\d+\.\d+\.\d+)", text, re.M)


def _serve_udp(listener: socket.socket, seen: Seen) -> None:
    while True:
        question, client = listener.recvfrom(4096)
        job = (listener, question, client, seen)
        threading.Thread(target=_ask_udp, args=job, daemon=True).start()


def _ask_udp(listener: socket.socket, question: bytes, client: tuple[str, int], seen: Seen) -> None:
    for resolver in _resolvers():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as upstream:
            upstream.settimeout(SECONDS)
            try:
                upstream.connect((resolver, 53))
                upstream.send(question)
                answer = upstream.recv(4096)
                seen(real.in_answer(answer))
                listener.sendto(answer, client)
            except OSError:
                continue
            return
    listener.sendto(failure(question), client)


def failure(question: bytes) -> bytes:
    """The answer that there is none now (SERVFAIL), so that nobody waits for one."""
    return question[:2] + b"\x81\x82" + question[4:]


def _serve_tcp(listener: socket.socket, seen: Seen) -> None:
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_ask_tcp, args=(client, seen), daemon=True).start()


def _ask_tcp(client: socket.socket, seen: Seen) -> None:
    """Relay one connection's questions and answers: each is a length and a message."""
    with client:
        client.settimeout(SECONDS)
        for resolver in _resolvers():
            try:
                with socket.create_connection((resolver, 53), SECONDS) as upstream:
                    while message := _message(client):
                        upstream.sendall(message)
                        answer = _message(upstream)
                        seen(real.in_answer(answer))
                        client.sendall(answer)
                return
            except OSError:
                continue


def _message(connection: socket.socket) -> bytes:
    head = connection.recv(2, socket.MSG_WAITALL)
    return head + connection.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL) if head else b""
