"""From the bytes of an upload to a picture, with every limit checked before the work it limits."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from mnist_api import formats
from mnist_api.formats import DamagedError, LimitError, Outside
from mnist_api.problems import Problem

LONGEST_SIDE = 10_000


@dataclasses.dataclass(frozen=True)
class Format:
    """A kind of picture that is accepted: its name, how to look at its outside, its only decoder.

    magic: its first bytes; inner: bytes 8 to 12 for WebP, whose first bytes others have, too.
    """

    name: str
    magic: bytes
    inner: bytes
    outside: Callable[[bytes], Outside]
    decoder: Any

    def begins(self, body: bytes) -> bool:
        """Say whether a body begins as this kind of file does."""
        return body.startswith(self.magic) and body[8:12].startswith(self.inner)


FORMATS = {
    "image/png": Format("PNG", b"\x89PNG\r\n\x1a\n", b"", formats.png, PngImagePlugin.PngImageFile),
    "image/jpeg": Format("JPEG", b"\xff\xd8\xff", b"", formats.jpeg, JpegImagePlugin.JpegImageFile),
    "image/webp": Format("WebP", b"RIFF", b"WEBP", formats.webp, WebPImagePlugin.WebPImageFile),
}

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation."""


def decode(body: bytes, media_type: str | None, max_pixels: int) -> Image.Image:
    """Return the picture in an upload, upright, of 8 bits a channel.

    media_type: as declared, a key of FORMATS; None: what its first bytes say. Of several pictures
    in one JPEG (a phone's burst or depth map) the first is taken; an animation is refused.

    Raises Problem: 400 for what cannot be decoded, 413 for too many pixels, 415 when the bytes are
    of another kind than declared, or of none that is accepted.
    """
    if not body:
        raise Problem(400, "There is no picture in the request; send its bytes as the body.")
    expected = _expected(body, media_type)
    try:
        return _decode(expected.outside(body), expected, max_pixels)
    except Problem:
        raise
    except LimitError as error:
        limit = {"name": error.name, "most": error.most}
        raise Problem(400, str(error), limit=limit) from None
    except Exception as error:
        # A decoder that meets broken data raises nearly anything: OSError, SyntaxError, ValueError,
        # struct.error, zlib.error, IndexError, OverflowError. None of them is the server's fault.
        raise Problem(
            400, f"This {expected.name} is damaged or incomplete; save it anew and send it again."
        ) from error


def _decode(outside: Outside, expected: Format, max_pixels: int) -> Image.Image:
    width, height = outside.width, outside.height
    if width * height > max_pixels or max(width, height) > LONGEST_SIDE:
        area = width * height > max_pixels
        limit = {
            "name": "pixels" if area else "side",
            "most": max_pixels if area else LONGEST_SIDE,
        }
        raise Problem(
            413,
            f"The picture has {width} x {height} pixels; send one of at most {max_pixels} pixels "
            f"in all and {LONGEST_SIDE} on a side.",
            limit=limit,
        )
    picture: Image.Image = expected.decoder(io.BytesIO(outside.content))
    if picture.size != (width, height):
        raise DamagedError("the decoder sees another size")
    picture.load()
    if expected.name == "WebP":
        picture = picture.copy()  # lets go of the decoder, which has two more of it
    if picture.mode.startswith("I"):
        picture = _eight_bits(picture)
    # Palettes and transparency that make no sense must fail here, not where they are used.
    if picture.has_transparency_data and picture.mode != "RGBA":
        picture = picture.convert("RGBA")
    elif picture.mode == "P":
        picture = picture.convert("RGB")
    turn = _TURNS.get(outside.orientation)
    return picture if turn is None else picture.transpose(turn)


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Keep the 8 highest bits that a picture of 16-bit grey uses; scanners often write but 12."""
    grey = np.asarray(picture)
    spare = max(int(grey.max()).bit_length() - 8, 0)
    return Image.fromarray((grey >> spare).astype(np.uint8))


def _expected(body: bytes, media_type: str | None) -> Format:
    """Return the format of a body, if it is the declared one."""
    if media_type is not None and FORMATS[media_type].begins(body):
        return FORMATS[media_type]
    for found, kind in FORMATS.items():
        if kind.begins(body):
            if media_type is None:
                return kind
            detail = (
                f"The body is a {kind.name}, but was declared as {media_type}; "
                f"send it with Content-Type {found}."
            )
            raise Problem(415, detail, limit=_types())
    names = " or ".join(kind.name for kind in FORMATS.values())
    declared = f"the {FORMATS[media_type].name} that it was declared as" if media_type else names
    raise Problem(415, f"The picture is not {declared}; send a {names}.", limit=_types())


def _types() -> dict[str, Any]:
    return {"name": "media-type", "allowed": list(FORMATS)}
