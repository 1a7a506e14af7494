"""A line of digits is read, whatever its spacing, slope, size and colours; never a surprise."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw

from mnist_model.classify import Classifier
from mnist_model.components import label_runs
from mnist_model.data import Mnist
from mnist_model.ink import Ink, ink_from_image
from mnist_model.line import MOST_DIGITS, Reading, TooManyDigitsError, read_line
from mnist_model.normalise import NoDigitError, NoInkError, TooMuchInkError
from mnist_model.release import verify_release
from mnist_model.strings import compose
from tests.unit.model.conftest import FIXTURE

STROKES = {  # in a box of 60x100
    "0": [[(30, 0), (5, 25), (0, 60), (15, 100), (40, 98), (60, 60), (55, 20), (30, 0)]],
    "1": [[(30, 0), (28, 100)]],
    "2": [[(0, 20), (20, 0), (50, 5), (55, 30), (0, 98), (60, 100)]],
    "3": [[(2, 5), (50, 0), (25, 42), (55, 65), (40, 97), (0, 95)]],
    "4": [[(20, 0), (0, 60), (60, 58)], [(45, 25), (42, 100)]],
    "5": [[(8, 5), (5, 45), (35, 38), (58, 65), (40, 97), (2, 95)], [(8, 5), (55, 0)]],
    "7": [[(0, 2), (58, 0), (22, 100)]],
}
"""Digits as people draw them, stroke by stroke."""


@cache
def classifier() -> Classifier:
    return Classifier(verify_release(FIXTURE))


def written(
    text: str, gap: float = 30, slope: float = 0, sizes: tuple[float, ...] = (1,), width: int = 11
) -> Ink:
    """Write digits of 100 pixels' height; gap: between their boxes, in pixels."""
    paper = Image.new("L", (round(60 + len(text) * (max(sizes) * 60 + max(gap, 0))), 400))
    pen = ImageDraw.Draw(paper)
    left = 30.0
    for number, digit in enumerate(text):
        size = sizes[number % len(sizes)]
        top = 130 + slope * left + (1 - size) * 50
        for stroke in STROKES[digit]:
            points = [(left + x * size, top + y * size) for x, y in stroke]
            pen.line(points, fill=255, width=width, joint="curve")
            for x, y in points:
                pen.circle((x, y), width / 2, fill=255)
        left += 60 * size + gap
    return np.array(paper)


def read(ink: Ink, length: int | None = None) -> str:
    return read_line(ink, classifier(), length).text


def test_what_a_reading_holds() -> None:
    ink = written("20573")
    reading = read_line(ink, classifier())
    assert reading.text == "20573" == "".join(str(one.digit) for one in reading.digits)
    assert 0.5 < reading.confidence <= 1
    assert reading.certain == (reading.confidence >= classifier().release.certain_line)
    for one in reading.digits:
        assert len(one.probabilities) == 10
        assert sum(one.probabilities) == pytest.approx(1, abs=1e-4)
        assert one.confidence == one.probabilities[one.digit]
        assert one.picture.shape == (28, 28)
    for number, one in enumerate(reading.digits):
        assert abs(one.box.left - (30 + 90 * number)) <= 8
        assert abs(one.box.right - (90 + 90 * number)) <= 8
        assert abs(one.box.top - 130) <= 8
        assert abs(one.box.bottom - 230) <= 8


@pytest.mark.parametrize("gap", [12, 30, 80, 150])
def test_digits_apart(gap: float) -> None:
    assert read(written("30247", gap)) == "30247"


def test_uneven_spacing() -> None:
    first, second = written("20", 20), written("573", 110)
    between = np.zeros((400, 200), np.uint8)
    assert read(np.hstack([first, between, second])) == "20573"


@pytest.mark.parametrize("slope", [-0.15, 0.15])
def test_a_line_that_climbs_or_sags(slope: float) -> None:
    assert read(written("20573", slope=slope)) == "20573"


