"""Picture files as their outside tells: size, orientation, animation, without decoding anything.

A file is walked once, part by part, and what the picture does not need (texts, colour profiles,
thumbnails, comments) is cut out before a decoder sees it: nobody here reads them, and decoders
unpack them, parse them, and copy what they point at.

PNG: https://www.w3.org/TR/png-3/. JPEG: ITU-T T.81, annex B. WebP: RFC 9649. EXIF: the first
directory of a TIFF file, CIPA DC-008.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

MOST_PARTS = 1024
"""Chunks of a PNG or WebP, segments of a JPEG. A PNG of 1 MiB in pieces of 4 KiB has 260."""
MOST_SCANS = 24
"""Scans of a progressive JPEG; common encoders write about ten. Each costs a pass over the picture,
and an empty one takes only a few bytes of the upload."""
MOST_TAGS = 256
"""Entries of an EXIF directory that are looked at."""

UPRIGHT = 1
"""The orientation of a picture that stands as it is stored."""


class DamagedError(ValueError):
    """A file is not whole, or not what its parts say."""


class LimitError(ValueError):
    """A file is more than will be decoded. name and most: which limit, and its value."""

    def __init__(self, sentence: str, name: str, most: int) -> None:
        """Say what to do instead."""
        super().__init__(sentence)
        self.name = name
        self.most = most


class Outside(NamedTuple):
    """What the outside of a file tells.

    content: the file without what the picture does not need. orientation: EXIF's, 1 to 8.
    """

    width: int
    height: int
    orientation: int
    content: bytes


def png(body: bytes) -> Outside:
    """Walk a PNG. Raises DamagedError, LimitError."""
    kept, turn, position, parts = [body[:8]], UPRIGHT, 8, 0
    kind = b""
    while kind != b"IEND":
        size, kind = _unpack(">I4s", body, position)
        end = position + 12 + size
        parts = _count(parts, "PNG", "chunks")
        if end > len(body):
            raise DamagedError("a chunk is cut off")
        if (kind == b"IHDR") != (parts == 1):
            raise DamagedError("the header is not the first chunk")
        if kind in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"):
            kept.append(body[position:end])
        elif kind == b"eXIf":
            turn = _orientation(body[position + 8 : end - 4])
        elif kind == b"acTL" and _unpack(">I", body, position + 8) > (1,):
            raise _animated("PNG")
        position = end
    width, height = _unpack(">II", body, 16)
    return Outside(width, height, turn, body if len(kept) == parts + 1 else b"".join(kept))


_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""The next marker, after coded data too: there a zero follows FF, and restarts are part of it."""
_FRAMES = {0xC0 + number for number in range(16)} - {0xC4, 0xC8, 0xCC}
_TABLES = {0xC4, 0xCC, 0xDB, 0xDC, 0xDD}
_SCAN, _END, _EXIF = 0xDA, 0xD9, b"Exif\0\0"


def jpeg(body: bytes) -> Outside:
    """Walk the first picture of a JPEG. Raises DamagedError, LimitError."""
    kept, turn, size, parts, scans = [body[:2]], UPRIGHT, (0, 0), 0, 0
    position = 2
    while found := _MARKER.search(body, position):
        start, marker = found.start(), body[found.end() - 1]
        if marker == _END:
            break
        parts = _count(parts, "JPEG", "segments")
        (length,) = _unpack(">H", body, start + 2)
        position = start + 2 + length
        if marker in _FRAMES:
            if size != (0, 0):
                raise DamagedError("there are two headers")
            height, width = _unpack(">HH", body, start + 5)
            size = (width, height)
        if marker == _SCAN:
            scans += 1
            if scans > MOST_SCANS:
                sentence = f"This JPEG has over {MOST_SCANS} scans; save it as a baseline JPEG."
                raise LimitError(sentence, "scans", MOST_SCANS)
            following = _MARKER.search(body, position)
            position = following.start() if following else len(body)
        elif marker == 0xE1 and body.startswith(_EXIF, start + 4):  # noqa: PLR2004 - APP1
            turn = _orientation(body[start + 10 : position])
        if marker in _FRAMES or marker in _TABLES or marker in (_SCAN, 0xE0, 0xEE):
            kept.append(body[start:position])
    else:
        raise DamagedError("it does not end")
    return Outside(*size, turn, b"".join([*kept, b"\xff\xd9"]))


def webp(body: bytes) -> Outside:
    """Walk a WebP. Raises DamagedError, LimitError."""
    turn, size, parts, position = UPRIGHT, (0, 0), 0, 12
    whole = _unpack("<I", body, 4)[0] + 8
    if whole > len(body):
        raise DamagedError("it is cut off")
    while position + 8 <= whole:
        kind, length = _unpack("<4sI", body, position)
        data = position + 8
        parts = _count(parts, "WebP", "chunks")
        if kind in (b"ANIM", b"ANMF") or (kind == b"VP8X" and _unpack("B", body, data)[0] & 2):
            raise _animated("WebP")
        if measure := _WEBP_SIZES.get(kind):
            size = max(size, measure(body, data), key=lambda one: one[0] * one[1])
        elif kind == b"EXIF":
            exif = body[data : data + length]
            turn = _orientation(exif.removeprefix(_EXIF))
        position = data + length + length % 2
    return Outside(*size, turn, body[:whole])


def _vp8x(body: bytes, data: int) -> tuple[int, int]:
    canvas = _unpack("10s", body, data)[0]
    return int.from_bytes(canvas[4:7], "little") + 1, int.from_bytes(canvas[7:], "little") + 1


def _vp8(body: bytes, data: int) -> tuple[int, int]:
    width, height = _unpack("<HH", body, data + 6)
    return width & 0x3FFF, height & 0x3FFF


def _vp8l(body: bytes, data: int) -> tuple[int, int]:
    (bits,) = _unpack("<I", body, data + 1)
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


_WEBP_SIZES: dict[bytes, Callable[[bytes, int], tuple[int, int]]] = {
    b"VP8X": _vp8x,
    b"VP8 ": _vp8,
    b"VP8L": _vp8l,
}


def _orientation(exif: bytes) -> int:
    """Return the orientation that EXIF data give, or upright when they give none that is valid."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if not order:
        return UPRIGHT
    try:
        (directory,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, directory)
        for entry in range(min(count, MOST_TAGS)):
            place = directory + 2 + 12 * entry
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, place)
            if (tag, kind) == (0x0112, 3):
                return value if 1 <= value <= 8 else UPRIGHT  # noqa: PLR2004 - all there are
    except struct.error:
        pass
    return UPRIGHT


def _unpack(form: str, body: bytes, position: int) -> tuple[Any, ...]:
    try:
        return struct.unpack_from(form, body, position)
    except struct.error as error:
        raise DamagedError("it is cut off") from error


def _count(parts: int, kind: str, what: str) -> int:
    if parts == MOST_PARTS:
        sentence = f"This {kind} has over {MOST_PARTS} {what}; save it anew."
        raise LimitError(sentence, what, MOST_PARTS)
    return parts + 1


def _animated(kind: str) -> LimitError:
    return LimitError(f"This {kind} is animated; send a picture that stands still.", "frames", 1)
