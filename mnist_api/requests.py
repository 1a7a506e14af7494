"""A request, with what becomes known of it on its way."""

from __future__ import annotations

import secrets
import time
from typing import Any

from pyramid.decorator import reify
from pyramid.request import Request

from mnist_api.contract import Operation
from mnist_api.logs import REQUEST_ID
from mnist_api.reader import Reader, Seen

# Pyramid ships no types, so that mypy takes its classes for Any.
# mypy: disable-error-code="misc, untyped-decorator"


class ApiRequest(Request):
    """A request. began: time.perf_counter() at its beginning."""

    operation: Operation | None = None
    """What is asked, once that is known."""
    seen: Seen | None = None
    """What its picture shows, once that is known."""
    began = 0.0

    def __init__(self, environ: dict[str, Any], **more: Any) -> None:
        """Begin."""
        super().__init__(environ, **more)
        self.began = time.perf_counter()

    @reify
    def reader(self) -> Reader:
        """Read with the same release to the end, though a reload may bring another one."""
        reader: Reader = self.registry[Reader]
        return reader

    @reify
    def id(self) -> str:
        """Take the id that a proxy gave, or a new one."""
        given = self.environ.get("HTTP_X_REQUEST_ID", "")
        return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
