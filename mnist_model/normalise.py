"""From ink of any size to the 28x28 picture that MNIST's makers would have made of it.

Their method (http://yann.lecun.com/exdb/mnist/): fit the digit into 20x20 keeping its aspect
ratio, with anti-aliasing, then put its centre of mass at the centre of 28x28. In the 60,000
training pictures that centre is at (14.5, 14.5), in pixels from the upper left corner.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from mnist_model.components import label_runs
from mnist_model.ink import LEAST_CONTRAST, Ink

NORMALISE_VERSION = 1
"""Changes whenever the same ink gives another picture: a release is bound to the one it learnt."""

SIDE = 28
DIGIT_SIDE = 20
CENTRE = 14.5
INK = 64
"""From here on a pixel is part of a stroke; below are anti-aliased edges and shadows."""
LARGEST_SIDE = 320
"""Longest side, in pixels, that is worked on; larger ink is reduced first."""
SPECK_SHARE = 0.05
"""A component with less than this share of the largest one's pixels is no stroke."""
THINNEST_STROKE = 1.8
"""Mean stroke width in the 28x28 picture that thin strokes are thickened to, in pixels.

In MNIST's training set the median is 2.9, and 1% are below 1.8.
"""
FINE = 4
"""Strokes are widened in a picture so many times as fine as the result: by half a pixel of it."""
LEAST_PAPER = 0.08
"""A digit leaves at least this share of its box free; of 20,000 in MNIST all but 8 upright bars."""
SMALLEST_FILLED = 8
"""Ink with a side shorter than this, in pixels, may fill its box."""
SLIM = 1.5
"""So many times as high as wide a filled box is a 1."""


class NoDigitError(ValueError):
    """What was given cannot be a digit; the text says why, and what to do."""


class NoInkError(NoDigitError):
    """There is nothing drawn."""


class TooMuchInkError(NoDigitError):
    """Nearly everything is ink: a filled picture, no strokes."""


class Stages(NamedTuple):
    """A drawing on its way through `normalise`; all uint8, 0 paper to 255 ink."""

    crop: Ink
    """Cut to the strokes, without specks; at most 320 pixels long, thin strokes thickened."""
    fitted: Ink
    """(20, 20): the content of MNIST's box, the longer side fills it, the shorter is centred."""
    picture: Ink
    """(28, 28): what the network sees, the centre of mass at the centre."""


def normalise(ink: Ink) -> Ink:
    """Return the picture a network trained on MNIST expects.

    ink: uint8 (height, width), 0 paper to 255 ink, as from `ink_from_image`; any size.
    Returns: uint8 (28, 28), 0 paper to 255 ink.
    Raises: NoInkError when there is nothing drawn, TooMuchInkError when nearly everything is ink,
    both are NoDigitError; TypeError when ink is no such array.
    """
    return place(_strokes(ink))


def stages(ink: Ink) -> Stages:
    """Return what `normalise` makes of a drawing, step by step; raises as it does."""
    crop = _strokes(ink)
    return Stages(crop, _fit(crop), place(crop))


def _strokes(ink: Ink) -> Ink:
    if ink.ndim != 2 or ink.dtype != np.uint8:  # noqa: PLR2004 - height and width
        raise TypeError(f"ink must be uint8 (height, width), not {ink.dtype} {ink.shape}")
    strokes = _crop(full_range(ink))
    cleared = _without_specks(_reduce(strokes))
    if cleared is not strokes:
        strokes = _crop(cleared)
    refuse_filled(strokes)
    return thicken(strokes)


def refuse_filled(strokes: Ink) -> None:
    """Raise TooMuchInkError for a block of ink; a slim upright one may be a 1, so may a tiny one.

    strokes: ink cut to its box.
    """
    height, width = strokes.shape
    if min(height, width) < SMALLEST_FILLED or height > SLIM * width:
        return
    if np.count_nonzero(strokes < INK) < LEAST_PAPER * strokes.size:
        raise TooMuchInkError("nearly everything is ink: draw the digit with strokes")


def _crop(ink: Ink) -> Ink:
    """Cut to the strokes and their faint edge, one pixel wide; raises NoInkError without any."""
    top, bottom, left, right = crop_bounds(ink)
    return ink[top:bottom, left:right]


def crop_bounds(ink: Ink) -> tuple[int, int, int, int]:
    """Return top, bottom, left and right of the strokes with their faint edge, one pixel wide.

    Bottom and right are exclusive. Raises: NoInkError without any stroke.
    """
    top, bottom, left, right = _bounds(ink >= INK)
    top, left = max(top - 1, 0), max(left - 1, 0)
    near = _bounds(ink[top : bottom + 1, left : right + 1] >= LEAST_CONTRAST)
    return top + near[0], top + near[1], left + near[2], left + near[3]


