"""What is asked of the API, and who answers: one view for every operation of the contract."""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import time
from collections.abc import Callable
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from mnist_api import answers, bodies, contract, documentation, metrics, pictures
from mnist_api.contract import Operation
from mnist_api.feedback import views as feedback
from mnist_api.problems import Problem, no_digit
from mnist_api.reader import Reader, Seen
from mnist_api.settings import Settings
from mnist_model.normalise import NoDigitError

View = Callable[[Request, Operation, dict[str, Any]], Response]
"""Gets the request's checked query parameters."""

DISTRIBUTION = "mnist-on-aws"


@dataclasses.dataclass
class Life:
    """The process's state."""

    leaving: bool = False
    """It still serves, but its host is about to stop."""
    draining: bool = False
    """From the signal to stop until its end."""


def includeme(config: Configurator) -> None:
    """Put a view behind every operation of the contract, and 405 before all other methods."""
    prefix = f"/{config.route_prefix}" if config.route_prefix else ""
    paths: dict[str, dict[str, Operation]] = {}
    for operation in contract.operations():
        paths.setdefault(operation.path, {})[operation.method] = operation
    for path, methods in paths.items():
        name = next(iter(methods.values())).name
        config.registry.setdefault("resources", []).append(prefix + path)
        config.add_route(name, path)
        config.add_view(_dispatcher(methods), route_name=name)


def _dispatcher(methods: dict[str, Operation]) -> Callable[[Request], Response]:
    allowed = ", ".join((*methods, "HEAD") if "GET" in methods else methods)
    if "GET" in methods:
        methods = {**methods, "HEAD": methods["GET"]}

    def dispatch(request: Request) -> Response:
        operation = methods.get(request.method)
        if operation is None:
            detail = f"This address answers {allowed} only; ask again with that method."
            raise Problem(405, detail, headers={"Allow": allowed})
        request.operation = operation
        query = contract.check_query(request.environ.get("QUERY_STRING", ""), operation)
        return VIEWS[operation.name](request, operation, query)

    return dispatch


def predict(request: Request, operation: Operation, query: dict[str, Any]) -> Response:
    """Read the digit in the picture that a request carries."""
    upload = bodies.upload(request, operation)
    picture = pictures.decode(
        upload.content, upload.media_type, request.registry[Settings].max_pixels
    )
    try:
        seen = request.reader.read(picture, query.get("include", ()))
    except NoDigitError as error:
        raise no_digit(error) from None
    return _answer(request, seen, upload.bare)


def read(request: Request, operation: Operation, query: dict[str, Any]) -> Response:
    """Read the line of digits in the picture that a request carries."""
    upload = bodies.upload(request, operation)
    picture = pictures.decode(
        upload.content, upload.media_type, request.registry[Settings].max_pixels
    )
    try:
        seen = request.reader.read_line(picture, query.get("length"), query.get("include", ()))
    except NoDigitError as error:
        raise no_digit(error) from None
    return _answer(request, seen, upload.bare)


def _answer(request: Request, seen: Seen, bare: bool) -> Response:
    request.seen = seen
    took = (time.perf_counter() - request.began) * 1000
    return answers.reading(
        request, seen.text, {**seen.content, "milliseconds": round(took, 2)}, bare
    )


def healthz(_: Request, __: Operation, ___: dict[str, Any]) -> Response:
    """Say that the process is alive."""
    return answers.json_answer({"status": "alive"})


def readyz(request: Request, _: Operation, __: dict[str, Any]) -> Response:
    """Say whether requests should be sent here: after a first prediction, and not while leaving."""
    reader: Reader = request.reader
    name = reader.release.name
    life = request.registry[Life]
    if life.leaving or life.draining:
        raise _not_ready("This process is stopping; ask another one.", name)
    if not reader.warm:
        raise _not_ready("This process is warming up; ask again in a second.", name)
    return answers.json_answer({"status": "ready", "release": name})


def _not_ready(detail: str, release: str) -> Problem:
    return Problem(503, detail, headers={"Retry-After": "1"}, release=release)


def version(request: Request, _: Operation, __: dict[str, Any]) -> Response:
    """Say which program answers with which release."""
    manifest = request.reader.release.manifest
    tested = manifest["accuracy"]["test"]
    return answers.json_answer(
        {
            "api": _api_version(),
            "feedback": request.registry[Settings].feedback is not None,
            "release": {
                "name": manifest["name"],
                "created": manifest["created"],
                "accuracy": tested["accuracy"],
                "interval95": tested["interval95"],
                "parameters": manifest["network"]["parameters"],
                "files": {name: facts["sha256"] for name, facts in manifest["files"].items()},
            },
        }
    )


@functools.cache
def _api_version() -> str:
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:  # run from the sources
        return "source"


VIEWS: dict[str, View] = {
    "predict": predict,
    "predictAsInTheTutorial": predict,
    "read": read,
    "giveFeedback": feedback.give,
    "undoFeedback": feedback.undo,
    "healthz": healthz,
    "readyz": readyz,
    "version": version,
    "metrics": metrics.show,
    "docs": documentation.show,
    "contract": documentation.contract_file,
}
"""By the contract's operationId; a test compares the two."""
