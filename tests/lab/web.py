"""What the lab serves over HTTP at 203.0.113.254: the caller's address, and the installer.

GET /              the caller's address as text, like https://checkip.amazonaws.com
GET /anaconda.sh   the stand-in for Anaconda's installer (tests/lab/anaconda)
"""

from __future__ import annotations

import functools
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.lab import names

INSTALLER_PATH = "/anaconda.sh"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, installer: bytes, *args: object) -> None:
        self._installer = installer
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        pages = {"/": f"{self.client_address[0]}\n".encode(), INSTALLER_PATH: self._installer}
        body = pages.get(self.path.partition("?")[0])
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body or b"")

    do_HEAD = do_GET  # noqa: N815 (http.server's name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Write nothing."""


def serve(installer: bytes) -> None:
    """Serve in a thread of its own."""
    handler = functools.partial(_Handler, installer)
    server = ThreadingHTTPServer((names.CONTROLLER_ADDRESS, 80), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="web", daemon=True).start()


def environment(installer: bytes) -> dict[str, str]:
    """Give the settings that point playbooks here."""
    return {
        "NETWORK_CHECKIP_URL": f"http://{names.CONTROLLER_ADDRESS}/",
        "DEV_ANACONDA_URL": f"http://{names.CONTROLLER_ADDRESS}{INSTALLER_PATH}",
        "DEV_ANACONDA_SHA256": hashlib.sha256(installer).hexdigest(),
    }
