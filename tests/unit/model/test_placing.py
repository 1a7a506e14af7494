"""Many parts are placed as each would be alone, and what is around them in the same place."""

import numpy as np
import numpy.typing as npt
import pytest

from mnist_model.normalise import DIGIT_SIDE, FINE, crop_bounds, place, thicken
from mnist_model.placing import Part, part_of, place_all, thickened
from tests.unit.model.test_normalise import cropped, drawn

Ink = npt.NDArray[np.uint8]


def alone(ink: Ink) -> Part:
    return Part(ink, np.zeros_like(ink), (0, 0, ink.shape[1], ink.shape[0]))


def test_many_are_placed_as_each_is() -> None:
    inks = [
        cropped(drawn(scale, max(1, round(width * scale)), 300))
        for scale in (0.2, 0.3, 0.5, 1)
        for width in (6, 12, 24)
    ]
    inks += [np.full((1, 1), 255, np.uint8), np.full((40, 3), 255, np.uint8), drawn()[20:200]]
    inks += inks[::-1]
    placed = place_all([alone(ink) for ink in inks])
    assert placed.dtype == np.uint8
    np.testing.assert_allclose(placed[..., 0].astype(int), [place(ink) for ink in inks], atol=3)
    assert not placed[..., 1].any()
    assert place_all([]).shape == (0, 28, 28, 2)


def test_a_part_is_placed_alike_wherever_it_is_in_its_window() -> None:
    ink = cropped(drawn(0.5))
    height, width = ink.shape
    moved = np.pad(ink, ((30, 5), (50, 20)))
    window = Part(moved, np.zeros_like(moved), (50, 30, 50 + width, 30 + height))
    placed = place_all([alone(ink), window]).astype(int)
    np.testing.assert_allclose(placed[1], placed[0], atol=1)


@pytest.mark.parametrize(
    ("box", "window", "inner"),
    [
        # Left, top, right, bottom; 20 pixels high, so that 14 around it are seen.
        ((100, 60, 110, 80), (86, 46, 124, 94), (99, 59, 111, 81)),
        ((0, 0, 10, 20), (0, 0, 24, 34), (0, 0, 11, 21)),
        ((290, 180, 300, 200), (276, 166, 300, 200), (289, 179, 300, 200)),
    ],
    ids=["inside", "upper left", "lower right"],
)
def test_a_part_s_window_reaches_as_far_as_a_picture_does(
    box: tuple[int, int, int, int], window: tuple[int, ...], inner: tuple[int, ...]
) -> None:
    work, atom = np.zeros((2, 200, 300), np.uint8)
    left, top, right, bottom = box
    work[top:bottom, left:right], atom[top:bottom, left:right] = 255, 1
    part = part_of(work, atom, (0, 1), box)
    assert part.ink.shape == (window[3] - window[1], window[2] - window[0])
    assert part.box == tuple(np.subtract(inner, window[:2] * 2))


def two_bars(width: int = 4) -> tuple[Ink, Ink]:
    """A high bar that is atom 1, a shorter one to its right that is atom 2; 40 x 60."""
    work, atom = np.zeros((2, 40, 60), np.uint8)
    work[:, 20 : 20 + width], atom[:, 20 : 20 + width] = 255, 1
    work[20:30, 32 : 32 + width], atom[20:30, 32 : 32 + width] = 255, 2
    return work, atom


def test_what_is_around_lies_where_it_is_beside_the_part() -> None:
    work, atom = two_bars()
    part = part_of(work, atom, (0, 1), (20, 0, 24, 40))
    assert part.ink.sum() == 40 * 4 * 255
    assert part.around.sum() == 10 * 4 * 255
    ((ink, around),) = place_all([part]).transpose(0, 3, 1, 2)
    columns, rows = np.nonzero(around.sum(axis=0))[0], np.nonzero(around.sum(axis=1))[0]
    middle = np.average(np.arange(28) + 0.5, weights=ink.sum(axis=0))
    step = 42 / 20  # the bar and a pixel of margin on each side
    assert abs((columns.mean() + 0.5 - middle) - 12 / step) < 0.6
    assert rows.min() > np.nonzero(ink.sum(axis=1))[0].min() + 7


def test_what_is_far_away_is_not_seen() -> None:
    work, atom = two_bars()
    work, atom = (np.pad(one, ((0, 0), (0, 60))) for one in (work, atom))
    work[:, 80:84], atom[:, 80:84] = 255, 3
    part = part_of(work, atom, (0, 1), (20, 0, 24, 40))
    assert part.around.sum() == 10 * 4 * 255


def test_thin_strokes_are_thickened_as_alone_and_what_is_around_as_much() -> None:
    work, atom = two_bars(width=1)
    part = part_of(work, atom, (0, 1), (20, 0, 21, 40))
    left, top, right, bottom = part.box
    thick = thickened(part)
    expected = place(thicken(part.ink[top:bottom, left:right]))
    ((ink, around),) = place_all([thick]).transpose(0, 3, 1, 2)
    assert np.abs(ink.astype(int) - expected).mean() < 8
    assert ink.sum() > place_all([part])[..., 0].sum()
    assert around.sum() > 1.5 * place_all([part])[..., 1].sum()


@pytest.mark.parametrize("lying", [False, True])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 5])
def test_strokes_are_thickened_when_they_would_be_alone_and_stay_in_their_box(
    width: int, lying: bool
) -> None:
    work, atom = two_bars(width)
    work, atom = (np.pad(one, ((9, 0), (0, 0))) for one in (work, atom))
    box = (20, 9, 20 + width, 49)
    if lying:
        work, atom, box = work.T, atom.T, (box[1], box[0], box[3], box[2])
    part = part_of(work, atom, (0, 1), box)
    left, top, right, bottom = part.box
    thick, crop = thickened(part), part.ink[top:bottom, left:right]
    assert (thick is part) == (thicken(crop) is crop)
    if thick is part:
        return
    margin = FINE * DIGIT_SIDE / max(crop.shape) + 1  # the box had a pixel free on each side
    edges = crop_bounds(thick.ink)
    for edge, side in zip((edges[2], edges[0], edges[3], edges[1]), thick.box, strict=True):
        assert abs(edge - side) <= margin
    assert thick.ink.shape == thick.around.shape


def test_wide_strokes_stay_as_they_are() -> None:
    work, atom = two_bars(width=8)
    part = part_of(work, atom, (0, 1), (20, 0, 28, 40))
    assert thickened(part) is part
