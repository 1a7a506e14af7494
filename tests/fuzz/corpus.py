"""Small pictures of every kind that the API decodes or must refuse: where the fuzzers start."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from typing import Any

from PIL import Image

from tests.browser.drawing import DIGITS, picture

SIDE = 40
ORIENTATION = 0x0112


@functools.cache
def corpus() -> dict[str, tuple[str, bytes]]:
    """Return media type and content of each picture, by a name that says what it is."""
    seven = picture(DIGITS[7], SIDE, 4)
    clear = Image.new("RGBA", seven.size, (0, 0, 0, 0))
    clear.putalpha(seven.point(lambda value: 255 - value))
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    pages = [seven.rotate(90).convert("RGB")]
    colours = {mode: seven.convert(mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")}
    found: dict[str, tuple[str, bytes]] = {}

    def add(name: str, image: Image.Image, form: str, **how: Any) -> None:
        file = io.BytesIO()
        image.save(file, form, **how)
        found[f"{form.lower()}-{name}"] = (f"image/{form.lower()}", file.getvalue())

    for mode, image in colours.items():
        add(f"mode-{mode.replace(';', '')}", image, "PNG")
    add("clear", clear, "PNG")
    add("palette-transparent", colours["P"], "PNG", transparency=0)
    add("exif", seven, "PNG", exif=exif)
    add("animated", colours["RGB"], "PNG", save_all=True, append_images=pages)
    found["png-interlaced"] = ("image/png", interlaced(seven))
    add("baseline", colours["RGB"], "JPEG", quality=80)
    add("grey", seven, "JPEG", quality=60, exif=exif)
    add("progressive", colours["RGB"], "JPEG", progressive=True)
    add("restarts", colours["RGB"], "JPEG", restart_marker_blocks=2)
    add("cmyk", seven.convert("CMYK"), "JPEG")
    add("lossy", colours["RGB"], "WEBP", quality=50)
    add("lossless", colours["RGB"], "WEBP", lossless=True)
    add("clear", clear, "WEBP", exif=exif)
    add("animated", colours["RGB"], "WEBP", save_all=True, append_images=pages)
    return found


def interlaced(image: Image.Image) -> bytes:
    """Write a grey picture as an interlaced PNG (Adam7), which Pillow reads but does not write."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
    raw = bytearray()
    pixels = image.load()
    assert pixels is not None
    for left, top, right, down in (*passes, (0, 1, 1, 2)):
        for y in range(top, image.height, down):
            row = bytes(int(str(pixels[x, y])) for x in range(left, image.width, right))
            raw += b"\0" + row if row else b""
    header = struct.pack(">IIBBBBB", image.width, image.height, 8, 0, 0, 0, 1)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(raw))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in parts)


def chunk(kind: bytes, data: bytes) -> bytes:
    """Write a chunk of a PNG, with the checksum that belongs to it."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
