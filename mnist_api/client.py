"""Asks the API, from Python or from a shell; needs nothing but Python.

from mnist_api.client import Client
Client("http://localhost:8000/api").predict(Path("seven.png")).digit

python -m mnist_api.client seven.png drawings/ --url http://localhost:8000/api
"""

from __future__ import annotations

import base64
import dataclasses
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

URL = "http://localhost:8000/api"
"""Where `make demo` answers."""
MAGIC = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}
RETRIED = (429, 503)
"""Statuses that pass: too much was asked of the service, by this client or by all."""
DEFAULT_WAIT = 1.0
LONGEST_ANSWER = 4 * 2**20


class ClientError(Exception):
    """A picture was not read; the text says why in one sentence."""


class UnreachableError(ClientError):
    """Nobody answers at the address, or not as this API does."""


class RefusedError(ClientError):
    """The API refused a request. status: HTTP's. reason and limit: as the contract has them."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        """Take over what the API says."""
        super().__init__(str(problem.get("detail", f"status {status}")))
        self.status = status
        self.reason: str | None = problem.get("reason")
        self.limit: dict[str, Any] | None = problem.get("limit")


@dataclasses.dataclass(frozen=True)
class Box:
    """Where a digit stands, in pixels of the picture; right and bottom are just outside."""

    left: int
    top: int
    right: int
    bottom: int


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What a picture of one digit shows; pictures are PNG files, if they were asked for.

    confidence: the digit's probability, 0 to 1. probabilities: of the digits 0 to 9.
    alternatives: other digits and their probability, most probable first.
    """

    digit: int
    confidence: float
    probabilities: tuple[float, ...]
    certain: bool
    alternatives: tuple[tuple[int, float], ...]
    release: str
    milliseconds: float
    normalised: bytes | None = None
    saliency: bytes | None = None

    @property
    def text(self) -> str:
        """The digit as text."""
        return str(self.digit)


@dataclasses.dataclass(frozen=True)
class LineDigit:
    """One digit of a line."""

    digit: int
    confidence: float
    probabilities: tuple[float, ...]
    certain: bool
    box: Box
    normalised: bytes | None = None


@dataclasses.dataclass(frozen=True)
class Line:
    """What a picture of a line of digits shows. confidence: that all of it is right, 0 to 1."""

    text: str
    confidence: float
    certain: bool
    digits: tuple[LineDigit, ...]
    release: str
    milliseconds: float


@dataclasses.dataclass(frozen=True)
class Receipt:
    """With this, feedback can be taken back for an hour."""

    id: str
    undo: str


