"""Ink is the same whatever the colours of the upload."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mnist_model.ink import ink_from_image


def drawing(paper: tuple[int, ...], pen: tuple[int, ...], mode: str = "RGB") -> Image.Image:
    """Draw a 7 of two strokes, 4 pixels wide, on 40x40."""
    image = Image.new(mode, (40, 40), paper)
    image.paste(pen, (10, 8, 30, 12))
    image.paste(pen, (26, 8, 30, 32))
    return image


EXPECTED = ink_from_image(drawing((255, 255, 255), (0, 0, 0)))


def test_black_on_white_is_its_negative() -> None:
    assert EXPECTED.dtype == np.uint8
    assert EXPECTED.shape == (40, 40)
    assert EXPECTED[10, 20] == EXPECTED[30, 28] == 255
    assert EXPECTED[20, 20] == EXPECTED[0, 0] == 0
    assert np.count_nonzero(EXPECTED) == 20 * 4 + 20 * 4


@given(st.tuples(*[st.integers(0, 255)] * 3), st.tuples(*[st.integers(0, 255)] * 3))
def test_any_two_colours_that_can_be_told_apart(
    paper: tuple[int, ...], pen: tuple[int, ...]
) -> None:
    ink = ink_from_image(drawing(paper, pen))
    apart = max(abs(a - b) for a, b in zip(paper, pen, strict=True)) >= 16
    np.testing.assert_array_equal(ink, EXPECTED if apart else np.zeros_like(EXPECTED))


@pytest.mark.parametrize("pen", [(0, 0, 0, 255), (255, 255, 255, 255), (90, 120, 200, 255)])
@pytest.mark.parametrize("under", [(0, 0, 0, 0), (255, 255, 255, 0)])
def test_any_pen_on_a_transparent_ground(pen: tuple[int, ...], under: tuple[int, ...]) -> None:
    np.testing.assert_array_equal(ink_from_image(drawing(under, pen, "RGBA")), EXPECTED)


def test_a_card_with_transparent_corners() -> None:
    image = drawing((255, 255, 255, 255), (0, 0, 0, 255), "RGBA")
    for corner in ((0, 0), (37, 0), (0, 37), (37, 37)):
        image.paste((0, 0, 0, 0), (*corner, corner[0] + 3, corner[1] + 3))
    np.testing.assert_array_equal(ink_from_image(image), EXPECTED)


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "HSV", "LAB", "LA", "RGBX"])
def test_any_colour_mode(mode: str) -> None:
    image = drawing((255, 255, 255), (0, 0, 0))
    source = image.convert("L").convert(mode) if mode in ("1", "LA") else image.convert(mode)
    np.testing.assert_array_equal(ink_from_image(source) > 127, EXPECTED > 127)


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_deep_grey(dtype: type) -> None:
    grey = np.where(EXPECTED > 0, 100, 40_000).astype(dtype)
    np.testing.assert_array_equal(ink_from_image(Image.fromarray(grey)), EXPECTED)


def test_a_palette_with_a_transparent_entry() -> None:
    image = Image.new("P", (40, 40), 0)
    image.putpalette([9, 9, 9, 0, 0, 0])
    image.paste(1, (10, 8, 30, 12))
    image.paste(1, (26, 8, 30, 32))
    image.info["transparency"] = 0
    np.testing.assert_array_equal(ink_from_image(image), EXPECTED)


def test_a_thin_frame_is_not_the_paper() -> None:
    image = drawing((255, 255, 255), (0, 0, 0))
    framed = Image.new("RGB", (42, 42), (0, 0, 0))
    framed.paste(image, (1, 1))
    np.testing.assert_array_equal(ink_from_image(framed)[1:-1, 1:-1], EXPECTED)


@pytest.mark.parametrize("colour", [(0, 0, 0, 0), (255, 0, 0, 255), (7, 7, 7, 100)])
def test_nothing_drawn_is_all_paper(colour: tuple[int, ...]) -> None:
    assert not ink_from_image(Image.new("RGBA", (30, 20), colour)).any()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 2)])
def test_tiny_images_are_accepted(size: tuple[int, int]) -> None:
    assert ink_from_image(Image.new("L", size, 3)).shape == size[::-1]
