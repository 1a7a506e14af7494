"""What is on paper besides ink: shadows across it, and lines ruled on it."""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageFilter, ImageStat

Band = npt.NDArray[np.uint8]
"""One colour of a picture: (height, width)."""

UNEVEN = 24
"""Difference of brightness between two places at the edges that makes the light uneven, of 255."""
COARSE = 64
"""Longer side, in pixels, of the picture in which the light is looked at."""
FAINTEST_RULE = 32
"""Ink of a ruled line, of 255."""
LEAST_OF_RULE = 0.35
"""Share of the width that a ruled line covers with ink; a dotted one covers about half."""
WIDEST_GAP = 0.06
"""Longest part of a ruled line without ink, in shares of the width."""
THICKEST_RULE = 0.03
"""In shares of the picture's other side."""
SMALLEST = 64
"""Shorter side, in pixels, of a picture in which a stroke is thicker than a ruled line."""
EDGE = 0.02
"""What a ruled line reaches, and what is drawn does not: the outermost share of the picture."""


def even_light(bands: list[Band]) -> list[Band]:
    """Take shadows and vignetting off a photo of paper; leave pictures in even light as they are.

    bands: red, green and blue, or one of grey. Returns: the same; in uneven light one, the paper
    white, what is drawn dark.
    """
    height, width = bands[0].shape
    across, down = max(1, width // 10), max(1, height // 10)
    right, bottom = width - across, height - down
    brightness = [  # these four differ in light from any side, and where the corners are dark
        median(_grey([one[y : y + down, x : x + across] for one in bands]).ravel())
        for x, y in ((0, 0), (right, bottom), (right // 2, 0), (0, bottom // 2))
    ]
    if max(brightness) - min(brightness) < UNEVEN:
        return bands
    grey = Image.fromarray(_grey(bands))
    stat = ImageStat.Stat(grey)
    if stat.mean[0] > stat.median[0]:  # what is rare is light: chalk on a board
        grey = ImageChops.invert(grey)
    factor = max(1, -(-max(width, height) // COARSE))
    coarse = grey.reduce(factor)
    window = max(coarse.size) // 6 * 2 + 1
    light = coarse.filter(ImageFilter.MaxFilter(window)).filter(ImageFilter.MinFilter(window))
    light = light.filter(ImageFilter.GaussianBlur(window / 4)).resize(grey.size)
    reflected = np.asarray(grey, np.float32) * 255 / np.maximum(np.asarray(light), 1)
    return [reflected.clip(0, 255).astype(np.uint8)]


def _grey(bands: list[Band]) -> Band:
    if len(bands) == 1:
        return bands[0]
    return np.asarray(Image.merge("RGB", [Image.fromarray(band) for band in bands]).convert("L"))


def median(values: npt.NDArray[np.uint8]) -> int:
    """Return the median of a row of numbers; quick where most are the same, as paper is."""
    first = values[0]
    if 2 * np.count_nonzero(values == first) > len(values):
        return int(first)
    return int(np.partition(values, len(values) // 2)[len(values) // 2])


def without_rules(ink: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Take ruled, dotted and squared lines off, straight along rows or columns.

    A ruled line is thin, reaches two opposite edges of the picture, and what is drawn reaches none;
    so a digit that fills its picture loses nothing. Where strokes cross a line they stay. Pictures
    smaller than SMALLEST are left alone.
    """
    if min(ink.shape) < SMALLEST:
        return ink
    cleared = _without_rows(_without_rows(ink).T).T
    if cleared is ink or not _is_free(cleared):
        return ink
    return np.ascontiguousarray(cleared)


def _without_rows(ink: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    height, width = ink.shape
    edge = max(1, round(EDGE * width))
    if not ink[:, :edge].any() or not ink[:, width - edge :].any():
        return ink
    reaches = (ink[:, :edge].max(axis=1, initial=0) >= FAINTEST_RULE) & (
        ink[:, width - edge :].max(axis=1, initial=0) >= FAINTEST_RULE
    )
    rows = np.flatnonzero(reaches)
    rows = np.array([row for row in rows if _is_rule(ink[row])], np.int64)
    if not rows.size:
        return ink
    cleared = ink.copy()
    for band in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
        top, bottom = int(band[0]), int(band[-1]) + 1
        if bottom - top > max(2, THICKEST_RULE * height):
            continue
        top, bottom = max(top - 1, 0), min(bottom + 1, height)  # its faint edge
        beside = [row for row in (top - 1, bottom) if 0 <= row < height]
        crossed = (ink[beside] >= 2 * FAINTEST_RULE).any(axis=0)
        cleared[top:bottom, ~crossed] = 0
    return cleared


def _is_rule(row: npt.NDArray[np.uint8]) -> bool:
    inked = np.flatnonzero(row >= FAINTEST_RULE)
    gap = np.diff(inked).max(initial=1)
    return bool(len(inked) >= LEAST_OF_RULE * len(row) and gap <= max(2, WIDEST_GAP * len(row)))


def _is_free(ink: npt.NDArray[np.uint8]) -> bool:
    """Whether something is left, and nothing at the picture's edges."""
    down, across = (max(1, round(EDGE * side)) for side in ink.shape)
    inside = ink[down:-down, across:-across]
    strong = 2 * FAINTEST_RULE
    drawn = np.count_nonzero(inside >= strong)
    return bool(drawn > 0 and drawn == np.count_nonzero(ink >= strong))
