"""Where a line of writing may be cut: along paths from top to bottom that cross little ink.

Method: dynamic programming from the first row and from the last gives for every pixel the cheapest
path through it; the valleys of that cost along a few rows are the candidates.
"""

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

HEIGHT = 40
"""Pixels that the digits of a line are scaled to, for cutting."""
SLANTS = np.linspace(-0.5, 0.75, 11)
"""Slants of writing that are looked for, in pixels to the right per pixel upwards."""
APART = 0.07
"""Two cuts are at least so far from each other, on average over the rows, in heights."""
ANCHORS = (0.15, 0.32, 0.5, 0.68, 0.85)
"""Cuts are looked for that are the cheapest through some column in one of these rows, in shares."""
SIDEWAYS = np.float32(0.15)
"""What a cut pays per column that it strays, in pixels of ink."""
STEPS = np.array([0, -1, 1], np.int8)
POWER = 3
"""Of the ink that a cut crosses: where strokes only touch, it is a little lighter."""
DEAREST_CUT = 0.55
"""Ink that a cut may cross, in heights: no more than about four strokes."""


def paths(darkness: Floats) -> Labels:
    """Return the cheapest cuts, int64 (rows, cuts): the column before which each row is cut.

    darkness: float32 (rows, columns), 0 where there is nothing to cut, to 1; digits HEIGHT high.
    """
    weight = (darkness**POWER).astype(np.float32)
    height, width = weight.shape
    lean = np.round(_slant(weight) * (height / 2 - np.arange(height))).astype(np.int64)
    around = int(np.abs(lean).max()) + 1
    upright = np.pad(weight, ((0, 0), (around, around)))
    columns = np.arange(width + around) + around // 2
    rows = np.arange(height)[:, np.newaxis]
    upright = upright[rows, (columns + lean[:, np.newaxis]).clip(0, width + 2 * around - 1)]
    down, from_above = _cheapest_ways(upright)
    up, from_below = _cheapest_ways(upright[::-1])
    through = down + up[::-1] - upright
    found: list[tuple[float, Labels]] = []
    for share in ANCHORS:
        row = int(share * height)
        for column in _valleys(through[row]):
            path = np.empty(height, np.int64)
            path[row] = column
            for at in range(row, 0, -1):
                path[at - 1] = path[at] + from_above[at, path[at]]
            for at in range(row, height - 1):
                path[at + 1] = path[at] + from_below[height - 1 - at, path[at]]
            found.append((float(through[row, column]), path))
    kept: list[Labels] = []
    for _, path in sorted(found, key=lambda one: one[0]):
        if not kept or np.abs(path - np.array(kept)).mean(axis=1).min() > APART * HEIGHT:
            kept.append(path)
    back = (lean + around // 2 - around)[:, np.newaxis]
    return np.stack(kept, axis=1) + back if kept else np.zeros((height, 0), np.int64)


def _cheapest_ways(
    weight: Floats,
) -> tuple[Floats, npt.NDArray[np.int8]]:
    """Return what it costs to reach each pixel from the first row, and where from: -1, 0 or 1."""
    height, width = weight.shape
    cost, came = weight.copy(), np.zeros(weight.shape, np.int8)
    choices = np.full((3, width), np.float32(1e6))
    for row in range(1, height):
        choices[0] = cost[row - 1]
        choices[1, 1:] = cost[row - 1, :-1] + SIDEWAYS
        choices[2, :-1] = cost[row - 1, 1:] + SIDEWAYS
        best = choices.argmin(axis=0)
        came[row] = STEPS[best]
        cost[row] += choices.min(axis=0)
    return cost, came


def _slant(weight: Floats) -> float:
    """The slant along which the ink gathers most in few columns."""
    rows, columns = np.nonzero(weight * 2 > 1)
    if not rows.size:
        return 0.0
    sheared = columns[np.newaxis] + np.round(SLANTS[:, np.newaxis] * rows).astype(np.int64)
    sheared -= sheared.min()
    width = int(sheared.max()) + 1
    sheared += np.arange(len(SLANTS))[:, np.newaxis] * width
    gathered = np.bincount(sheared.ravel(), minlength=len(SLANTS) * width).reshape(-1, width)
    return float(SLANTS[(gathered.astype(np.float64) ** 2).sum(axis=1).argmax()])


def _valleys(cost: Floats) -> Labels:
    """Columns where a cut costs less than at any near it, something, but not too much."""
    near = round(APART * HEIGHT)
    order = cost + np.arange(len(cost)) * np.float32(1e-4)  # of equal ones, the first
    padded = np.pad(order, near, constant_values=np.inf)
    lowest = np.lib.stride_tricks.sliding_window_view(padded, 2 * near + 1).min(axis=1)
    dear = cost > DEAREST_CUT * HEIGHT
    return np.flatnonzero((order == lowest) & ~dear & (cost > 0))
