"""Errors as `application/problem+json` (RFC 9457), with a detail that says what to do."""

from __future__ import annotations

import http
import json
import logging
from typing import Any

from pyramid.config import Configurator
from pyramid.exceptions import URLDecodeError
from pyramid.httpexceptions import HTTPException, HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response

from mnist_api import answers
from mnist_model.line import MOST_DIGITS, TooManyDigitsError
from mnist_model.normalise import NoDigitError, TooMuchInkError

MEDIA_TYPE = "application/problem+json"
BODY_BYTES = "body-bytes"
"""The name of the limit that a too large upload met."""

log = logging.getLogger(__name__)


class Problem(Exception):  # noqa: N818 - what RFC 9457 calls it
    """A request that is refused: an HTTP status, and a sentence that says what to do.

    headers go into the answer, members into its body beside the standard ones.
    """

    def __init__(
        self, status: int, detail: str, headers: dict[str, str] | None = None, **members: Any
    ) -> None:
        """Refuse with a status of 400 or above."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}
        self.members = members


def problem_body(status: int, detail: str, **members: Any) -> bytes:
    """Write a problem of no further type, which RFC 9457 then names after its HTTP status."""
    title = http.HTTPStatus(status).phrase
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return json.dumps(problem | members).encode()


def too_large(limit: int) -> str:
    """Say that an upload has over `limit` bytes."""
    return f"The upload is too large; send a picture of at most {limit} bytes."


def no_digit(error: NoDigitError) -> Problem:
    """Say why a picture that was decoded cannot be read."""
    if isinstance(error, TooManyDigitsError):
        detail = f"There are over {MOST_DIGITS} pieces of ink in this picture; send one line of at "
        detail += f"most {MOST_DIGITS} digits."
        limit = {"name": "digits", "most": MOST_DIGITS}
        return Problem(422, detail, reason="too-many-digits", limit=limit)
    if isinstance(error, TooMuchInkError):
        detail = "Nearly all of what is drawn is ink; draw the digit with strokes on free paper."
        return Problem(422, detail, reason="all-ink")
    detail = "Nothing is drawn in this picture; draw a digit and send it."
    return Problem(422, detail, reason="blank")


def includeme(config: Configurator) -> None:
    """Answer every exception, Pyramid's own too, with a problem."""
    config.add_exception_view(_refused, context=Problem)
    config.add_exception_view(_not_found, context=HTTPNotFound)
    config.add_exception_view(_other_http, context=HTTPException)
    config.add_exception_view(_bad_address, context=URLDecodeError)
    config.add_exception_view(_broken, context=Exception)


def _refused(problem: Problem, request: Request) -> Response:
    operation = request.operation
    if operation and "reading" in operation.tags and answers.preferred(request) == answers.HTML:
        title = http.HTTPStatus(problem.status).phrase
        response = answers.problem_page(problem.status, title, problem.detail)
    else:
        members = {"request": request.id, **problem.members}
        body = problem_body(problem.status, problem.detail, **members)
        response = Response(body=body, status=problem.status, content_type=MEDIA_TYPE)
    response.headers.update(problem.headers)
    return response


def _not_found(_: HTTPNotFound, request: Request) -> Response:
    known = ", ".join(request.registry["resources"])
    return _refused(
        Problem(404, f"There is nothing at this address; there is at {known}."), request
    )


def _other_http(error: HTTPException, request: Request) -> Response:
    return _refused(Problem(error.status_code, error.detail or error.explanation), request)


def _bad_address(_: URLDecodeError, request: Request) -> Response:
    return _refused(Problem(400, "The address is not valid UTF-8; encode it so."), request)


def _broken(error: Exception, request: Request) -> Response:
    log.error("request failed", exc_info=error, extra={"fields": {"request": request.id}})
    detail = "The request could not be answered; try again, and report this request if it persists."
    return _refused(Problem(500, detail), request)
