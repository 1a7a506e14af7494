"""Brings the ink of a line to the size at which it is cut: its digits HEIGHT pixels high."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from mnist_model.cuts import HEIGHT
from mnist_model.ink import Ink
from mnist_model.normalise import INK, crop_bounds, full_range, refuse_filled, stroke_width

THINNEST = 0.05
"""Strokes are widened to this, in heights, before they are scaled, so that none is lost."""
TALL = 0.6
"""Share of the windows along a line in which the ink is lower than its digits are."""
MOST_HEIGHTS = 40
"""A longer line, in heights of its digits, is no line of digits: its height is not believed."""


class Where(NamedTuple):
    """How the working picture lies in the ink given: ink = left + scale x working column."""

    left: float
    top: float
    scale: float
    size: tuple[int, int]


def at_working_size(ink: Ink) -> tuple[Ink, Where]:
    """Cut to the ink and scale so that digits are HEIGHT pixels high; returns ink and where it lay.

    Raises: NoInkError, TooMuchInkError; TypeError when ink is no uint8 (height, width).
    """
    if ink.ndim != 2 or ink.dtype != np.uint8:  # noqa: PLR2004 - height and width
        raise TypeError(f"ink must be uint8 (height, width), not {ink.dtype} {ink.shape}")
    ink = full_range(ink)
    top, bottom, left, right = crop_bounds(ink)
    strokes = ink[top:bottom, left:right]
    refuse_filled(strokes)
    factor = max(1, strokes.shape[0] // (4 * HEIGHT))
    if factor > 1:
        strokes = full_range(np.array(Image.fromarray(strokes).reduce(factor)))
    height = _digit_height(strokes >= INK)
    wider = math.ceil((THINNEST * height - stroke_width(strokes)) / 2)
    if wider > 0:
        strokes = np.array(
            Image.fromarray(np.pad(strokes, wider)).filter(ImageFilter.MaxFilter(2 * wider + 1))
        )
        left, top = left - wider * factor, top - wider * factor
    scale = HEIGHT / height
    size = tuple(max(1, round(side * scale)) for side in strokes.shape[::-1])
    work = np.array(Image.fromarray(strokes).resize(size, Image.Resampling.BILINEAR))
    return full_range(work), Where(left, top, factor / scale, (ink.shape[1], ink.shape[0]))


def _digit_height(mask: npt.NDArray[np.bool_]) -> float:
    """Height of the ink in a window about as wide as a digit: a little above the median of all."""
    height, width = mask.shape
    inked = mask.any(axis=0)
    first = np.where(inked, mask.argmax(axis=0), height)
    last = np.where(inked, height - mask[::-1].argmax(axis=0), 0)
    window = min(width, max(1, round(0.6 * height)))
    tops = np.lib.stride_tricks.sliding_window_view(first, window).min(axis=1)
    ends = np.lib.stride_tricks.sliding_window_view(last, window).max(axis=1)
    tall = np.sort((ends - tops)[ends > tops])  # np.quantile would take 7 MiB of memory
    usual = int(tall[int(TALL * len(tall))])
    return float(max(usual, width / MOST_HEIGHTS))
