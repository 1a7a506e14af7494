"""Uploads that are made to hurt, each with the answer that is documented for it (docs/api.md)."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

from mnist_api.formats import MOST_PARTS, MOST_SCANS
from tests.browser.drawing import DIGITS, picture

MIB = 2**20
SEVEN = picture(DIGITS[7])
FORM = "multipart/form-data; boundary=b"


class Bomb(NamedTuple):
    """An upload, and what comes back: a status, and the limit that it names, if any."""

    name: str
    body: bytes
    media_type: str
    status: int
    limit: str | None = None


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int, height: int, *extra: bytes, rows: bytes | None = None, kind: bytes = b"\x08\0\0"
) -> bytes:
    """Make a PNG; kind: its bit depth, colour type, and interlacing."""
    depth, colour, interlacing = kind
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlacing)
    pixels = zlib.compress(rows if rows is not None else bytes((width + 1) * height), 9)
    chunks = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def exif_that_points_at_itself() -> bytes:
    """Make EXIF data whose thousands of entries all claim the same 60,000 bytes."""
    count = 4900
    entries = b"".join(struct.pack("<HHII", tag, 7, 60_000, 8) for tag in range(count))
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, count) + entries + bytes(4)


def webp_canvas(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + size


def form(*parts: tuple[str, bytes]) -> bytes:
    return b"".join(b"--b\r\n%s\r\n\r\n%s\r\n" % (head.encode(), data) for head, data in parts) + (
        b"--b--\r\n"
    )


def data_url(content: bytes, kind: str = "image/png") -> bytes:
    return b"data:%s;base64," % kind.encode() + base64.b64encode(content)


def bombs() -> list[Bomb]:
    """Return the whole corpus; it is the same each time."""
    strangers = [
        Bomb(f"a {kind} declared as PNG", saved(SEVEN, kind), "image/png", 415, "media-type")
        for kind in ("GIF", "BMP", "TIFF", "ICO", "PPM")
    ]
    return [*_pngs(), *_jpegs(), *_webps(), *_wrappings(), *strangers]


def _pngs() -> Iterator[Bomb]:
    def bomb(name: str, body: bytes, status: int, limit: str | None = None) -> Bomb:
        return Bomb(f"PNG: {name}", body, "image/png", status, limit)

    seven = saved(SEVEN, "PNG")
    yield bomb("60,000 x 60,000", png(60_000, 60_000, rows=b""), 413, "pixels")
    yield bomb("2^31 x 2^31", png(2**31 - 1, 2**31 - 1, rows=b""), 413, "pixels")
    yield bomb("20,000 x 2", png(20_000, 2), 413, "side")
    yield bomb("0 x 0", png(0, 0, rows=b""), 400)
    yield bomb("40 MiB of pixels in 28 x 28", png(28, 28, rows=bytes(40 * MIB)), 422)
    for kind in (b"zTXt", b"iCCP"):
        text = chunk(kind, b"bomb\0\0" + zlib.compress(bytes(40 * MIB), 9))
        yield bomb(f"40 MiB in a {kind.decode()}", png(28, 28, text), 422)
    many = [chunk(b"tEXt", b"a\0b")] * (MOST_PARTS + 1)
    yield bomb("thousands of chunks", png(28, 28, *many), 400, "chunks")
    exif = chunk(b"eXIf", exif_that_points_at_itself()[6:])
    yield bomb("EXIF of 290 MB", png(28, 28, exif), 422)
    frames = saved(SEVEN, "PNG", save_all=True, append_images=[Image.new("L", SEVEN.size)])
    yield bomb("animated", frames, 400, "frames")
    control = chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))
    yield bomb("two thousand million frames", png(28, 28, control), 400, "frames")
    yield bomb("cut off", seven[: len(seven) // 2], 400)
    yield bomb("without its end", seven[:-12], 400)
    yield bomb("a chunk beyond the end", seven[:8] + struct.pack(">I", 2**31 - 1) + seven[12:], 400)
    yield bomb("two headers", seven[:33] + seven[8:], 400)
    yield bomb("only the magic", seven[:8], 400)
    yield bomb("no pixels", png(1000, 1000, rows=b""), 400)
    yield bomb("no palette", png(28, 28, kind=b"\x08\x03\0"), 400)
    yield bomb("16 bits", saved(_sixteen_bits(), "PNG"), 200)
    yield bomb(
        "16 bits, a megapixel", png(1000, 1000, rows=bytes(2001 * 1000), kind=b"\x10\0\0"), 422
    )
    yield bomb("palette", saved(SEVEN.convert("P"), "PNG"), 200)
    interlaced = png(1000, 1000, rows=bytes(MIB + 2**16), kind=b"\x08\0\x01")
    yield bomb("interlaced, a megapixel", interlaced, 422)
    yield bomb("empty", b"", 400)


def _jpegs() -> Iterator[Bomb]:
    def bomb(name: str, body: bytes, status: int, limit: str | None = None) -> Bomb:
        return Bomb(f"JPEG: {name}", body, "image/jpeg", status, limit)

    seven = saved(SEVEN, "JPEG")
    start = seven.index(b"\xff\xc0") + 5
    yield bomb(
        "65,535 x 65,535", seven[:start] + b"\xff\xff\xff\xff" + seven[start + 4 :], 413, "pixels"
    )
    yield bomb("two headers", seven[: start - 5] + _header(8, 8) + seven[start - 5 :], 400)
    large = saved(Image.new("L", (1000, 1000), 255), "JPEG", progressive=True)
    last = large.rindex(b"\xff\xda")
    scans = large[:-2] + large[last:-2] * 3000 + large[-2:]
    yield bomb("thousands of scans", scans, 400, "scans")
    comments = seven[:2] + segment(0xFE, b"") * (MOST_PARTS + 1) + seven[2:]
    yield bomb("thousands of comments", comments, 400, "segments")
    exif = segment(0xE1, exif_that_points_at_itself())
    yield bomb("EXIF of 290 MB", seven[:2] + exif + seven[2:], 200)
    yield bomb("EXIF sixteen times", seven[:2] + exif * 16 + seven[2:], 200)
    turned = Image.Exif()
    turned[0x0112] = 65_000
    yield bomb("an orientation of 65,000", saved(SEVEN, "JPEG", exif=turned), 200)
    yield bomb("cut off", seven[: len(seven) // 2], 400)
    yield bomb("only the magic", seven[:4], 400)
    yield bomb("CMYK", saved(SEVEN.convert("CMYK"), "JPEG"), 200)
    noise = np.random.default_rng(0).integers(0, 256, (990, 1000), np.uint8)
    dense = saved(Image.fromarray(noise), "JPEG", quality=90, progressive=True)
    yield bomb("a megapixel of noise", dense, 422)
    few = large[:-2] + large[last:-2] * (MOST_SCANS - 8) + large[-2:]
    yield bomb("as many scans as may be", few, 422)


def _webps() -> Iterator[Bomb]:
    def bomb(name: str, body: bytes, status: int, limit: str | None = None) -> Bomb:
        return Bomb(f"WebP: {name}", body, "image/webp", status, limit)

    seven = saved(SEVEN, "WEBP", lossless=True)
    yield bomb("a canvas of 16,777,216 x 256", webp_canvas(2**24, 256), 413, "pixels")
    yield bomb("16,383 x 16,383", webp_canvas(16_383, 16_383), 413, "pixels")
    frames = saved(SEVEN, "WEBP", save_all=True, append_images=[Image.new("L", SEVEN.size)])
    yield bomb("animated", frames, 400, "frames")
    yield bomb("cut off", seven[: len(seven) // 2], 400)
    longer = seven[:4] + struct.pack("<I", 2**32 - 9) + seven[8:]
    yield bomb("a length of 4 GiB", longer, 400)
    many = b"JUNK\0\0\0\0" * (MOST_PARTS + 1)
    stuffed = b"RIFF" + struct.pack("<I", len(seven) - 8 + len(many)) + seven[8:] + many
    yield bomb("thousands of chunks", stuffed, 400, "chunks")
    yield bomb("only the magic", seven[:12], 400)
    flat = saved(Image.new("RGBA", (1000, 1000), "white"), "WEBP", lossless=True)
    yield bomb("a megapixel in 40 bytes", flat, 422)


def _wrappings() -> Iterator[Bomb]:
    seven = saved(SEVEN, "PNG")
    json_type = "application/json"
    url = data_url(seven)
    yield Bomb("data URL in a data URL", data_url(url), "text/plain", 415, "media-type")
    yield Bomb("data URL of a GIF", data_url(b"", "image/gif"), "text/plain", 415, "media-type")
    yield Bomb("data URL with a space for a +", url.replace(b"+", b" "), "text/plain", 400)
    yield Bomb("data URL without padding", url.rstrip(b"=") + b"=", "text/plain", 400)
    yield Bomb("data URL with no end to its head", b"data:" + b";" * 10**6, "text/plain", 400)
    yield Bomb("data URL of nothing", data_url(b""), "text/plain", 400)
    yield Bomb("JSON of brackets", b"[" * MIB, json_type, 400, "json-values")
    yield Bomb("JSON of empty objects", b"[" + b"{}," * 300_000, json_type, 400, "json-values")
    yield Bomb("JSON of a giant number", b'{"image": ' + b"9" * MIB, json_type, 413, "body-bytes")
    yield Bomb("JSON of a large number", b'{"image": ' + b"9" * 10**6 + b"}", json_type, 400)
    yield Bomb("JSON in UTF-16", json.dumps({"image": "x"}).encode("utf-16"), json_type, 400)
    yield Bomb("JSON of a lone surrogate", b'{"image": "\\ud800"}', json_type, 400)
    nested = json.dumps({"image": data_url(url).decode()}).encode()
    yield Bomb("JSON of a nested data URL", nested, json_type, 415, "media-type")
    head = 'Content-Disposition: form-data; name="image"'
    yield Bomb("form of two pictures", form((head, seven), (head, seven)), FORM, 400, "form-fields")
    parts = form(*[(head.replace("image", f"x{n}"), b"") for n in range(5000)])
    yield Bomb("form of thousands of parts", parts, FORM, 400, "form-parts")
    long = form((head + "; filename=" + "x" * 10_000, seven))
    yield Bomb("form with a long header", long, FORM, 400, "form-parts")
    headers = form((head + "".join(f"\r\nX-{n}: y" for n in range(1000)), seven))
    yield Bomb("form with many headers", headers, FORM, 400, "form-parts")
    yield Bomb("form without an end", form((head, seven))[:-7], FORM, 400)
    inner = form((head + "\r\nContent-Type: multipart/mixed; boundary=c", seven))
    yield Bomb("form in a form", inner, FORM, 415, "media-type")
    boundary = f"multipart/form-data; boundary={'b' * 1000}"
    yield Bomb("form with a long boundary", form((head, seven)), boundary, 400, "form-boundary")
    yield Bomb("form of boundaries", b"--b\r\n" * 200_000, FORM, 400)
    yield Bomb("more than a mebibyte", bytes(MIB + 1), "image/png", 413, "body-bytes")


def _sixteen_bits() -> Image.Image:
    return Image.fromarray(np.asarray(SEVEN).astype(np.uint16) * 257)


def _header(width: int, height: int) -> bytes:
    return segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00")