def test_digits_of_different_sizes() -> None:
    assert read(written("20573", sizes=(1.0, 0.75, 1.1))) == "20573"


@pytest.mark.parametrize("text", ["5", "55", "2505", "45"])
def test_a_five_whose_hat_is_apart_and_a_four_in_two_strokes(text: str) -> None:
    ink = written(text, 35)
    for number in range(len(text)):  # cut the hats off along a slanted line
        left = 30 + 95 * number
        ink[118:142, left + 16 : left + 24] = 0
    assert read(ink) == text


def pushed_together(text: str) -> Ink:
    """Write two digits so close that they just touch."""
    for gap in range(20, -60, -1):
        ink = written(text, gap)
        if label_runs(ink >= 64).component.max() == 0:
            return ink
    raise AssertionError(f"{text} never touch")


@pytest.mark.parametrize("text", ["20", "30", "02", "35", "40", "53"])
def test_touching_pairs(text: str) -> None:
    assert read(pushed_together(text), 2) == text


@pytest.mark.parametrize("width", [1, 2, 4, 8, 16, 24])
@pytest.mark.parametrize("text", ["20573", "30205"])
def test_thin_and_thick_pens(text: str, width: int) -> None:
    assert read(written(text, width=width)) == text


@pytest.mark.parametrize("text", ["1", "11", "1111"])
def test_ones(text: str) -> None:
    assert read(written(text, 10)) == text


@pytest.mark.parametrize("length", [4, 5, 6])
def test_the_length_asked_for_is_kept_where_it_is_possible(length: int) -> None:
    assert len(read(written("20573"), length)) == length


def test_a_length_that_is_not_possible_is_only_a_hint() -> None:
    assert read(written("1"), 9) == "1"
    assert read(written("20573"), 1) == "20573"


@pytest.mark.parametrize("length", [0, -1, MOST_DIGITS + 1])
def test_a_length_out_of_range_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="1 to 20"):
        read(written("1"), length)


def test_twenty_digits_are_read_and_more_are_refused() -> None:
    assert read(written("20573" * 4)) == "20573" * 4
    with pytest.raises(TooManyDigitsError, match="20"):
        read(written("20573" * 5))


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (30, 90), (4000, 4000)])
def test_nothing_drawn_is_an_error(shape: tuple[int, int]) -> None:
    with pytest.raises(NoInkError):
        read(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("shape", [(28, 28), (100, 500), (4000, 4000)])
def test_a_filled_picture_is_no_line(shape: tuple[int, int]) -> None:
    with pytest.raises(TooMuchInkError):
        read(np.full(shape, 255, np.uint8))


@pytest.mark.parametrize("wrong", [np.zeros((9, 9)), np.zeros((9, 9, 3), np.uint8)])
def test_what_is_no_ink_array_is_refused(wrong: Ink) -> None:
    with pytest.raises(TypeError, match="uint8"):
        read(wrong)


LINE = written("20573")


@given(st.integers(0, 300), st.integers(0, 300))
@settings(max_examples=10, deadline=None)
def test_the_place_does_not_matter(right: int, down: int) -> None:
    moved = np.pad(LINE, ((down, 300 - down), (right, 300 - right)))
    found, plain = (read_line(ink, classifier()) for ink in (moved, LINE))
    assert found.text == plain.text
    assert found.confidence == pytest.approx(plain.confidence, abs=1e-4)
    for one, other in zip(found.digits, plain.digits, strict=True):
        assert tuple(np.subtract(one.box, other.box)) == (right, down, right, down)


@pytest.mark.parametrize("scale", [2, 3, 5])
def test_the_scale_does_not_matter(scale: int) -> None:
    large = LINE.repeat(scale, axis=0).repeat(scale, axis=1)
    found, plain = (read_line(ink, classifier()) for ink in (large, LINE))
    assert found.text == plain.text
    for one, other in zip(found.digits, plain.digits, strict=True):
        apart = np.subtract(one.box, np.multiply(other.box, scale))
        assert np.abs(apart).max() <= 3 * scale + 3  # the edge of a stroke


@given(st.tuples(*[st.integers(0, 255)] * 3), st.tuples(*[st.integers(0, 255)] * 3))
@settings(max_examples=10, deadline=None)
def test_the_colours_do_not_matter(paper: tuple[int, ...], pen: tuple[int, ...]) -> None:
    image = Image.new("RGB", LINE.shape[::-1], paper)
    image.paste(pen, mask=Image.fromarray(LINE))
    apart = max(abs(a - b) for a, b in zip(paper, pen, strict=True))
    ink = ink_from_image(image)
    if apart >= 32:
        assert read(ink) == "20573"
    elif apart < 16:
        assert not ink.any()


def documented(ink: Ink, length: int | None) -> Reading | None:
    """Read, and check all that holds of any reading; None for a documented error."""
    try:
        reading = read_line(ink, classifier(), length)
    except NoDigitError:
        return None
    assert 1 <= len(reading.text) == len(reading.digits) <= MOST_DIGITS
    assert 0 <= reading.confidence <= 1
    height, width = ink.shape
    for one in reading.digits:
        assert 0 <= one.box.left < one.box.right <= width
        assert 0 <= one.box.top < one.box.bottom <= height
        assert 0 <= one.confidence <= 1
    middles = [(one.box.left + one.box.right) / 2 for one in reading.digits]
    reach = max(one.box.right - one.box.left for one in reading.digits)
    assert all(b > a - reach for a, b in pairwise(middles))
    return reading


@given(
    arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=60)),
    st.none() | st.integers(1, MOST_DIGITS),
)
@settings(max_examples=60, deadline=None)
def test_any_small_ink_is_read_or_refused_as_documented(ink: Ink, length: int | None) -> None:
    documented(ink, length)


