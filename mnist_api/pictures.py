"""From the bytes of an upload to a picture, with every limit checked before the work it limits."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping
from typing import Any

from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin

from mnist_api.problems import Problem

LONGEST_SIDE = 10_000
MOST_SCANS = 64
"""Scans of a progressive JPEG; common encoders write about ten. Each costs a pass over the picture,
and an empty one takes only a few bytes of the upload."""

# Texts and colour profiles in a PNG are compressed, and nobody here reads them.
PngImagePlugin.MAX_TEXT_CHUNK = 2**18
PngImagePlugin.MAX_TEXT_MEMORY = 2**18


@dataclasses.dataclass(frozen=True)
class Format:
    """A kind of picture that is accepted: its name, its first bytes, and its only decoder."""

    name: str
    magic: bytes
    decoder: Any


FORMATS = {
    "image/png": Format("PNG", b"\x89PNG\r\n\x1a\n", PngImagePlugin.PngImageFile),
    "image/jpeg": Format("JPEG", b"\xff\xd8\xff", JpegImagePlugin.JpegImageFile),
}


def check_media_type(headers: Mapping[str, str]) -> str:
    """Return the media type that a request declares; raise Problem 415 if it is none accepted."""
    if headers.get("Content-Encoding", "identity") != "identity":
        raise Problem(415, "Send the picture as it is, without a Content-Encoding.")
    declared = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if declared not in FORMATS:
        given = f"not {declared[:80]}" if declared else "but none was given"
        raise Problem(415, f"Send a picture with Content-Type {' or '.join(FORMATS)}, {given}.")
    return declared


def decode(body: bytes, media_type: str, max_pixels: int) -> Image.Image:
    """Return the picture in an upload, upright.

    media_type: as from check_media_type. Of several pictures in one JPEG (a phone's burst or depth
    map) the first is taken; an animated PNG is refused.

    Raises Problem: 400 for what cannot be decoded, 413 for too many pixels, 415 when the bytes are
    of another kind than declared.
    """
    expected = FORMATS[media_type]
    if not body:
        raise Problem(400, "The request has no body; send the picture's bytes as its body.")
    if not body.startswith(expected.magic):
        raise Problem(415, _mismatch(body, media_type))
    if expected.name == "JPEG" and body.count(b"\xff\xda") > MOST_SCANS:
        raise Problem(400, f"This JPEG has over {MOST_SCANS} scans; save it as a baseline JPEG.")
    try:
        return _decode(body, expected, max_pixels)
    except Problem:
        raise
    except Exception as error:
        # A decoder that meets broken data raises nearly anything: OSError, SyntaxError, ValueError,
        # struct.error, zlib.error, IndexError, OverflowError. None of them is the server's fault.
        raise Problem(
            400, f"This {expected.name} is damaged or incomplete; save it anew and send it again."
        ) from error


def _decode(body: bytes, expected: Format, max_pixels: int) -> Image.Image:
    # Opening reads the header alone; the pixels are decoded by load.
    picture: Image.Image = expected.decoder(io.BytesIO(body))
    width, height = picture.size
    if width * height > max_pixels or max(width, height) > LONGEST_SIDE:
        raise Problem(
            413,
            f"The picture has {width} x {height} pixels; send one of at most {max_pixels} pixels "
            f"in all and {LONGEST_SIDE} on a side.",
        )
    if getattr(picture, "is_animated", False):
        raise Problem(400, f"This {expected.name} is animated; send a picture that stands still.")
    picture.load()
    ImageOps.exif_transpose(picture, in_place=True)
    return picture


def _mismatch(body: bytes, media_type: str) -> str:
    for found, kind in FORMATS.items():
        if body.startswith(kind.magic):
            return (
                f"The body is a {kind.name}, but was declared as {media_type}; "
                f"send it with Content-Type {found}."
            )
    names = " or ".join(kind.name for kind in FORMATS.values())
    return (
        f"The body is not the {FORMATS[media_type].name} that it was declared as; send a {names}."
    )
