"""Where in a picture the answer comes from, found by covering parts of it. Without TensorFlow."""

import numpy as np
import numpy.typing as npt

from mnist_model.classify import Classifier
from mnist_model.ink import Ink
from mnist_model.normalise import SIDE

PATCH = 6
"""Side of what is covered at a time, in pixels: twice the width of a stroke."""
STEP = 2
LEAST = 1e-12
"""Smallest probability that is told from none."""


def saliency(
    picture: Ink, classifier: Classifier, digit: int | None = None
) -> npt.NDArray[np.float32]:
    """Return how much each part of a picture speaks for a digit.

    Occlusion (M. Zeiler, R. Fergus, arXiv 1311.2901): a square of 6x6 pixels at a time is made
    paper, in steps of 2; how far the log-odds of the digit fall is put down to the square's pixels.
    Squares without ink change nothing and are not tried.

    picture: uint8 (28, 28), as from `normalise`. digit: 0 to 9; without it, the one that is read.
    Returns: float32 (28, 28), 0 where covering it changes nothing, or even speaks against the
    digit, to 1 where it matters most; all 0 if no square matters.
    Raises: TypeError when picture is no such array, ValueError when digit is none.
    """
    if picture.dtype != np.uint8 or picture.shape != (SIDE, SIDE):
        raise TypeError(f"picture must be uint8 (28, 28), not {picture.dtype} {picture.shape}")
    if digit is not None and not 0 <= digit <= 9:  # noqa: PLR2004 - the digits
        raise ValueError(f"digit is 0 to 9, not {digit}")
    starts = range(0, SIDE - PATCH + 1, STEP)
    squares = [np.s_[top : top + PATCH, left : left + PATCH] for top in starts for left in starts]
    squares = [square for square in squares if picture[square].any()]
    covered = np.repeat(picture[np.newaxis], len(squares) + 1, axis=0)
    for one, square in zip(covered[1:], squares, strict=True):
        one[square] = 0
    probabilities = classifier.probabilities(covered).astype(np.float64)
    right = int(probabilities[0].argmax()) if digit is None else digit
    against = np.delete(probabilities, right, axis=1).sum(axis=1)
    odds = np.log(np.maximum(probabilities[:, right], LEAST)) - np.log(np.maximum(against, LEAST))
    total, times = np.zeros((2, SIDE, SIDE))
    for square, change in zip(squares, odds[0] - odds[1:], strict=True):
        total[square] += change
        times[square] += 1
    mattered = np.maximum(total / np.maximum(times, 1), 0)
    strongest = mattered.max()
    result: npt.NDArray[np.float32] = (mattered / (strongest or 1)).astype(np.float32)
    return result