@given(
    st.sampled_from([1, 2, 27, 500, 1999, 4000]),
    st.sampled_from([1, 2, 27, 500, 1999, 4000]),
    st.lists(
        st.tuples(*[st.floats(0, 1)] * 4, st.integers(1, 80), st.integers(1, 255)), max_size=6
    ),
)
@settings(max_examples=25, deadline=None)
def test_any_large_ink_is_read_or_refused_as_documented(
    width: int, height: int, strokes: list[tuple[float, float, float, float, int, int]]
) -> None:
    paper = Image.new("L", (width, height))
    pen = ImageDraw.Draw(paper)
    for x, y, to_x, to_y, thick, strength in strokes:
        ends = [(x * width, y * height), (to_x * width, to_y * height)]
        pen.line(ends, fill=strength, width=thick)
    documented(np.array(paper), None)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5])
@pytest.mark.parametrize("shape", [(60, 300), (1000, 1000)])
def test_noise_is_read_or_refused_as_documented(share: float, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).random(shape) < share
    documented(noise.astype(np.uint8) * 255, None)


@pytest.mark.parametrize(
    ("spacing", "length", "least"),
    [("apart", 5, 0.9), ("uneven", 5, 0.9), ("close", 5, 0.88), ("touching", 5, 0.72)],
)
def test_composed_strings_are_read(
    mnist: Mnist, spacing: str, length: int | None, least: float
) -> None:
    lines = compose(mnist.train_pictures, mnist.train_labels, 9, spacing, 5, 60)
    assert np.mean([read(line.ink, length) == line.text for line in lines]) >= least


def test_confidence_tells_right_from_wrong(mnist: Mnist) -> None:
    lines = compose(mnist.train_pictures, mnist.train_labels, 9, "mixed", 5, 120)
    readings = [read_line(line.ink, classifier()) for line in lines]
    right = np.array(
        [reading.text == line.text for reading, line in zip(readings, lines, strict=True)]
    )
    confidence = np.array([reading.confidence for reading in readings])
    above = confidence[right, np.newaxis] > confidence[~right]
    assert right.any()
    assert not right.all()
    assert above.mean() > 0.8  # area under the receiver's operating characteristic
