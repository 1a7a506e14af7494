"""The 28x28 picture does not depend on where, how large or how thin a digit was drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw

from mnist_model.ink import LEAST_CONTRAST, Ink
from mnist_model.normalise import (
    THINNEST_STROKE,
    NoDigitError,
    NoInkError,
    TooMuchInkError,
    crop_bounds,
    full_range,
    normalise,
    stages,
    stroke_width,
    thicken,
    widen,
)

FIVE = [(150, 50), (80, 50), (75, 110), (120, 100), (155, 140), (120, 190), (70, 180)]


def drawn(scale: float = 1, width: int = 24, size: int = 280, at: tuple[int, int] = (0, 0)) -> Ink:
    """Draw a 5 as a page would: strokes with round ends, anti-aliased."""
    fine = 4
    image = Image.new("L", (size * fine, size * fine))
    pen = ImageDraw.Draw(image)
    points = [((x * scale + at[0]) * fine, (y * scale + at[1]) * fine) for x, y in FIVE]
    pen.line(points, fill=255, width=width * fine, joint="curve")
    for x, y in (points[0], points[-1]):
        radius = width * fine / 2
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.array(image.reduce(fine))


def difference(one: Ink, other: Ink) -> float:
    """Mean difference in parts of the mean ink."""
    apart: float = np.abs(one.astype(float) - other).sum() / one.sum()
    return apart


def extent(picture: Ink) -> tuple[int, int]:
    rows, columns = np.nonzero(picture >= 64)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


EXPECTED = normalise(drawn())
FULL_LENGTH = (20, 21)  # 20 pixels long, seldom exactly on the grid


def test_it_is_what_mnists_makers_describe() -> None:
    assert EXPECTED.shape == (28, 28)
    assert EXPECTED.dtype == np.uint8
    assert EXPECTED.max() == 255
    assert max(extent(EXPECTED)) in FULL_LENGTH
    mass = EXPECTED / EXPECTED.sum()
    middle = np.arange(28) + 0.5
    assert mass.sum(axis=1) @ middle == pytest.approx(14.5, abs=0.1)
    assert mass.sum(axis=0) @ middle == pytest.approx(14.5, abs=0.1)


def test_the_aspect_ratio_is_kept() -> None:
    tall = np.zeros((100, 100), np.uint8)
    tall[20:80, 40:55] = 255
    tall[25:75, 45:50] = 0
    height, width = extent(normalise(tall))
    assert height in FULL_LENGTH
    assert width in (5, 6)
    assert extent(normalise(tall.T.copy())) == (width, height)


@given(st.integers(-50, 100), st.integers(-30, 70))
@settings(max_examples=25)
def test_the_place_does_not_matter(right: int, down: int) -> None:
    assert difference(EXPECTED, normalise(drawn(at=(right, down)))) < 0.01


@pytest.mark.parametrize("scale", [0.3, 0.5, 1.5, 2.5, 5, 12])
def test_the_scale_does_not_matter(scale: float) -> None:
    size = max(60, round(230 * scale))
    assert difference(EXPECTED, normalise(drawn(scale, max(1, round(24 * scale)), size))) < 0.2


def test_a_picture_as_in_mnist_stays_as_it_is() -> None:
    assert difference(EXPECTED, normalise(EXPECTED)) < 0.25


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("scale", [1, 4])
def test_thin_strokes_are_not_lost(width: int, scale: int) -> None:
    picture = normalise(drawn(scale, width, 280 * scale))
    assert max(extent(picture)) in FULL_LENGTH
    on_the_way = [(7, 14), (14, 12)]  # the hat and the bow's beginning
    for row, column in on_the_way:
        assert picture[row - 3 : row + 4, column - 2 : column + 3].max() > 150
    assert 0.5 < picture.sum() / EXPECTED.sum() < 1.1


def cropped(ink: Ink) -> Ink:
    top, bottom, left, right = crop_bounds(ink)
    return ink[top:bottom, left:right]


def width_in_picture(ink: Ink) -> float:
    return stroke_width(ink) * 20 / max(ink.shape)


@pytest.mark.parametrize("width", [1, 2, 4, 8, 12, 14, 16, 20])
def test_strokes_become_as_wide_as_thin_ones_of_mnist_and_no_wider(width: int) -> None:
    ink = cropped(drawn(width=width))
    wider = thicken(ink)
    assert (wider is ink) == (width_in_picture(ink) >= THINNEST_STROKE)
    if wider is not ink:
        assert THINNEST_STROKE <= width_in_picture(wider) < THINNEST_STROKE + 0.8


def test_the_thinnest_line_is_widened_by_a_pixel_on_each_side_for_every_step() -> None:
    line = np.full((1, 200), 255, np.uint8)
    line[:, 100:] = 64  # a stroke just so
    assert np.array_equal(widen(line, 0.4, 3), np.full((1 + 6, 80 + 6), 255))


@pytest.mark.parametrize("scale", [2.1, 3, 5, 12])
def test_large_ink_is_reduced_before_it_is_worked_on(scale: float) -> None:
    crop = stages(drawn(scale, round(24 * scale), round(230 * scale))).crop
    assert 160 <= max(crop.shape) <= 320


def test_the_edge_of_a_stroke_is_a_pixel_wide_and_faint() -> None:
    ink = np.zeros((20, 30), np.uint8)
    ink[5:13, 10:20] = LEAST_CONTRAST
    ink[7:11, 12:18] = 64
    assert crop_bounds(ink) == (6, 12, 11, 19)
    with pytest.raises(NoInkError):
        crop_bounds(np.minimum(ink, 63))


def test_the_strongest_ink_becomes_255_and_paper_stays_0() -> None:
    ink = np.array([[0, 25, 50, 100]], np.uint8)
    assert full_range(ink).tolist() == [[0, 63, 127, 255]]
    faint = np.array([[0, LEAST_CONTRAST - 1]], np.uint8)
    assert full_range(faint).tolist() == faint.tolist()
    assert full_range(np.array([[0, LEAST_CONTRAST]], np.uint8)).tolist() == [[0, 255]]


def test_faint_ink_counts_in_full() -> None:
    assert difference(EXPECTED, normalise((drawn() * 0.2).astype(np.uint8))) < 0.05


def test_specks_are_ignored() -> None:
    dusty = drawn()
    for row, column in [(5, 5), (270, 9), (140, 275), (20, 200)]:
        dusty[row : row + 3, column : column + 3] = 255
    assert difference(EXPECTED, normalise(dusty)) < 0.01


@pytest.mark.parametrize("strength", [255, 64])
@pytest.mark.parametrize(("rows", "kept"), [(16, False), (17, True)])
def test_a_speck_is_measured_by_its_pixels(rows: int, kept: bool, strength: int) -> None:
    corner = np.zeros((60, 200), np.uint8)
    corner[10:54, 20:30] = corner[44:54, 20:122] = 255  # 1360 pixels: 68 are 5% of them
    with_speck = corner.copy()
    with_speck[20 : 20 + rows, 90:94] = strength
    cleared = np.array_equal(stages(with_speck).crop, stages(corner).crop)
    assert cleared is not kept


def test_a_hat_apart_from_its_five_is_no_speck() -> None:
    broken = drawn()
    broken[:, 92:98] = 0
    assert difference(EXPECTED, normalise(broken)) < 0.25


def test_no_ink_is_cut_off_when_the_mass_is_far_from_the_middle() -> None:
    lopsided = np.zeros((200, 200), np.uint8)
    lopsided[150:190, 20:60] = 255
    lopsided[168:172, 20:180] = 255
    picture = normalise(lopsided)
    assert extent(picture)[1] in FULL_LENGTH


def test_no_ink_is_cut_off_at_the_other_end_either() -> None:
    lopsided = np.zeros((20, 20), np.uint8)
    lopsided[:, 17:] = 255
    lopsided[10] = 255
    assert extent(normalise(lopsided))[1] == 20


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (1, 1), (28, 28), (300, 400)])
def test_nothing_drawn_is_an_error(shape: tuple[int, int]) -> None:
    with pytest.raises(NoInkError, match=r"^there is no ink"):
        normalise(np.zeros(shape, np.uint8))


def test_both_errors_are_of_one_kind() -> None:
    assert issubclass(NoInkError, NoDigitError)
    assert issubclass(TooMuchInkError, NoDigitError)


def test_the_stages_lead_to_the_picture() -> None:
    way = stages(drawn())
    np.testing.assert_array_equal(way.picture, EXPECTED)
    assert way.crop.shape == (164, 109)
    assert way.fitted.shape == (20, 20)
    assert extent(way.fitted) == (20, 14)
    assert difference(normalise(way.fitted), EXPECTED) < 0.25


@pytest.mark.parametrize("ink", [drawn(), drawn().T.copy()], ids=["upright", "lying"])
def test_what_is_fitted_is_in_the_middle(ink: Ink) -> None:
    rows, columns = np.nonzero(stages(ink).fitted)
    for along in (rows, columns):
        assert abs(along.min() - (19 - along.max())) <= 1


@pytest.mark.parametrize("wrong", [np.zeros((9, 9)), np.zeros((9, 9, 3), np.uint8)])
def test_what_is_no_ink_array_is_refused(wrong: Ink) -> None:
    with pytest.raises(TypeError, match="uint8"):
        normalise(wrong)


@pytest.mark.parametrize("shape", [(28, 28), (28, 400), (4000, 4000)])
def test_a_filled_picture_is_no_drawing(shape: tuple[int, int]) -> None:
    with pytest.raises(TooMuchInkError, match=r"^nearly everything is ink.*with strokes"):
        normalise(np.full(shape, 255, np.uint8))


@pytest.mark.parametrize(
    ("paper", "strength", "refused"), [(7, 0, True), (8, 0, False), (8, 63, False), (90, 64, True)]
)
def test_a_digit_leaves_a_twelfth_of_its_box_free(paper: int, strength: int, refused: bool) -> None:
    ink = np.full((10, 10), 255, np.uint8)
    ink.reshape(-1)[5 : 5 + paper] = strength
    if refused:
        with pytest.raises(TooMuchInkError):
            normalise(ink)
    else:
        assert normalise(ink).max() == 255


@pytest.mark.parametrize("shape", [(8, 8), (12, 8), (8, 13)])
def test_a_small_block_is_no_drawing_either(shape: tuple[int, int]) -> None:
    with pytest.raises(TooMuchInkError):
        normalise(np.full(shape, 255, np.uint8))


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 28), (28, 1), (1, 4000), (4000, 1), (400, 90), (7, 7), (13, 8)]
)
def test_a_bar_or_a_dot_of_any_size_may_be_full_ink(shape: tuple[int, int]) -> None:
    picture = normalise(np.full(shape, 255, np.uint8))
    assert picture.shape == (28, 28)
    assert picture.max() == 255


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=60)))
def test_any_ink_gives_a_picture_or_says_that_there_is_none(ink: Ink) -> None:
    try:
        picture = normalise(ink)
    except NoInkError:
        assert ink.max() < 64
    except TooMuchInkError:
        assert np.count_nonzero(ink) > 0.9 * 8 * 8
    else:
        assert picture.shape == (28, 28)
        assert picture.max() == 255
