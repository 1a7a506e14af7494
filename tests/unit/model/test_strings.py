"""Composed strings are what they say: text, boxes, gaps, and the same again by their seed."""

import numpy as np
import pytest

from mnist_model.components import label_runs
from mnist_model.data import Mnist
from mnist_model.pieces import NO_DIGIT, line_pieces, pieces_and_truth
from mnist_model.strings import GAPS, Line, compose


def of(mnist: Mnist, spacing: str, count: int = 20, seed: int = 5, length: int = 5) -> list[Line]:
    return compose(
        mnist.train_pictures[:500], mnist.train_labels[:500], seed, spacing, length, count
    )


@pytest.mark.parametrize("spacing", [*GAPS, "mixed"])
def test_the_same_seed_composes_the_same(mnist: Mnist, spacing: str) -> None:
    few, many = of(mnist, spacing, 3), of(mnist, spacing, 5)
    for one, other in zip(few, many, strict=False):
        np.testing.assert_array_equal(one.ink, other.ink)
        assert (one.text, one.boxes, one.spacing) == (other.text, other.boxes, other.spacing)
    assert of(mnist, spacing, 3, seed=6)[0].text != few[0].text


@pytest.mark.parametrize("spacing", GAPS)
@pytest.mark.parametrize("length", [1, 5, 9])
def test_text_and_boxes_fit_the_ink(mnist: Mnist, spacing: str, length: int) -> None:
    for line in of(mnist, spacing, 5, length=length):
        assert len(line.text) == len(line.boxes) == length
        assert line.spacing == spacing
        assert line.ink.dtype == np.uint8
        height, width = line.ink.shape
        for number, box in enumerate(line.boxes, 1):
            assert 0 < box.left < box.right < width
            assert 0 < box.top < box.bottom < height
            rows, columns = np.nonzero(line.owner == number)
            assert box.left <= columns.min() <= columns.max() < box.right
            assert box.top <= rows.min() <= rows.max() < box.bottom
        assert not line.ink[line.owner == 0].any()


def components(line: Line) -> int:
    runs = label_runs(line.ink >= 64)
    size = np.bincount(runs.component, weights=runs.stop - runs.start)
    return int((size > 0.05 * size.max()).sum())


def test_digits_apart_have_paper_between_them(mnist: Mnist) -> None:
    for line in of(mnist, "apart"):
        for one, other in zip(line.boxes, line.boxes[1:], strict=False):
            assert other.left - one.right >= 0.1 * (one.bottom - one.top)


@pytest.mark.parametrize("spacing", ["touching", "overlapping"])
def test_touching_digits_hang_together(mnist: Mnist, spacing: str) -> None:
    counts = [components(line) for line in of(mnist, spacing)]
    assert np.mean(counts) < 1.5  # a stroke that is apart in its own digit stays so


def test_close_digits_do_not_touch(mnist: Mnist) -> None:
    assert min(components(line) for line in of(mnist, "close")) >= 5


def test_mixed_has_all_spacings(mnist: Mnist) -> None:
    assert {line.spacing for line in of(mnist, "mixed", 60)} == set(GAPS)


def test_scales_differ_from_string_to_string(mnist: Mnist) -> None:
    heights = [line.boxes[0].bottom - line.boxes[0].top for line in of(mnist, "apart", 40)]
    assert min(heights) < 35
    assert max(heights) > 60


def test_another_spacing_is_refused(mnist: Mnist) -> None:
    with pytest.raises(ValueError, match="apart, uneven, close"):
        of(mnist, "tight")


def test_pieces_of_strings_apart_hold_every_digit(mnist: Mnist) -> None:
    found = [(line, *pieces_and_truth(line)) for line in of(mnist, "apart")]
    whole = [set(truth) >= {int(digit) for digit in line.text} for line, _, truth in found]
    assert np.mean(whole) > 0.9


def test_most_pieces_of_touching_strings_are_no_digit(mnist: Mnist) -> None:
    pictures, what = line_pieces(mnist.train_pictures[:500], mnist.train_labels[:500], 3, 20)
    assert len(pictures) == len(what)
    assert pictures.shape[1:] == (28, 28, 2)
    assert set(what) <= {*range(10), NO_DIGIT}
    assert 0.5 < (what == NO_DIGIT).mean() < 0.95


def can_be_read(line: Line) -> bool:
    """Whether some row of pieces that leaves out none is known to be the line's text."""
    pieces, truth = pieces_and_truth(line)
    texts: list[set[str]] = [{""}]
    for node in range(1, int(pieces.stop.max()) + 1):
        ways = [n for n in np.flatnonzero(pieces.stop == node) if 0 <= truth[n] < NO_DIGIT]
        texts.append({text + str(truth[n]) for n in ways for text in texts[pieces.first[n]]})
    return line.text in texts[-1]


@pytest.mark.parametrize("spacing", ["touching", "overlapping"])
def test_touching_digits_are_among_the_pieces(mnist: Mnist, spacing: str) -> None:
    assert np.mean([can_be_read(line) for line in of(mnist, spacing, 60)]) > 0.9
