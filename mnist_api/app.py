"""The WSGI application, composed of its parts."""

from __future__ import annotations

from pyramid.config import Configurator
from pyramid.events import NewResponse

from mnist_api.load import Load
from mnist_api.reader import Reader
from mnist_api.requests import ApiRequest
from mnist_api.settings import Settings
from mnist_api.views import Life

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
"""On every answer that does not set its own."""


def configure(
    settings: Settings, reader: Reader, life: Life | None = None, load: Load | None = None
) -> Configurator:
    """Compose what every application here has: log, figures, problems, and safe headers.

    A reload puts another reader into the registry: each request keeps to its `request.reader`.
    """
    config = Configurator()
    config.registry[Settings] = settings
    config.registry[Reader] = reader
    config.registry[Life] = life or Life()
    config.registry[Load] = load or Load()
    config.set_request_factory(ApiRequest)
    config.include("mnist_api.metrics")
    config.include("mnist_api.cors")
    config.include("mnist_api.logs")
    config.include("mnist_api.problems")
    config.add_subscriber(_set_headers, NewResponse)
    return config


def includeme(config: Configurator) -> None:
    """Add the API itself; a route prefix may stand before it."""
    config.include("mnist_api.views")


def _set_headers(event: NewResponse) -> None:
    for name, value in HEADERS.items():
        event.response.headers.setdefault(name, value)
