"""What comes as a picture, whatever it is, is decoded within limits or refused."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mnist_api.formats import MOST_SCANS
from mnist_api.pictures import FORMATS, decode
from mnist_api.problems import Problem
from tests.browser.drawing import DIGITS, encoded, picture

PIXELS = 10**6
SEVEN = picture(DIGITS[7])
PNG, JPEG = encoded(SEVEN), encoded(SEVEN, "JPEG")


def refused(body: bytes, media_type: str = "image/png") -> Problem:
    with pytest.raises(Problem) as caught:
        decode(body, media_type, PIXELS)
    assert caught.value.detail.endswith(".")
    return caught.value


def outcome(body: bytes, media_type: str = "image/png") -> int:
    """Return 200 for what is decoded, otherwise the status of its refusal."""
    try:
        decode(body, media_type, PIXELS).convert("L")
    except Problem as problem:
        return problem.status
    return 200


def outcome_and_memory(body: bytes, media_type: str = "image/png") -> tuple[int, int]:
    """Return the outcome, and the most bytes of Python's memory that it took."""
    tracemalloc.start()
    try:
        return outcome(body, media_type), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *extra: bytes, rows: bytes | None = None) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(rows if rows is not None else bytes((width + 1) * height))
    chunks = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_decodes_every_kind_of_png(mode: str) -> None:
    image = Image.new("I;16", (28, 20), 65535) if mode == "I;16" else SEVEN.convert(mode)
    decoded = decode(encoded(image), "image/png", PIXELS)
    assert decoded.size == image.size
    assert np.array_equal(np.asarray(decoded.convert("L")), np.asarray(image.convert("L")))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_decodes_every_kind_of_jpeg(mode: str) -> None:
    assert decode(encoded(SEVEN.convert(mode), "JPEG"), "image/jpeg", PIXELS).mode == mode


def test_decodes_interlaced_and_progressive_pictures() -> None:
    file = io.BytesIO()
    SEVEN.save(file, "JPEG", progressive=True)
    assert decode(file.getvalue(), "image/jpeg", PIXELS).size == SEVEN.size


def test_turns_a_photograph_upright() -> None:
    image = Image.new("RGB", (60, 40))
    image.paste("white", (0, 0, 60, 5))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the top is to the right
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif, quality=95)
    upright = decode(file.getvalue(), "image/jpeg", PIXELS).convert("L")
    assert upright.size == (40, 60)
    assert upright.getpixel((39, 30)) > 200
    assert upright.getpixel((0, 30)) < 50


def test_takes_the_first_of_several_pictures_in_a_jpeg() -> None:
    file = io.BytesIO()
    SEVEN.save(file, "MPO", save_all=True, append_images=[Image.new("L", (9, 9))])
    assert decode(file.getvalue(), "image/jpeg", PIXELS).size == SEVEN.size


def test_refuses_an_animation() -> None:
    file = io.BytesIO()
    SEVEN.save(file, "PNG", save_all=True, append_images=[Image.new("L", SEVEN.size)])
    problem = refused(file.getvalue())
    assert problem.status == 400
    assert "animated" in problem.detail


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(("body", "media_type"), [(PNG, "image/png"), (JPEG, "image/jpeg")])
def test_refuses_what_is_cut_off(body: bytes, media_type: str, kept: float) -> None:
    problem = refused(body[: int(len(body) * kept)], media_type)
    assert problem.status == 400
    assert "damaged or incomplete" in problem.detail


def test_refuses_other_kinds_of_picture_whatever_they_are_declared_as() -> None:
    for kind in ("GIF", "BMP", "TIFF", "PPM", "ICO", "AVIF"):
        for media_type in FORMATS:
            assert refused(encoded(SEVEN, kind), media_type).status == 415


@pytest.mark.parametrize(
    ("width", "height"), [(1001, 1000), (2**31 - 1, 2**31 - 1), (60_000, 60_000), (20_000, 2)]
)
def test_refuses_large_dimensions_from_the_header_alone(width: int, height: int) -> None:
    body = png(width, height, rows=b"")
    before = time.thread_time()
    problem = refused(body)
    assert time.thread_time() - before < 0.05
    assert problem.status == 413
    assert f"{width} x {height}" in problem.detail


def test_refuses_large_dimensions_of_a_jpeg() -> None:
    assert refused(encoded(Image.new("L", (1200, 900)), "JPEG"), "image/jpeg").status == 413


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP", b"iTXt"])
def test_a_text_that_unpacks_to_a_giant_takes_no_memory(kind: bytes) -> None:
    packed = zlib.compress(bytes(100 * 2**20), 9)
    between = b"\0\1\0\0\0" if kind == b"iTXt" else b"\0\0"
    body = png(28, 28, chunk(kind, b"bomb" + between + packed))
    assert outcome_and_memory(body)[0] == 200
    assert outcome_and_memory(body)[1] < 2 * 2**20


def test_many_texts_take_no_memory_either() -> None:
    packed = zlib.compress(bytes(2**17), 9)
    texts = [chunk(b"zTXt", b"bomb\0\0" + packed) for _ in range(1000)]
    status, memory = outcome_and_memory(png(28, 28, *texts))
    assert status == 200
    assert memory < 2 * 2**20


def test_pixels_that_unpack_to_more_than_declared_are_cut() -> None:
    body = png(28, 28, rows=bytes(50 * 2**20))
    assert decode(body, "image/png", PIXELS).size == (28, 28)


def test_refuses_a_jpeg_of_countless_scans() -> None:
    file = io.BytesIO()
    Image.new("L", (1000, 1000), 255).save(file, "JPEG", progressive=True)
    body = file.getvalue()
    last = body.rindex(b"\xff\xda")
    scan = body[last:-2]
    before = time.thread_time()
    problem = refused(body[:-2] + scan * 3000 + body[-2:], "image/jpeg")
    assert time.thread_time() - before < 0.05
    assert str(MOST_SCANS) in problem.detail


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(deadline=None)  # a loaded machine is no fault
@given(st.data())
def test_damage_of_any_kind_is_decoded_or_refused(data: st.DataObject) -> None:
    media_type, body = data.draw(st.sampled_from([("image/png", PNG), ("image/jpeg", JPEG)]))
    damaged = bytearray(body)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    assert outcome(bytes(damaged), media_type) in (200, 400, 413, 415)
