"""Takes feedback, and takes it back."""

from __future__ import annotations

import io
import logging
import sqlite3
from typing import Any

from PIL import Image
from pyramid.request import Request
from pyramid.response import Response

from mnist_api import answers, bodies, clients, pictures
from mnist_api.contract import Operation, check_body
from mnist_api.feedback.store import Drawing, FullError, Store, TooManyError
from mnist_api.problems import Problem, no_digit
from mnist_api.settings import Settings
from mnist_model.ink import Ink, ink_from_image
from mnist_model.normalise import NoDigitError

LONGEST_SIDE = {"digit": 320, "line": 1280}
"""Of a picture that is kept, in pixels; larger ones are reduced: no digit needs more."""
MOST_PICTURE_BYTES = 96 * 2**10
"""Of a picture that is kept; a drawing has 2 to 10 KiB."""
OFF_SECONDS = 86_400
FULL_SECONDS = 3600
BUSY_SECONDS = 5

log = logging.getLogger(__name__)


def give(request: Request, operation: Operation, _: dict[str, Any]) -> Response:
    """Keep a drawing that was misread."""
    store = _store(request.registry[Settings])
    address = clients.address(request.environ, request.registry[Settings].trusted_proxies)
    _kept(lambda: store.check(address))  # before the work, so that a flood costs little
    said = _content(request, operation)
    upload = bodies.from_data_url(said["image"].encode("utf-8", "replace"))
    picture = pictures.decode(
        upload.content, upload.media_type, request.registry[Settings].max_pixels
    )
    try:
        request.reader.check(picture, said["kind"], len(said["right"]))
    except NoDigitError as error:
        raise no_digit(error) from None
    content = _png(ink_from_image(picture), LONGEST_SIDE[said["kind"]])
    drawing = Drawing(said["kind"], said["said"], said["right"], said["release"], content)
    name, undo = _kept(lambda: store.add(drawing, address))
    return answers.json_answer({"id": name, "undo": undo}, status=201)


def undo(request: Request, _: Operation, query: dict[str, Any]) -> Response:
    """Forget a drawing whose sender thought better of it."""
    store = _store(request.registry[Settings])
    if not _kept(lambda: store.undo(request.matchdict["id"], query["undo"])):
        raise Problem(
            404, "There is no such feedback, or its hour is over; it cannot be taken back."
        )
    return Response(status=204)


def _store(settings: Settings) -> Store:
    if settings.feedback is None:
        detail = "No feedback is kept here; whoever runs the service can set MNIST_API_FEEDBACK."
        raise Problem(503, detail, headers={"Retry-After": str(OFF_SECONDS)}, reason="off")
    return Store(
        settings.feedback,
        settings.feedback_drawings,
        settings.feedback_bytes,
        settings.feedback_per_client,
    )


def _kept(work: Any) -> Any:
    """Do something with the store, and say what is wrong if it cannot."""
    try:
        return work()
    except TooManyError as error:
        detail = f"You have sent {error.most} drawings today, thank you; send more tomorrow."
        limit = {"name": "feedback-per-client", "most": error.most}
        headers = {"Retry-After": str(error.seconds)}
        raise Problem(429, detail, headers=headers, limit=limit) from None
    except FullError as error:
        detail = "There is no room for more feedback until what is there has been looked at."
        headers = {"Retry-After": str(FULL_SECONDS)}
        limit = {"name": error.name, "most": error.most}
        raise Problem(503, detail, headers=headers, reason="full", limit=limit) from None
    except sqlite3.Error as error:
        log.error("feedback was not kept", exc_info=error)
        detail = "The feedback could not be kept just now; send it again in a moment."
        raise Problem(503, detail, headers={"Retry-After": str(BUSY_SECONDS)}) from None


def _content(request: Request, operation: Operation) -> dict[str, Any]:
    declared = request.environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if declared != bodies.JSON:
        limit = {"name": "media-type", "allowed": [bodies.JSON]}
        raise Problem(415, f"Send feedback with Content-Type {bodies.JSON}.", limit=limit)
    content = bodies.json_content(bodies.whole_body(request))
    check_body(content, operation)
    return dict(content)


def _png(ink: Ink, longest: int) -> bytes:
    """Return the ink, black on white, and nothing else of the upload, as a PNG."""
    picture = Image.fromarray(255 - ink)
    picture = (
        picture.reduce(-(-max(picture.size) // longest)) if max(picture.size) > longest else picture
    )
    file = io.BytesIO()
    picture.save(file, "PNG")
    if file.tell() > MOST_PICTURE_BYTES:
        raise Problem(
            413,
            "This picture has too much in it to be kept; send a drawing on plain paper.",
            limit={"name": "feedback-picture-bytes", "most": MOST_PICTURE_BYTES},
        )
    return file.getvalue()
