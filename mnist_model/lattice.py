"""The best reading of a line's pieces, and how probable it is.

A conditional random field over the ways to divide the atoms of a line among digits: a reading is a
row of pieces that share no atom and leave none out, each with a digit; its score is the sum of the
scores of its pieces (`scores`), and its probability is exp(score) over the sum of that of all
readings. So the probability of a text weighs it against every other text that the ink allows, and
is what "is this line read right?" asks for.

Source of the method: J. Lafferty, A. McCallum, F. Pereira, Conditional random fields, ICML 2001;
over-segmentation: Y. LeCun et al., Gradient-based learning applied to document recognition, 1998.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_model.segment import Pieces

Floats = npt.NDArray[np.float64]

SIZE: Floats = np.array(
    [
        (-0.14, 0.16, -0.03, 0.08),  # 0
        (-0.92, 0.46, 0.00, 0.08),  # 1
        (-0.12, 0.15, -0.05, 0.11),  # 2
        (-0.24, 0.20, -0.01, 0.08),  # 3
        (-0.25, 0.20, -0.01, 0.08),  # 4
        (-0.15, 0.19, -0.07, 0.12),  # 5
        (-0.33, 0.21, 0.00, 0.08),  # 6
        (-0.28, 0.20, -0.01, 0.08),  # 7
        (-0.29, 0.21, -0.01, 0.08),  # 8
        (-0.40, 0.20, 0.00, 0.08),  # 9
    ]
)
"""Of each digit: mean and deviation of the logarithm of its width, and of its height, in heights.

