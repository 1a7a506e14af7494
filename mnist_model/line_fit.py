"""Learns how much each feature of a piece says, on composed strings; needs SciPy, as training does.

The weights maximise the mean log probability of the true texts: `lattice` says of what.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from mnist_model.lattice import NAMES, WEIGHTS, Floats, backward_forward, features, log_sum
from mnist_model.segment import Pieces, segment
from mnist_model.strings import Line

Logs = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]
"""Log probabilities, float32 (n, 10 or 11), of pictures, uint8 (n, 28, 28)."""
ROUGHNESS = 1e-3
"""How much large weights cost."""


class Example(NamedTuple):
    """A string, ready to learn from."""

    pieces: Pieces
    features: Floats
    digits: list[int]


def examples(lines: Sequence[Line], piece_logs: Logs, digit_logs: Logs) -> list[Example]:
    """Segment and classify composed strings.

    piece_logs: of ten digits and no whole digit; digit_logs: of ten digits.
    """
    found = []
    for line in lines:
        pieces = segment(line.ink)
        logs, alone = piece_logs(pieces.seen), digit_logs(pieces.picture[pieces.uncut])
        digits = [int(one) for one in line.text]
        found.append(Example(pieces, features(pieces, logs, alone), digits))
    return found


def fit(learning: Sequence[Example], rounds: int = 30) -> Floats:
    """Return the weights of the features; the same examples give the same weights."""
    bounds = [(-10.0, 10.0), *[(0.0, 20.0)] * (len(NAMES) - 1)]
    found = minimize(
        _loss, WEIGHTS, (learning,), jac=True, bounds=bounds, options={"maxiter": rounds}
    )
    weights: Floats = np.round(found.x, 3)
    return weights


def _loss(weights: Floats, learning: Sequence[Example]) -> tuple[float, Floats]:
    """Mean negative log probability of the texts, and its gradient."""
    loss, gradient, count = 0.0, np.zeros_like(weights), 0
    for pieces, feature, digits in learning:
        score = feature @ weights
        every = log_sum(score, axis=1)
        total, used = backward_forward(pieces, every[:, np.newaxis], None)
        this, right = backward_forward(pieces, score[:, digits], len(digits))
        if not np.isfinite(this):  # fewer atoms than digits
            continue
        share = np.exp(score - every[:, np.newaxis]) * used.sum(axis=1, keepdims=True)
        np.add.at(share.T, digits, -right.T)
        loss += total - this
        gradient += np.einsum("nd,ndk->k", share, feature)
        count += 1
    cost = ROUGHNESS * float(weights @ weights)
    return loss / count + cost, gradient / count + 2 * ROUGHNESS * weights
