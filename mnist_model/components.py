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

    Method: runs of neighbouring rows that touch are edges of a graph. Of two trees whose runs
    touch, the one with the higher root is hung below the other, and every run is then put right
    below its root, until no edge joins two trees.
    """
    height, width = mask.shape
    padded = np.zeros((height, width + 2), np.bool_)
    padded[:, 1:-1] = mask
    # In every row starts and stops alternate.
    edges = np.flatnonzero(padded[:, 1:] != padded[:, :-1])
    row, start = np.divmod(edges[::2], width + 1)
    stop = edges[1::2] - row * (width + 1)
    above, below = _touching(row, start, stop, width + 2)
    label = np.arange(len(row))
    while True:
        one, other = label[above], label[below]
        apart = one != other
        if not apart.any():
            number = np.cumsum(label == np.arange(len(row))) - 1  # of each root
            return Runs(row, start, stop, number[label])
        above, below, one, other = above[apart], below[apart], one[apart], other[apart]
        np.minimum.at(label, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(root := label[label], label):
            label = root


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