def _bounds(mask: npt.NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return top, bottom, left and right of what is set, bottom and right exclusive."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        raise NoInkError("there is no ink in the picture")
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _reduce(ink: Ink) -> Ink:
    """Average blocks of pixels until the longer side fits LARGEST_SIDE; full range afterwards."""
    factor = -(-max(ink.shape) // LARGEST_SIDE)
    if factor == 1:
        return ink
    return full_range(np.array(Image.fromarray(ink).reduce(factor)))


def full_range(ink: Ink) -> Ink:
    """Stretch so that the strongest ink is 255; what is too faint to be ink stays as it is."""
    strongest = int(ink.max(initial=0))
    if strongest in (*range(LEAST_CONTRAST), 255):
        return ink
    return (np.arange(256) * 255 // strongest).clip(0, 255).astype(np.uint8)[ink]


def _without_specks(ink: Ink) -> Ink:
    """Clear the strokes that are tiny beside the largest: dust, noise, a slip of the pen."""
    runs = label_runs(ink >= INK)
    size = np.bincount(runs.component, weights=runs.stop - runs.start)
    specks = size < SPECK_SHARE * size.max()
    if not specks.any():
        return ink
    cleared = ink.copy()
    for run in np.flatnonzero(specks[runs.component]):
        cleared[runs.row[run], runs.start[run] : runs.stop[run]] = 0
    return cleared


def thicken(ink: Ink) -> Ink:
    """Widen strokes that would be thinner than a pen's in MNIST, so that they are not lost.

    Returns: `ink` itself if its strokes are wide enough, otherwise ink that may be of another size.
    """
    scale = FINE * DIGIT_SIDE / max(ink.shape)
    steps = missing_steps(ink, scale)
    return widen(ink, scale, steps) if steps > 0 else ink


def missing_steps(ink: Ink, scale: float) -> int:
    """How often the strokes of ink have to be widened after scaling; 0 or less: not at all."""
    return math.ceil((THINNEST_STROKE * FINE - stroke_width(ink) * scale) / 2)


def widen(ink: Ink, scale: float, steps: int) -> Ink:
    """Scale ink, and widen its strokes by a pixel on each side for every step; grows by as much."""
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    strokes = Image.fromarray(ink).resize((width, height), Image.Resampling.BOX)
    mask = Image.fromarray(np.pad(full_range(np.array(strokes)) >= INK, steps))
    for _ in range(steps):
        mask = mask.convert("L").filter(ImageFilter.MaxFilter(3))
    return np.array(mask.convert("L"))


def stroke_width(ink: Ink) -> float:
    """Mean width of the strokes in pixels: a stroke has two edges, so 2 x area / edge length."""
    mask = np.zeros((ink.shape[0] + 2, ink.shape[1] + 2), np.bool_)  # np.pad is slow
    np.greater_equal(ink, INK, out=mask[1:-1, 1:-1])
    edges = np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    # Edges counted along the grid are 4/pi too long on average over all directions.
    return 2 * np.count_nonzero(mask) / (edges * np.pi / 4)


def place(ink: Ink) -> Ink:
    """Resample once: longer side to 20 pixels, centre of mass to the centre of 28x28."""
    step = max(ink.shape) / DIGIT_SIDE  # pixels of ink per pixel of the result
    columns, rows = ink.sum(axis=0, dtype=np.int64), ink.sum(axis=1, dtype=np.int64)
    left, width = _along(columns, step)
    top, height = _along(rows, step)
    paper = np.zeros((height, width), np.uint8)
    x, y = (math.ceil(step - start) for start in (left, top))  # where the ink lies on the paper
    paper[y : y + ink.shape[0], x : x + ink.shape[1]] = ink
    window = (x + left, y + top, x + left + SIDE * step, y + top + SIDE * step)
    picture = Image.fromarray(paper).resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=window)
    return full_range(np.array(picture))


def _fit(ink: Ink) -> Ink:
    """Resample into 20x20, keeping the aspect ratio, the shorter side centred."""
    height, width = ink.shape
    side = max(height, width)
    above, before = (side - height) // 2, (side - width) // 2
    square = np.pad(ink, ((above, side - height - above), (before, side - width - before)))
    fitted = Image.fromarray(square).resize((DIGIT_SIDE, DIGIT_SIDE), Image.Resampling.BILINEAR)
    return full_range(np.array(fitted))


def _along(weight: npt.NDArray[np.int64], step: float) -> tuple[float, int]:
    """Return along one axis where the window starts, and how much paper it and the ink need.

    The window starts so that the centre of mass is at its centre; moved, if need be, so far that
    no ink is cut off. There is a step of paper around the window, for the resampling's reach.
    """
    side = len(weight)
    centre = float(weight @ (np.arange(side) + 0.5)) / int(weight.sum())
    origin = min(max(centre - CENTRE * step, side - SIDE * step), 0.0)
    return origin, math.ceil(step - origin) + math.ceil(origin + (SIDE + 1) * step)
