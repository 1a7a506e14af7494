"""Shadows, ruled paper and noise do not change the picture; nothing is taken off a plain digit."""

import io

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mnist_model.data import Mnist
from mnist_model.ink import ink_from_image
from mnist_model.normalise import normalise
from mnist_model.paper import even_light, without_rules
from tests.unit.model.test_normalise import EXPECTED, difference, drawn

Grey = npt.NDArray[np.float64]
PAGE: Grey = 250 - drawn() * (210 / 255)
"""A dark 5 on light paper, 280x280."""
ROWS, COLUMNS = np.mgrid[:280, :280]


def read(page: Grey) -> float:
    """How far the picture is from that of the plain drawing."""
    image = Image.fromarray(page.clip(0, 255).astype(np.uint8))
    return difference(EXPECTED, normalise(ink_from_image(image)))


def ruled(rows: slice, columns: slice, brightness: int) -> Grey:
    page = PAGE.copy()
    page[rows, columns] = np.minimum(page[rows, columns], brightness)
    return page


EVERYWHERE = slice(None)


@pytest.mark.parametrize("brightness", [60, 120, 200])
@pytest.mark.parametrize("row", [0, 100, 120, 205, 270])
def test_a_ruled_line_below_or_through_the_digit(row: int, brightness: int) -> None:
    assert read(ruled(slice(row, row + 3), EVERYWHERE, brightness)) < 0.1


@pytest.mark.parametrize("first", [0, 10])
def test_squared_paper(first: int) -> None:
    page = np.minimum(
        ruled(slice(first, None, 28), EVERYWHERE, 120),
        ruled(EVERYWHERE, slice(first, None, 28), 120),
    )
    assert read(page) < 0.1


def test_a_dotted_line() -> None:
    page = ruled(slice(200, 204), EVERYWHERE, 60)
    page[200:204] = np.where(COLUMNS[200:204] % 10 < 5, page[200:204], PAGE[200:204])
    assert read(page) < 0.1


@pytest.mark.parametrize("darkest", [0.4, 0.6, 0.9])
@pytest.mark.parametrize("across", [ROWS, COLUMNS, ROWS + COLUMNS, 560 - ROWS - COLUMNS])
def test_light_from_one_side(across: Grey, darkest: float) -> None:
    assert read(PAGE * (darkest + (1 - darkest) * across / across.max())) < 0.35


def test_dark_corners_of_a_photo() -> None:
    far = ((ROWS - 140) ** 2 + (COLUMNS - 140) ** 2) / (2 * 140**2)
    assert read(PAGE * (1 - 0.5 * far)) < 0.35


def test_chalk_on_a_board_in_uneven_light() -> None:
    assert read(255 - PAGE * (0.5 + 0.5 * COLUMNS / 280)) < 0.35


@pytest.mark.parametrize("seed", range(3))
def test_noise(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 12, PAGE.shape)
    assert read(PAGE + noise) < 0.15


@pytest.mark.parametrize("quality", [10, 30, 75])
def test_jpeg(quality: int) -> None:
    file = io.BytesIO()
    Image.fromarray(PAGE.astype(np.uint8)).save(file, "JPEG", quality=quality)
    image = Image.open(file)
    assert difference(EXPECTED, normalise(ink_from_image(image))) < 0.15


def test_even_light_is_left_alone() -> None:
    for bands in ([PAGE.astype(np.uint8)] * count for count in (1, 3)):
        assert even_light(bands) is bands


@given(st.integers(0, 59_999), st.integers(1, 9))
@settings(max_examples=50, deadline=None)
def test_a_digit_that_fills_its_picture_loses_nothing(
    mnist: Mnist, number: int, scale: int
) -> None:
    picture = mnist.train_pictures[number]
    rows, columns = (np.flatnonzero((picture >= 64).any(axis=axis)) for axis in (1, 0))
    tight = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    large = tight.repeat(scale, axis=0).repeat(scale, axis=1)
    assert without_rules(large) is large


@given(st.integers(1, 40), st.integers(1, 40))
def test_a_block_is_no_ruled_line(height: int, width: int) -> None:
    block = np.full((height, width), 255, np.uint8)
    np.testing.assert_array_equal(without_rules(block), block)
