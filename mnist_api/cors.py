"""Which other pages' scripts may ask from a browser: those whose origin is in the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.tweens import EXCVIEW

from mnist_api.settings import Settings

PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "Content-Type, X-Request-Id",
    "Access-Control-Max-Age": "600",
}
LOGGER = "mnist_api.logs.request_logger"
EXPOSED = "Retry-After, X-Request-Id"

Handler = Callable[[Request], Response]


def includeme(config: Configurator) -> None:
    """Answer origins that are listed; without a list there is nothing to do."""
    if config.registry[Settings].cors_origins:
        config.add_tween(f"{__name__}.sharer", under=LOGGER, over=EXCVIEW)


def sharer(handler: Handler, registry: Any) -> Handler:
    """Say to the browser of a listed origin that the answer may be read there."""
    origins = registry[Settings].cors_origins

    def shared(request: Request) -> Response:
        origin = request.environ.get("HTTP_ORIGIN", "")
        listed = origin in origins
        asks_first = "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.environ
        if listed and request.method == "OPTIONS" and asks_first:
            response = Response(status=204)
            response.headers.update(PREFLIGHT)
        else:
            response = handler(request)
        response.headers["Vary"] = "Origin"
        if listed:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
        return response

    return shared
