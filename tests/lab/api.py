"""The AWS API over HTTP on the loopback: moto behind a check of the credentials."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

from tests.lab import names

Environ = dict[str, Any]
Refusal = tuple[str, str, str]
"""An error's code, its HTTP status and its message."""

ACCESS_DENIED: Refusal = ("AccessDenied", "403 Forbidden", "The lab has no policies to simulate.")
WRONG_KEY: dict[str, Refusal] = {
    "ec2": (
        "AuthFailure",
        "401 Unauthorized",
        "AWS was not able to validate the provided access credentials",
    ),
    "others": (
        "InvalidClientTokenId",
        "403 Forbidden",
        "The security token included in the request is invalid.",
    ),
}


class Api:
    """The WSGI application: one request at a time, credentials checked.

    `changed` is called with the action's name after each request that may have changed something.
    """

    def __init__(self, lock: threading.RLock, changed: Callable[[str], None]) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._lock, self._changed = lock, changed

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        if f"Credential={names.ACCESS_KEY}/" not in authorization:
            return _refuse(authorization, start_response)
        action = re.search(rb"(?:^|&)Action=(\w+)", body)
        verb = action[1].decode() if action else ""
        if verb == "SimulatePrincipalPolicy":  # the lab has no policies
            return _refuse(authorization, start_response, ACCESS_DENIED)
        with self._lock:
            answer = list(self._moto(environ, start_response))
            if not verb.startswith(("Describe", "Get", "List")):
                self._changed(verb)
        return answer


def _refuse(
    authorization: str, start_response: Callable[..., Any], refusal: Refusal | None = None
) -> list[bytes]:
    service = "ec2" if "/ec2/" in authorization or not authorization else "others"
    code, status, text = refusal or WRONG_KEY[service]
    error = f"<Error><Code>{code}</Code><Message>{text}</Message></Error>"
    body = {
        "ec2": f"<Response><Errors>{error}</Errors><RequestID>lab</RequestID></Response>",
        "others": f"<ErrorResponse>{error}<RequestId>lab</RequestId></ErrorResponse>",
    }[service].encode()
    start_response(status, [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))])
    return [body]


class _Handler(MotoRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing: the daemon logs what changes."""


def serve(api: Api) -> BaseWSGIServer:
    """Serve the API on the loopback in a thread of its own; give the server (`.port`)."""
    for port in (names.API_PORT, 0):
        try:
            server = make_server("127.0.0.1", port, api, threaded=True, request_handler=_Handler)
            break
        except (OSError, SystemExit):
            continue
    threading.Thread(target=server.serve_forever, name="api", daemon=True).start()
    return server
