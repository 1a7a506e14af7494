"""The instance metadata service at 169.254.169.254, version 2: a small part of what EC2's tells.

It listens in the router's namespace and knows the asking instance by its private address.
"""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.lab import aws, names
from tests.lab.system import in_namespace

Find = Callable[[str], "aws.Instance | None"]
TOKEN = "X-aws-ec2-metadata-token"  # noqa: S105
TTL = "X-aws-ec2-metadata-token-ttl-seconds"
MOST_SECONDS = 21600


def tree(instance: aws.Instance) -> dict[str, str]:
    """Give what an instance may know about itself, by path below /latest/meta-data/."""
    nic = instance.nics[0]
    known = {
        "ami-id": instance.image_id,
        "hostname": instance.private_dns_name,
        "instance-id": instance.id,
        "instance-type": instance.instance_type,
        "local-hostname": instance.private_dns_name,
        "local-ipv4": nic.private_ip_address,
        "mac": nic.mac_address,
        "placement/availability-zone": instance.availability_zone,
        "placement/region": instance.region_name,
        "public-ipv4": nic.public_ip,
        "public-keys/0/openssh-key": aws.public_key(instance).strip(),
        "security-groups": "\n".join(group.name for group in nic._group_set),
    }
    return {path: value for path, value in known.items() if value}


def lookup(known: dict[str, str], path: str) -> str | None:
    """Give a value, or a directory's entries; None if there is no such path."""
    if path in known:
        return known[path]
    below = path.rstrip("/") + "/" if path.strip("/") else ""
    rest = [key.removeprefix(below) for key in known if key.startswith(below)]
    return "\n".join(sorted({_entry(key) for key in rest})) or None


def _entry(path: str) -> str:
    first, slash, _ = path.partition("/")
    return f"{first}{slash}"


class Server(ThreadingHTTPServer):
    """The service; `find` gives the instance with a private address."""

    daemon_threads = True

    def __init__(self, find: Find) -> None:
        super().__init__((names.METADATA_ADDRESS, 80), Handler, bind_and_activate=False)
        self.find = find
        self.tokens: dict[str, tuple[str, float]] = {}  # who asked for it, and until when it holds
        self.socket.close()
        self.socket = in_namespace(names.ROUTER, socket.socket)
        self.server_bind()
        self.server_activate()

    def server_bind(self) -> None:
        """Bind without HTTPServer's look-up of the address's name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = names.METADATA_ADDRESS, 80


class Handler(BaseHTTPRequestHandler):
    """One request of an instance."""

    server: Server

    def do_PUT(self) -> None:
        seconds = self.headers.get(TTL, "")
        instance = self._instance()
        if instance is None:
            return
        lasts = int(seconds) if seconds.isdigit() else 0
        if self.path != "/latest/api/token" or not 1 <= lasts <= MOST_SECONDS:
            self._answer(400)
        else:
            token = secrets.token_urlsafe(40)
            self.server.tokens[token] = (instance.id, time.monotonic() + lasts)
            self._answer(200, token)

    def do_GET(self) -> None:
        instance = self._instance()
        if instance is None:
            return
        given = self.headers.get(TOKEN)
        holder, until = self.server.tokens.get(given or "", ("", 0.0))
        valid = holder == instance.id and time.monotonic() < until
        needed = given or instance.metadata_options.http_tokens == "required"
        if needed and not valid:
            self._answer(401)
        elif not self.path.startswith("/latest/meta-data"):
            self._answer(404)
        else:
            found = lookup(tree(instance), self.path.removeprefix("/latest/meta-data").lstrip("/"))
            self._answer(404 if found is None else 200, found or "")

    def _instance(self) -> aws.Instance | None:
        instance = self.server.find(self.client_address[0])
        if instance is None or instance.metadata_options.http_endpoint == "disabled":
            self._answer(403)
            return None
        return instance

    def _answer(self, status: int, text: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Write nothing."""


def serve(find: Find) -> None:
    """Serve in threads of its own."""
    server = Server(find)
    threading.Thread(target=server.serve_forever, name="metadata", daemon=True).start()
