"""Figures from answers: accuracy with its 95% interval, confusion, calibration, risk, coverage."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.uint8]
Scores = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def digits(scores: Scores) -> Labels:
    """Return the digit with the highest score (logit or probability) in each row of ten."""
    best: Labels = scores.argmax(axis=1).astype(np.uint8)
    return best


def accuracy(labels: Labels, read: Labels) -> dict[str, Any]:
    """Return how many of `read` equal `labels`, the share, and its 95% interval."""
    return share(int((labels == read).sum()), len(labels))


def share(correct: int, count: int) -> dict[str, Any]:
    """Return a share of `count` trials as a manifest holds it: with its 95% interval."""
    return {
        "correct": correct,
        "count": count,
        "accuracy": round(correct / count, 6),
        "interval95": [round(end, 6) for end in interval95(correct, count)],
    }


def interval95(correct: int, count: int) -> tuple[float, float]:
    """Wilson's score interval (E. B. Wilson, JASA 22, 1927) for a share of `count` trials."""
    z = 1.959964
    share = correct / count
    centre = share + z * z / (2 * count)
    reach = z * np.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    scale = 1 + z * z / count
    return max(float((centre - reach) / scale), 0.0), min(float((centre + reach) / scale), 1.0)


def confusion(labels: Labels, read: Labels) -> npt.NDArray[np.int64]:
    """Return int64 (10, 10): how often the digit of the row was read as that of the column."""
    return np.bincount(labels.astype(np.int64) * 10 + read, minlength=100).reshape(10, 10)


class Reliability(NamedTuple):
    """Answers grouped by confidence: for each group that has any, what was said and what held."""

    confidence: Floats  # mean of the group
    accuracy: Floats
    answers: npt.NDArray[np.int64]


def reliability(probabilities: Scores, labels: Labels, bins: int = 15) -> Reliability:
    """Group answers by the confidence in the digit said, in `bins` equal steps from 0 to 1."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = digits(probabilities) == labels
    group = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    count = np.bincount(group, minlength=bins)
    some = count > 0
    said, held = (np.bincount(group, each, bins)[some] for each in (confidence, right))
    return Reliability(said / count[some], held / count[some], count[some])


def ece(probabilities: Scores, labels: Labels, bins: int = 15) -> float:
    """Expected calibration error: how far confidence is from accuracy, on average; 0 to 1.

    As in C. Guo et al., On Calibration of Modern Neural Networks (arXiv 1706.04599), section 2.
    """
    groups = reliability(probabilities, labels, bins)
    gaps = np.abs(groups.confidence - groups.accuracy)
    return float(np.average(gaps, weights=groups.answers))


class RiskCoverage(NamedTuple):
    """What answering only from a confidence on would do; one row per threshold, falling."""

    threshold: Floats
    coverage: Floats  # share of all that is answered
    risk: Floats  # share of those answered that is wrong
    answered: npt.NDArray[np.int64]
    wrong: npt.NDArray[np.int64]


def risk_coverage(confidence: npt.ArrayLike, correct: npt.ArrayLike) -> RiskCoverage:
    """Return the risk-coverage curve of answers: their confidences, and which were correct.

    See R. El-Yaniv, Y. Wiener, On the Foundations of Noise-free Selective Classification, JMLR 11
    (2010). Equal confidences are answered together or not at all.
    """
    said, right = np.asarray(confidence, np.float64), np.asarray(correct, np.bool_)
    order = np.argsort(-said, kind="stable")
    said, wrong = said[order], np.cumsum(~right[order], dtype=np.int64)
    last = np.flatnonzero(np.append(said[1:] != said[:-1], True)[: len(said)])
    answered = last + 1
    return RiskCoverage(
        said[last], answered / max(len(said), 1), wrong[last] / answered, answered, wrong[last]
    )


def coverage_at(curve: RiskCoverage, risk: float) -> float:
    """Return the largest share that can be answered with at most `risk` of it wrong."""
    return float(curve.coverage[curve.risk <= risk].max(initial=0.0))


def threshold_for_risk(
    confidence: npt.ArrayLike, correct: npt.ArrayLike, risk: float
) -> tuple[float, float]:
    """Return the lowest confidence from which on at most `risk` of new answers will be wrong.

    A threshold picked on a sample fits its luck; so one more wrong answer than was seen is counted
    (A. Angelopoulos et al., Conformal Risk Control, arXiv 2208.02814). Without enough answers to
    tell, which takes 1/risk of them, the threshold is 1.

    Returns: the threshold, rounded up to 6 decimals, and the share of the sample that reaches it.
    """
    curve = risk_coverage(confidence, correct)
    good = np.flatnonzero((curve.wrong + 1) / (curve.answered + 1) <= risk)
    lowest = curve.threshold[good[-1]] if good.size else 1.0
    threshold = min(float(np.ceil(lowest * 1e6) / 1e6), 1.0)
    reached = np.asarray(confidence, np.float64) >= threshold
    return threshold, float(reached.mean()) if reached.size else 0.0


def summary(title: str, result: dict[str, Any]) -> str:
    """Put the result of `accuracy` in one line for people."""
    low, high = result["interval95"]
    return (
        f"{title}: {result['accuracy']:.2%} of {result['count']:,} "
        f"(95% interval {low:.2%} to {high:.2%}, {result['count'] - result['correct']} misread)"
    )


def per_digit(matrix: npt.NDArray[np.int64]) -> Sequence[str]:
    """Put a confusion matrix in ten lines for people: each digit's accuracy and what it became."""
    lines = []
    for digit, row in enumerate(matrix):
        wrong = [(int(n), other) for other, n in enumerate(row) if n and other != digit]
        became = ", ".join(f"{n} as {other}" for n, other in sorted(wrong, reverse=True))
        share = row[digit] / max(row.sum(), 1)
        lines.append(
            f"  {digit}  {share:7.2%} of {row.sum():,}" + (f"  {became}" if became else "")
        )
    return lines


def edits(text: str, read: str) -> int:
    """Return the least number of digits changed, left out or put in from `text` to `read`."""
    costs = list(range(len(read) + 1))
    for row, wanted in enumerate(text, 1):
        diagonal, costs[0] = costs[0], row
        for column, found in enumerate(read, 1):
            diagonal, costs[column] = (
                costs[column],
                min(costs[column] + 1, costs[column - 1] + 1, diagonal + (wanted != found)),
            )
    return costs[-1]