Measured on 30,000 pictures of MNIST's training set, which are 20 pixels high or wide.
"""
NAMES = (
    "piece",
    "digit",
    "whole",
    "width",
    "height",
    "joined",
    "contact",
    "loop",
    "split",
    "space",
    "gap",
    "alone",
)
"""Of the features: 1; log probability of the digit; that the piece is one whole digit; how unusual
its width is for the digit; how small its height is; whether ink was cut at its right end, how much,
how many strokes more than one, and how surely the ink cut there is one digit; paper at its right
end, and inside; log probability of the digit by the network for single digits, if no ink was cut
at either end, else again by the one for pieces."""
WEIGHTS: Floats = np.array([3.9, 0.7, 0.5, 0.26, 0.27, 1.1, 3.3, 1.2, 3.0, 0.44, 0.55, 0.7])
"""Of the features, when the release has no own; from `line_fit`."""
LOWEST = -14.0
"""Log probabilities count no lower than this: one odd piece must not decide alone."""
Gather = Callable[..., npt.NDArray[np.float64]]
"""Brings the scores of several ways together, along an axis: their maximum, or the sum of all."""


class Best(NamedTuple):
    """The best reading."""

    pieces: list[int]
    """Its pieces, by their number, in reading order."""
    digits: list[int]
    probability: float
    """Of its text among all texts (of the length asked for), however the ink is divided."""


def features(
    pieces: Pieces, logs: npt.NDArray[np.float32], alone: npt.NDArray[np.float32]
) -> Floats:
    """Return what speaks for each piece as each digit: (n, 10, features), as in NAMES.

    logs: (n, 11) log probabilities of the digits and, in the last column, of no whole digit.
    alone: (k, 10) those of the uncut pieces by the network for single digits.
    """
    whole = log_sum(logs[:, :10].astype(np.float64), axis=1)
    digit = logs[:, :10] - whole[:, np.newaxis]
    width = np.log(pieces.box[:, 2] - pieces.box[:, 0])[:, np.newaxis]
    height = np.log(pieces.box[:, 3] - pieces.box[:, 1])[:, np.newaxis]
    joined, crossings, space = (
        np.append(one, 0.0)[pieces.stop - 1]
        for one in (pieces.contact, pieces.crossings, pieces.space)
    )
    found = np.zeros((len(pieces.first), 10, len(NAMES)))
    found[:, :, 0] = 1
    found[:, :, 1] = np.maximum(digit, LOWEST)
    found[:, :, 2] = np.maximum(whole, LOWEST)[:, np.newaxis]
    found[:, :, 3] = -np.minimum(((width - SIZE[:, 0]) / SIZE[:, 1]) ** 2, 25) / 2
    found[:, :, 4] = -np.minimum(((height - SIZE[:, 2]).clip(None, 0) / SIZE[:, 3]) ** 2, 40) / 2
    found[:, :, 5] = -1.0 * (joined > 0)[:, np.newaxis]
    found[:, :, 6] = -np.minimum(joined, 0.6)[:, np.newaxis]
    found[:, :, 7] = -np.maximum(crossings - 1, 0)[:, np.newaxis]
    found[:, :, 8] = -_sense(pieces, digit, whole)[pieces.stop - 1, np.newaxis]
    found[:, :, 9] = np.where(joined > 0, 0, space.clip(-0.3, 0.5))[:, np.newaxis]
    found[:, :, 10] = -np.minimum(pieces.gap, 1)[:, np.newaxis]
    found[:, :, 11] = found[:, :, 1]
    found[pieces.uncut, :, 11] = np.maximum(alone, LOWEST)
    return found


def _sense(pieces: Pieces, digit: Floats, whole: Floats) -> Floats:
    """Return for each boundary that cuts ink how surely that ink is one digit; (atoms,), 0 to 1.

    A 0 can be cut into two 1s, and hardly any piece tells; that the 0 makes sense as it is does.
    """
    sense = np.zeros(int(pieces.stop.max()))
    free = np.flatnonzero(np.append(pieces.contact == 0, True)) + 1  # atoms before a free boundary
    confidence = np.exp(whole + digit.max(axis=1))
    for start, stop in zip(np.append(0, free), free, strict=False):
        if stop > start + 1:
            alone = (pieces.first == start) & (pieces.stop == stop)
            sense[start : stop - 1] = confidence[alone].max(initial=0)
    return sense


def best(pieces: Pieces, score: Floats, length: int | None, most: int) -> Best:
    """Return the best reading with `length` digits, or with any number up to `most`.

    score: (n, 10), of each piece as each digit. When no reading has so many digits, the number of
    digits is free.
    """
    digit, top = score.argmax(axis=1), score.max(axis=1)
    reach = _forward(pieces, top, most, np.max)
    end = reach[-1]
    free = length is None or not np.isfinite(end[length])
    count = int(end.argmax()) if free else int(length or 0)
    chosen = _trace(pieces, np.broadcast_to(top[:, np.newaxis], (len(top), most)), reach, count)
    digits = [int(digit[piece]) for piece in chosen]
    every = _forward(pieces, log_sum(score, axis=1), most, log_sum)[-1]
    this = log_of_text(pieces, score, digits)
    total = float(log_sum(every, axis=0)) if free else float(every[count])
    return Best(chosen, digits, float(np.exp(min(this - total, 0.0))))


def best_row(pieces: Pieces, score: Floats) -> list[int]:
    """Return the row of pieces with the highest sum of scores; empty if none is so long.

    score: (n, length), of each piece as each digit of the row.
    """
    length = score.shape[1]
    reach = _forward(pieces, score, length, np.max)
    return _trace(pieces, score, reach, length) if np.isfinite(reach[-1, length]) else []


def _trace(pieces: Pieces, score: Floats, reach: Floats, count: int) -> list[int]:
    """Return the `count` pieces of the best row, by what `_forward` found with np.max."""
    chosen: list[int] = []
    node = len(reach) - 1
    for left in range(count, 0, -1):
        ways = np.flatnonzero(pieces.stop == node)
        sums = reach[pieces.first[ways], left - 1] + score[ways, left - 1]
        chosen.append(int(ways[sums.argmax()]))
        node = int(pieces.first[chosen[-1]])
    return chosen[::-1]


def log_of_text(pieces: Pieces, score: Floats, digits: Sequence[int]) -> float:
    """Return the logarithm of the sum of exp(score) over all readings with these digits."""
    if not digits:
        return -np.inf
    return float(_forward(pieces, score[:, digits], len(digits), log_sum)[-1, -1])


def _forward(pieces: Pieces, score: Floats, most: int, gather: Gather) -> Floats:
    """Gather the scores of all ways to each boundary with each number of digits.

    score: (n,), or (n, most), where the piece that is the k-th digit counts with its column k.
    Returns: (boundaries, 1 + most), -inf where there is no way.
    """
    steps = score[:, np.newaxis] if score.ndim == 1 else score
    count = int(pieces.stop.max())
    reach = np.full((count + 1, most + 1), -np.inf)
    reach[0, 0] = 0
    order = np.argsort(pieces.stop, kind="stable")
    limits = np.searchsorted(pieces.stop[order], np.arange(1, count + 2))
    for node in range(1, count + 1):
        ways = order[limits[node - 1] : limits[node]]
        reach[node, 1:] = gather(reach[pieces.first[ways], :-1] + steps[ways], axis=0)
    return reach


def backward_forward(pieces: Pieces, score: Floats, length: int | None) -> tuple[float, Floats]:
    """Return log(sum(exp(score))) over all readings, and how much of it uses each piece where.

    score: (n, length), of each piece as each digit of the reading; (n, 1) for any length.
    """
    free = length is None
    shift = 0 if free else 1  # with a length, every piece is a step to the right
    count, places = int(pieces.stop.max()), score.shape[1] + shift
    ahead = np.full((count + 1, places), -np.inf)
    behind = ahead.copy()
    ahead[0, 0] = behind[count, -1] = 0
    for node in range(1, count + 1):
        ways = np.flatnonzero(pieces.stop == node)
        ahead[node, shift:] = log_sum(
            ahead[pieces.first[ways], : places - shift] + score[ways], axis=0
        )
    for node in range(count - 1, -1, -1):
        ways = np.flatnonzero(pieces.first == node)
        behind[node, : places - shift] = log_sum(
            behind[pieces.stop[ways], shift:] + score[ways], axis=0
        )
    total = float(ahead[count, -1])
    if not np.isfinite(total):
        return total, np.zeros_like(score)
    through = ahead[pieces.first, : places - shift] + score + behind[pieces.stop, shift:]
    return total, np.exp(through - total)


def log_sum(score: Floats, axis: int) -> Floats:
    """log(sum(exp(score))) along an axis, -inf for nothing."""
    top = score.max(axis=axis, keepdims=True)
    base = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):
        total: Floats = (np.log(np.exp(score - base).sum(axis=axis, keepdims=True)) + base).squeeze(
            axis
        )
    return total
