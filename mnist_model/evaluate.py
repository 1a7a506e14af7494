"""How good a model is: accuracies with 95% intervals, confusion, calibration."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_model.classify import softmax

Labels = npt.NDArray[np.uint8]


def digits(scores: npt.NDArray[np.float32]) -> Labels:
    """Return the digit with the highest score (logit or probability) in each row of ten."""
    best: Labels = scores.argmax(axis=1).astype(np.uint8)
    return best


def accuracy(labels: Labels, read: Labels) -> dict[str, Any]:
    """Return how many of `read` equal `labels`, the share, and its 95% interval."""
    correct, count = int((labels == read).sum()), len(labels)
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
    return float((centre - reach) / scale), float((centre + reach) / scale)


def confusion(labels: Labels, read: Labels) -> npt.NDArray[np.int64]:
    """Return int64 (10, 10): how often the digit of the row was read as that of the column."""
    return np.bincount(labels.astype(np.int64) * 10 + read, minlength=100).reshape(10, 10)


def best_temperature(logits: npt.NDArray[np.float32], labels: Labels) -> float:
    """Return what to divide the logits by for the lowest cross-entropy, between 0.2 and 5.

    Method: C. Guo et al., On Calibration of Modern Neural Networks (arXiv 1706.04599); found by
    golden-section search over the logarithm, in which the cross-entropy has one minimum.
    """
    low, high = np.log(0.2), np.log(5.0)
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(30):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if _cross_entropy(logits, labels, np.exp(left)) < _cross_entropy(
            logits, labels, np.exp(right)
        ):
            high = right
        else:
            low = left
    return round(float(np.exp((low + high) / 2)), 4)


def _cross_entropy(logits: npt.NDArray[np.float32], labels: Labels, temperature: float) -> float:
    chosen = softmax(logits, temperature)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, 1e-30)).mean())


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
