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
    return _place(_strokes(ink))


def stages(ink: Ink) -> Stages:
    """Return what `normalise` makes of a drawing, step by step; raises as it does."""
    crop = _strokes(ink)
    return Stages(crop, _fit(crop), _place(crop))


def _strokes(ink: Ink) -> Ink:
    if ink.ndim != 2 or ink.dtype != np.uint8:  # noqa: PLR2004 - height and width
        raise TypeError(f"ink must be uint8 (height, width), not {ink.dtype} {ink.shape}")
    strokes = _reduce(_crop(_full_range(ink)))
    strokes = _crop(_without_specks(strokes))
    if _is_filled(strokes):
        raise TooMuchInkError("nearly everything is ink: draw the digit with strokes")
    return _thicken(strokes)


def _is_filled(strokes: Ink) -> bool:
    """Whether the box is one block of ink; a slim upright one is a 1, and so may a tiny one be."""
    height, width = strokes.shape
    if min(height, width) < SMALLEST_FILLED or height > SLIM * width:
        return False
    return bool(np.count_nonzero(strokes < INK) < LEAST_PAPER * strokes.size)


def _crop(ink: Ink) -> Ink:
    """Cut to the strokes and their faint edge, one pixel wide; raises NoInkError without any."""
    top, bottom, left, right = _bounds(ink >= INK)
    near = ink[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1]
    top, bottom, left, right = _bounds(near >= LEAST_CONTRAST)
    return near[top:bottom, left:right]


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
    return _full_range(np.array(Image.fromarray(ink).reduce(factor)))


def _full_range(ink: Ink) -> Ink:
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


def _thicken(ink: Ink) -> Ink:
    """Widen strokes that would be thinner than a pen's in MNIST, so that they are not lost."""
    fine = 4  # times as fine as the result: strokes grow in steps of half a pixel of it
    scale = fine * DIGIT_SIDE / max(ink.shape)
    steps = math.ceil((THINNEST_STROKE * fine - _stroke_width(ink) * scale) / 2)
    if steps <= 0:
        return ink
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    strokes = Image.fromarray(ink).resize((width, height), Image.Resampling.BOX)
    mask = Image.fromarray(np.pad(_full_range(np.array(strokes)) >= INK, steps))
    for _ in range(steps):
        mask = mask.convert("L").filter(ImageFilter.MaxFilter(3))
    return np.array(mask.convert("L"))


def _stroke_width(ink: Ink) -> float:
    """Mean width of the strokes in pixels: a stroke has two edges, so 2 x area / edge length."""
    mask = np.pad(ink >= INK, 1)
    edges = np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    # Edges counted along the grid are 4/pi too long on average over all directions.
    return 2 * np.count_nonzero(mask) / (edges * np.pi / 4)


def _place(ink: Ink) -> Ink:
    """Resample once: longer side to 20 pixels, centre of mass to the centre of 28x28."""
    height, width = ink.shape
    step = max(height, width) / DIGIT_SIDE  # pixels of ink per pixel of the result
    total = ink.sum(dtype=np.int64)
    left, top = (
        _origin(
            float(ink.sum(axis=axis, dtype=np.int64) @ (np.arange(side) + 0.5) / total), side, step
        )
        for axis, side in ((0, width), (1, height))
    )
    # The window of 28x28 steps reaches beyond the ink by at most 28 steps on each side.
    around = math.ceil(SIDE * step)
    padded = Image.fromarray(np.pad(ink, around))
    window = (left + around, top + around, left + around + SIDE * step, top + around + SIDE * step)
    picture = padded.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=window)
    return _full_range(np.array(picture))


def _fit(ink: Ink) -> Ink:
    """Resample into 20x20, keeping the aspect ratio, the shorter side centred."""
    height, width = ink.shape
    side = max(height, width)
    above, before = (side - height) // 2, (side - width) // 2
    square = np.pad(ink, ((above, side - height - above), (before, side - width - before)))
    fitted = Image.fromarray(square).resize((DIGIT_SIDE, DIGIT_SIDE), Image.Resampling.BILINEAR)
    return _full_range(np.array(fitted))


def _origin(centre: float, side: int, step: float) -> float:
    """Where the window starts along one axis so that the centre of mass is at its centre.

    Moved, if need be, so far that no ink is cut off.
    """
    origin = centre - CENTRE * step
    return min(max(origin, side - SIDE * step), 0.0)
