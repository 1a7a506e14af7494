"""Connected components of a mask, by runs and vectorised: no SciPy, no loop over pixels."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Runs(NamedTuple):
    """Horizontal runs of a mask, in reading order; all fields int64 of one length."""

    row: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    stop: npt.NDArray[np.int64]  # exclusive
    component: npt.NDArray[np.int64]  # 0, 1, 2 … in order of each component's first run


def label_runs(mask: npt.NDArray[np.bool_]) -> Runs:
    """Split a mask (height, width) into runs and say which 8-connected component each is part of.

    Method: runs of neighbouring rows that touch are edges of a graph, and every run takes the
    lowest label among its neighbours until nothing changes.
    """
    steps = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, start = np.nonzero(steps == 1)
    stop = np.nonzero(steps == -1)[1]
    above, below = _touching(row, start, stop, mask.shape[1] + 2)
    label = np.arange(len(row))
    while True:
        lowest = label.copy()
        np.minimum.at(lowest, above, label[below])
        np.minimum.at(lowest, below, label[above])
        lowest = lowest[lowest]
        if np.array_equal(lowest, label):
            return Runs(row, start, stop, np.unique(label, return_inverse=True)[1])
        label = lowest


def _touching(
    row: npt.NDArray[np.int64],
    start: npt.NDArray[np.int64],
    stop: npt.NDArray[np.int64],
    width: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the pairs of runs (upper, lower) that touch by an edge or a corner."""
    first = np.searchsorted(row * width + stop, (row + 1) * width + start, side="left")
    last = np.searchsorted(row * width + start, (row + 1) * width + stop, side="right")
    count = np.maximum(last - first, 0)
    above = np.repeat(np.arange(len(row)), count)
    offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return above, np.repeat(first, count) + offset
