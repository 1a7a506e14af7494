"""Strings of handwritten digits, composed of MNIST's, with their text and boxes: to test reading.

The generator, written down. One generator of random numbers per string, seeded with (seed, number
of the string), draws in this order:

1. the spacing, if it is "mixed": one of the five, equally likely;
2. the digits, independently, from the pictures given;
3. the scale of the string: digits are 20 x scale pixels high, scale log-uniform in 1 to 4;
   its slant, uniform in -0.25 to 0.25 pixels to the right per pixel upwards; its slope, uniform
   in -0.06 to 0.06 pixels downwards per pixel to the right;
4. for each digit: its own size, uniform in 0.9 to 1.1 times the string's; its own slant, normal
   with deviation 0.05; its distance from the line, normal with deviation 0.03 of its height;
   the gap to the digit before it, uniform in the range of `GAPS`, in heights of a digit.

Each digit is slanted and scaled in one bilinear resampling, and put down in full ink where two
overlap. Gaps are measured between strokes, not between boxes: along the row (or its two
neighbours) in which the two come closest. A negative gap is an overlap of that depth; strokes in
MNIST are about 0.13 heights thick. So "touching" always touches, and boxes may overlap in all but
"apart", whose gaps are between boxes.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_model.ink import Ink
from mnist_model.normalise import DIGIT_SIDE, INK, SIDE
from mnist_model.segment import Box

GAPS: Mapping[str, tuple[float, float]] = {
    "apart": (0.15, 0.5),
    "uneven": (0.05, 1.2),
    "close": (0.04, 0.12),
    "touching": (-0.03, 0.0),
    "overlapping": (-0.08, -0.03),
}
"""Smallest and largest gap between neighbours, in heights of a digit, by the name of a spacing."""
SLANT, SLOPE, LARGEST_SCALE = 0.25, 0.06, 4.0
MARGIN = 0.3
"""Paper around the line, in heights of a digit."""


class Line(NamedTuple):
    """A composed string."""

    ink: Ink
    text: str
    boxes: tuple[Box, ...]
    """Of the digits' ink, in reading order."""
    spacing: str
    owner: Ink
    """Whose ink each pixel shows: 1, 2 … for the digits in reading order, 0 for paper."""


def compose(  # noqa: PLR0913, PLR0917 - what decides a set
    pictures: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    seed: int,
    spacing: str = "mixed",
    length: int = 5,
    count: int = 1000,
) -> list[Line]:
    """Compose strings of digits as the module's docstring says.

    pictures: uint8 (n, 28, 28), 0 paper to 255 ink; labels: uint8 (n,).
    spacing: a name of `GAPS`, or "mixed". The first strings are the same for any `count`.
    Raises: ValueError for another spacing.
    """
    if spacing not in (*GAPS, "mixed"):
        raise ValueError(f"spacing is one of {', '.join(GAPS)}, mixed, not {spacing}")
    return [
        _line(pictures, labels, np.random.default_rng((seed, number)), spacing, length)
        for number in range(count)
    ]


def _line(
    pictures: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    random: np.random.Generator,
    spacing: str,
    length: int,
) -> Line:
    if spacing == "mixed":
        spacing = list(GAPS)[random.integers(len(GAPS))]
    chosen = random.integers(len(labels), size=length)
    scale = math.exp(random.uniform(0, math.log(LARGEST_SCALE)))
    slant, slope = random.uniform(-SLANT, SLANT), random.uniform(-SLOPE, SLOPE)
    height = DIGIT_SIDE * scale
    placed: list[tuple[Ink, int, int]] = []
    for index in chosen:
        size, own_slant, rise = random.uniform(0.9, 1.1), *random.normal(0, (0.05, 0.03))
        gap = round(random.uniform(*GAPS[spacing]) * height)
        digit = _drawn(pictures[index], scale * size, slant + own_slant)
        left = _beside(placed, digit, rise * height, gap, slope, spacing == "apart")
        placed.append((digit, *left))
    ink, boxes, owner = _together(placed, round(MARGIN * height))
    return Line(ink, "".join(str(labels[index]) for index in chosen), boxes, spacing, owner)


def _drawn(picture: Ink, scale: float, slant: float) -> Ink:
    """Scale and slant a picture; returns the ink cut to its box."""
    side = math.ceil(SIDE * scale)
    middle = SIDE / 2
    # The output pixel (x, y) is taken from (a x + b y + c, d x + e y + f).
    reach = math.ceil(abs(slant) * side / 2)
    across = (1 / scale, slant / scale, -reach / scale - slant * middle)
    drawn = Image.fromarray(picture).transform(
        (side + 2 * reach, side),
        Image.Transform.AFFINE,
        (*across, 0, 1 / scale, 0),
        Image.Resampling.BILINEAR,
    )
    ink = np.array(drawn)
    rows, columns = (np.flatnonzero((ink >= INK).any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _beside(  # noqa: PLR0913, PLR0917 - all of it decides the place
    placed: list[tuple[Ink, int, int]],
    digit: Ink,
    rise: float,
    gap: int,
    slope: float,
    between_boxes: bool,
) -> tuple[int, int]:
    """Return left and top of a digit so that its gap to the one before it is `gap`."""
    if not placed:
        return 0, round(-digit.shape[0] / 2 + rise)
    before, left, top = placed[-1]
    # A second place is found with the slope of the first: it hardly moves.
    x = left + before.shape[1]
    y = round(slope * (x + digit.shape[1] / 2) - digit.shape[0] / 2 + rise)
    if between_boxes:
        return x + gap, y
    low, high = min(top, y) - 1, max(top + before.shape[0], y + digit.shape[0]) + 1
    ends, starts = np.full(high - low, -(1 << 20)), np.full(high - low, 1 << 20)
    ends[top - low : top - low + before.shape[0]] = _last(before)
    starts[y - low : y - low + digit.shape[0]] = _first(digit)
    around = np.maximum(np.maximum(ends[:-2], ends[1:-1]), ends[2:])
    return left + int((around - starts[1:-1]).max()) + 1 + gap, y


def _first(ink: Ink) -> npt.NDArray[np.int64]:
    """Column of each row's first stroke; every row of a digit cut to its box may lack one."""
    mask = ink >= INK
    return np.where(mask.any(axis=1), mask.argmax(axis=1), 1 << 20)


def _last(ink: Ink) -> npt.NDArray[np.int64]:
    first = _first(ink[:, ::-1])
    return np.where(first == 1 << 20, -(1 << 20), ink.shape[1] - 1 - first)


def _together(placed: list[tuple[Ink, int, int]], margin: int) -> tuple[Ink, tuple[Box, ...], Ink]:
    """Put all digits on one paper; where two overlap the stronger ink shows."""
    left = min(x for _, x, _ in placed) - margin
    top = min(y for _, _, y in placed) - margin
    width = max(x + ink.shape[1] for ink, x, _ in placed) + margin - left
    height = max(y + ink.shape[0] for ink, _, y in placed) + margin - top
    paper, owner = np.zeros((2, height, width), np.uint8)
    boxes = []
    for number, (ink, x, y) in enumerate(placed, 1):
        box = Box(x - left, y - top, x - left + ink.shape[1], y - top + ink.shape[0])
        part = paper[box.top : box.bottom, box.left : box.right]
        owner[box.top : box.bottom, box.left : box.right][ink > part] = number
        np.maximum(part, ink, out=part)
        boxes.append(box)
    return paper, tuple(boxes), owner