@dataclasses.dataclass(frozen=True)
class Client:
    """Asks one API; may be shared between threads.

    url: the API's address. timeout: seconds to wait for an answer. patience: seconds that it may
    take in all when the API asks to try again later (Retry-After); 0 never tries again.
    """

    url: str = URL
    timeout: float = 15
    patience: float = 30
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        """Check the address."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UnreachableError(f"{self.url} is no address; write it as http://HOST/api.")

    def predict(self, picture: bytes | Path, include: Collection[str] = ()) -> Prediction:
        """Read one digit. include: of `normalised` and `saliency`. Raises ClientError."""
        return prediction(self.predict_json(picture, include))

    def predict_json(self, picture: bytes | Path, include: Collection[str] = ()) -> dict[str, Any]:
        """Do the same, and return the answer as it came."""
        return self._post_picture("predict", picture, {"include": ",".join(include)})

    def read(
        self, picture: bytes | Path, length: int | None = None, include: Collection[str] = ()
    ) -> Line:
        """Read a line of digits; length: how many are expected. Raises ClientError."""
        return line(self.read_json(picture, length, include))

    def read_json(
        self, picture: bytes | Path, length: int | None = None, include: Collection[str] = ()
    ) -> dict[str, Any]:
        """Do the same, and return the answer as it came."""
        query = {"length": "" if length is None else str(length), "include": ",".join(include)}
        return self._post_picture("read", picture, query)

    def give_feedback(
        self, picture: bytes | Path, answer: Prediction | Line, right: str
    ) -> Receipt:
        """Tell what a picture really shows. Raises ClientError."""
        content = _content(picture)
        body = {
            "image": f"data:{_media_type(content)};base64,{base64.b64encode(content).decode()}",
            "kind": "line" if isinstance(answer, Line) else "digit",
            "said": answer.text,
            "right": right,
            "release": answer.release,
        }
        kept = self._ask("POST", "feedback", json.dumps(body).encode(), "application/json")
        return Receipt(kept["id"], kept["undo"])

    def undo_feedback(self, receipt: Receipt) -> None:
        """Take feedback back. Raises ClientError."""
        self._ask("DELETE", f"feedback/{quote(receipt.id, safe='')}?undo={quote(receipt.undo)}")

    def version(self) -> dict[str, Any]:
        """Return which API and which release answer. Raises ClientError."""
        return self._ask("GET", "version")

    def _post_picture(
        self, name: str, picture: bytes | Path, query: dict[str, str]
    ) -> dict[str, Any]:
        content = _content(picture)
        asked = urlencode({key: value for key, value in query.items() if value}, safe=",")
        return self._ask(
            "POST", f"{name}?{asked}" if asked else name, content, _media_type(content)
        )

    def _ask(
        self, method: str, path: str, body: bytes | None = None, media_type: str = ""
    ) -> dict[str, Any]:
        """Ask until there is an answer or the patience is over."""
        headers = {"Accept": "application/json", "Content-Type": media_type}
        address = f"{self.url.rstrip('/')}/{path}"
        until = time.monotonic() + self.patience
        while True:
            request = urllib.request.Request(  # noqa: S310 - the address was checked
                address, body, {key: text for key, text in headers.items() if text}, method=method
            )
            try:
                with urllib.request.urlopen(request, timeout=self.timeout) as answer:  # noqa: S310
                    return _json(answer.read(LONGEST_ANSWER))
            except urllib.error.HTTPError as error:
                with error:
                    refusal = RefusedError(error.code, _json(error.read(LONGEST_ANSWER)))
                wait = _seconds(error.headers.get("Retry-After"))
                if error.code not in RETRIED or time.monotonic() + wait > until:
                    raise refusal from None
            except (OSError, http.client.HTTPException) as error:
                why = getattr(error, "reason", error)
                raise UnreachableError(f"Nobody answers at {self.url}: {why}.") from error
            self.sleep(wait)


def prediction(answer: dict[str, Any]) -> Prediction:
    """Make a typed value of the API's answer to /predict."""
    return Prediction(
        digit=answer["digit"],
        confidence=answer["confidence"],
        probabilities=tuple(answer["probabilities"]),
        certain=answer["certain"],
        alternatives=tuple((one["digit"], one["confidence"]) for one in answer["alternatives"]),
        release=answer["release"],
        milliseconds=answer["milliseconds"],
        normalised=_file(answer.get("normalised")),
        saliency=_file(answer.get("saliency")),
    )


def line(answer: dict[str, Any]) -> Line:
    """Make a typed value of the API's answer to /read."""
    digits = tuple(
        LineDigit(
            digit=one["digit"],
            confidence=one["confidence"],
            probabilities=tuple(one["probabilities"]),
            certain=one["certain"],
            box=Box(**one["box"]),
            normalised=_file(one.get("normalised")),
        )
        for one in answer["digits"]
    )
    return Line(
        text=answer["text"],
        confidence=answer["confidence"],
        certain=answer["certain"],
        digits=digits,
        release=answer["release"],
        milliseconds=answer["milliseconds"],
    )


def _content(picture: bytes | Path) -> bytes:
    if isinstance(picture, bytes):
        return picture
    try:
        return picture.read_bytes()
    except OSError as error:
        raise ClientError(f"{picture} cannot be read: {error.strerror}.") from error


def _media_type(content: bytes) -> str:
    for magic, media_type in MAGIC.items():
        if content.startswith(magic):
            return media_type
    return "application/octet-stream"


def _file(url: str | None) -> bytes | None:
    return None if url is None else base64.b64decode(url.partition(",")[2])


def _json(content: bytes) -> dict[str, Any]:
    if not content:
        return {}
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UnreachableError("The answer is not this API's; is the address right?")
    return found


def _seconds(retry_after: str | None) -> float:
    return float(retry_after) if retry_after and retry_after.isdigit() else DEFAULT_WAIT


if __name__ == "__main__":
    import sys

    from mnist_api.client_command import main

    sys.exit(main())
