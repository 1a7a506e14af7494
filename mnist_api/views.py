"""What is at which address."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from mnist_api import problems
from mnist_api.pictures import check_media_type, decode
from mnist_api.problems import Problem
from mnist_api.reader import Reader
from mnist_api.settings import Settings
from mnist_model.normalise import NoInkError

View = Callable[[Request], dict[str, Any]]


@dataclasses.dataclass
class Life:
    """The process's state: draining is true from the signal to stop until its end."""

    draining: bool = False


def includeme(config: Configurator) -> None:
    """Add the API's addresses."""
    config.add_directive("add_resource", _add_resource)
    config.add_resource("/predict", predict, "POST")
    config.add_resource("/healthz", healthz, "GET")
    config.add_resource("/readyz", readyz, "GET")


def _add_resource(config: Configurator, path: str, view: View, method: str) -> None:
    """Put a view at an address, and 405 there for other methods. A GET view answers HEAD, too."""
    allowed = "GET, HEAD" if method == "GET" else method

    def not_allowed(_: Request) -> Response:
        detail = f"This address answers {allowed} only; ask again with that method."
        raise Problem(405, detail, headers={"Allow": allowed})

    name = path.strip("/")
    prefix = f"/{config.route_prefix}" if config.route_prefix else ""
    config.registry.setdefault("resources", []).append(prefix + path)
    config.add_route(name, path)
    config.add_view(view, route_name=name, request_method=method, renderer="json")
    config.add_view(not_allowed, route_name=name)


def predict(request: Request) -> dict[str, Any]:
    """Read the digit in the picture that is the request's body."""
    settings: Settings = request.registry[Settings]
    reader: Reader = request.reader
    media_type = check_media_type(request.headers)
    if (request.content_length or 0) > settings.max_body_bytes:
        raise Problem(413, problems.too_large(settings.max_body_bytes))
    picture = decode(request.body, media_type, settings.max_pixels)
    try:
        return dataclasses.asdict(reader.read(picture))
    except NoInkError:
        raise Problem(422, "Nothing is drawn in this picture; draw a digit and send it.") from None


def healthz(_: Request) -> dict[str, Any]:
    """Say that the process is alive."""
    return {"status": "alive"}


def readyz(request: Request) -> dict[str, Any]:
    """Say whether requests should be sent here: after a first prediction, and not while leaving."""
    reader: Reader = request.reader
    name = reader.release.name
    if request.registry[Life].draining:
        raise _not_ready("This process is stopping; ask another one.", name)
    if not reader.warm:
        raise _not_ready("This process is warming up; ask again in a second.", name)
    return {"status": "ready", "release": name}


def _not_ready(detail: str, release: str) -> Problem:
    return Problem(503, detail, headers={"Retry-After": "1"}, release=release)
