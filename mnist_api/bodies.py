"""From a request to the bytes of the picture in it, whichever way they were sent."""

from __future__ import annotations

import binascii
import json
import re
from typing import Any, NamedTuple

from multipart import MultipartError, ParserLimitReached, PushMultipartParser, parse_options_header
from pyramid.request import Request

from mnist_api import problems
from mnist_api.contract import Operation, check_body
from mnist_api.pictures import FORMATS
from mnist_api.problems import Problem
from mnist_api.settings import Settings

FORM = "multipart/form-data"
JSON = "application/json"
ACCEPTED = (*FORMATS, FORM, JSON)
FIELD = "image"
MOST_FORM_PARTS = 4
MOST_FORM_HEADERS = 8
LONGEST_FORM_HEADER = 1024
LONGEST_BOUNDARY = 70
"""RFC 2046, 5.1.1."""
MOST_JSON_VALUES = 32
"""Objects, lists and commas in a JSON body: each takes far more memory than its one byte."""
LONGEST_DATA_URL_HEAD = 120

_DATA_URL = re.compile(rb"data:([^,;]*)((?:;[^,;]*)*?);base64,", re.IGNORECASE)


class Upload(NamedTuple):
    """A picture as it was sent.

    media_type: as declared, one of FORMATS, or None where nothing says. bare: whether the body is
    nothing but a data URL, as the tutorial's page sends it.
    """

    content: bytes
    media_type: str | None
    bare: bool = False


def whole_body(request: Request) -> bytes:
    """Return a request's body. Raises Problem 413 or 415."""
    if request.environ.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        limit = {"name": "content-encoding", "allowed": ["identity"]}
        raise Problem(415, "Send the body as it is, without a Content-Encoding.", limit=limit)
    most = request.registry[Settings].max_body_bytes
    length = request.content_length or 0
    if length > most:
        raise Problem(
            413, problems.too_large(most), limit={"name": problems.BODY_BYTES, "most": most}
        )
    body: bytes = request.environ["wsgi.input"].read(length)
    return body


def upload(request: Request, operation: Operation) -> Upload:
    """Return the picture that a request carries. Raises Problem 400, 413 or 415."""
    body = whole_body(request)
    if body[:5].lower() == b"data:":
        return from_data_url(body)
    declared = request.environ.get("CONTENT_TYPE", "")
    media_type = declared.partition(";")[0].strip().lower()
    if media_type in FORMATS:
        return Upload(body, media_type)
    if media_type == JSON:
        return _from_json(body, operation)
    if media_type == FORM:
        return _from_form(body, declared)
    given = f"not {media_type[:80]}" if media_type else "but none was given"
    raise Problem(
        415,
        f"Send a picture with Content-Type {', '.join(ACCEPTED[:-1])} or {ACCEPTED[-1]}, {given}; "
        "or send a data URL.",
        limit={"name": "media-type", "allowed": list(ACCEPTED)},
    )


def from_data_url(url: bytes) -> Upload:
    """Return the picture in a data URL (RFC 2397), which must be base64. Raises Problem."""
    head = _DATA_URL.match(url, 0, LONGEST_DATA_URL_HEAD)
    if not head:
        raise Problem(
            400, "This data URL is not of the kind data:image/png;base64,…; send one that is."
        )
    media_type = head[1].decode("latin-1").strip().lower()
    if media_type not in FORMATS:
        raise Problem(
            415,
            f"A data URL of type {media_type[:40] or 'text/plain'} is no picture; send one of "
            f"type {' or '.join(FORMATS)}.",
            limit={"name": "media-type", "allowed": list(FORMATS)},
        )
    return Upload(_from_base64(url[head.end() :]), media_type, bare=True)


def json_content(body: bytes) -> Any:
    """Read a JSON body. Raises Problem 400."""
    if sum(map(body.count, (b"{", b"[", b","))) > MOST_JSON_VALUES:
        limit = {"name": "json-values", "most": MOST_JSON_VALUES}
        detail = f"The JSON body has over {MOST_JSON_VALUES} values; send an object of a few."
        raise Problem(400, detail, limit=limit)
    try:
        return json.loads(body)
    except ValueError:  # UnicodeDecodeError is one, too
        raise Problem(400, "The body is no JSON in UTF-8; correct it.") from None


def _from_json(body: bytes, operation: Operation) -> Upload:
    content = json_content(body)
    check_body(content, operation)
    image = content[FIELD].encode("utf-8", "replace")
    if image[:5].lower() == b"data:":
        return from_data_url(image)._replace(bare=False)
    return Upload(_from_base64(image), None)


def _from_base64(text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text.rstrip(b"\r\n "), strict_mode=True)
    except binascii.Error:
        raise Problem(
            400,
            "The picture is no valid base64; send it unchanged, each + as a + and with its "
            "padding (=).",
        ) from None


def _from_form(body: bytes, declared: str) -> Upload:
    try:
        field, media_type = _field(body, _boundary(declared))
    except ParserLimitReached:
        raise Problem(
            400,
            f"A form may have {MOST_FORM_PARTS} parts, each with {MOST_FORM_HEADERS} header lines "
            f"of {LONGEST_FORM_HEADER} bytes; send the picture alone.",
            limit={"name": "form-parts", "most": MOST_FORM_PARTS},
        ) from None
    except (MultipartError, UnicodeError):
        raise Problem(
            400, "The body is no valid multipart/form-data; send a form with the field image."
        ) from None
    if field[:5].lower() == b"data:":
        return from_data_url(field)._replace(bare=False)
    if not field:
        raise Problem(400, "The form has no picture; choose a file and send it again.")
    if media_type in ("", "application/octet-stream"):
        return Upload(field, None)
    if media_type not in FORMATS:
        raise Problem(
            415,
            f"The form's file is of type {media_type[:40]}; choose one of type "
            f"{' or '.join(FORMATS)}.",
            limit={"name": "media-type", "allowed": list(FORMATS)},
        )
    return Upload(field, media_type)


def _boundary(declared: str) -> str:
    boundary = str(parse_options_header(declared)[1].get("boundary", ""))
    if not 0 < len(boundary) <= LONGEST_BOUNDARY or not boundary.isascii():
        detail = f"The form's boundary must have 1 to {LONGEST_BOUNDARY} characters."
        limit = {"name": "form-boundary", "most": LONGEST_BOUNDARY}
        raise Problem(400, detail, limit=limit)
    return boundary


def _field(body: bytes, boundary: str) -> tuple[bytes, str]:
    """Return the form's only field, which is the picture, and its type in lower case."""
    found: list[tuple[list[bytes], str]] = []
    with PushMultipartParser(
        boundary,
        content_length=len(body),
        max_header_count=MOST_FORM_HEADERS,
        max_header_size=LONGEST_FORM_HEADER,
        max_segment_count=MOST_FORM_PARTS,
        strict=True,
    ) as parser:
        for event in (*parser.parse(body), *parser.parse(b"")):
            if isinstance(event, bytes | bytearray):
                found[-1][0].append(bytes(event))
            elif event is not None:
                if event.name != FIELD or found:
                    detail = f"The form must have one field, {FIELD}; send it alone."
                    raise Problem(400, detail, limit={"name": "form-fields", "allowed": [FIELD]})
                kind = str(event.header("Content-Type") or "")
                found.append(([], kind.partition(";")[0].strip().lower()))
    if not found:
        raise Problem(400, f"The form has no field {FIELD}; send the picture as {FIELD}.")
    [(pieces, kind)] = found
    return b"".join(pieces), kind
