"""Everything a release is tried on, and the table of it. Figures are the same in every run.

The test set's pictures are used here and nowhere else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnist_model.calibrate import RISK_OF_LINE, best_temperature
from mnist_model.classify import Classifier, softmax
from mnist_model.corrupt import CORRUPTIONS
from mnist_model.data import Mnist
from mnist_model.figures import table
from mnist_model.metrics import (
    Labels,
    RiskCoverage,
    Scores,
    accuracy,
    coverage_at,
    digits,
    ece,
    risk_coverage,
    share,
)
from mnist_model.strings import GAPS, compose
from mnist_model.suites import (
    EFFORTS,
    LENGTH,
    Answers,
    LineAnswers,
    other_writers,
    read_digits,
    read_images,
    read_lines,
    together,
)

__all__ = ["Evaluation", "accuracy", "best_temperature", "digits", "evaluate", "examine", "table"]

SEED = 1
Say = Callable[[str], None]


@dataclass(frozen=True)
class Evaluation:
    """The figures, and what the report draws."""

    results: dict[str, Any]
    """For the manifest: see `evaluate`."""
    logits: Scores
    """Of MNIST's test pictures."""
    curve: RiskCoverage
    """Of strings of mixed spacing, told that there are five digits."""


def evaluate(classifier: Classifier, mnist: Mnist, effort: str = "full") -> dict[str, Any]:
    """Return all figures of a release, ready for JSON.

    Each share is a dict of `correct`, `count`, `accuracy` and `interval95`.
    """
    return examine(classifier, mnist, effort).results


def examine(
    classifier: Classifier, mnist: Mnist, effort: str = "full", say: Say = lambda _: None
) -> Evaluation:
    """Try a classifier on everything. say: gets a line before each part."""
    much = EFFORTS[effort]
    pictures, labels = mnist.test_pictures, mnist.test_labels
    say(f"MNIST test: {len(labels):,} digits")
    logits = classifier.logits(pictures)
    say(
        f"{much.digits:,} digits anywhere on a canvas, "
        f"{much.corrupted:,} in each of {len(CORRUPTIONS)} corruptions, other writers' digits"
    )
    suites = read_digits(classifier, pictures, labels, much, SEED)
    others = other_writers()
    say(f"{much.strings:,} strings of {LENGTH} digits")
    lines = compose(pictures, labels, SEED, "mixed", LENGTH, much.strings)
    told = read_lines(classifier, lines)
    untold = read_lines(classifier, lines[: much.strings // 4], None)
    curve = risk_coverage(told.confidence, told.correct)
    results = {
        "effort": effort,
        "test": _test(logits, labels),
        "calibration": _calibration(logits, labels, classifier.release.temperature),
        "canvas": suites.canvas.share(),
        "other_writers": read_images(classifier, *others).share() if others else None,
        "corruptions": {
            **together(suites.corrupted.values()).share(),
            "each": {name: answers.share() for name, answers in suites.corrupted.items()},
        },
        "strings": _strings(told, [line.spacing for line in lines])
        | {"mixed, length not told": _strings_and_digits(untold)},
        "coverage": _coverage(curve),
        "certain": {
            "digit": certain(suites.mixed(), classifier.release.certain_digit),
            "line": certain(told, classifier.release.certain_line),
        },
    }
    return Evaluation(results, logits, curve)


def _test(logits: Scores, labels: Labels) -> dict[str, Any]:
    read = digits(logits)
    each = [accuracy(labels[labels == digit], read[labels == digit]) for digit in range(10)]
    return {**accuracy(labels, read), "per_digit": each}


def _calibration(logits: Scores, labels: Labels, temperature: float) -> dict[str, Any]:
    return {
        "count": len(labels),
        "temperature": temperature,
        "ece_before": round(ece(softmax(logits), labels), 6),
        "ece_after": round(ece(softmax(logits, temperature), labels), 6),
    }


def _strings(read: LineAnswers, spacings: Sequence[str]) -> dict[str, Any]:
    """Return the shares of strings and of digits for each spacing, and for all."""
    kind = np.array(spacings)
    return {
        **{name: _strings_and_digits(read.of(kind == name)) for name in GAPS},
        "mixed": _strings_and_digits(read),
    }


def _strings_and_digits(read: LineAnswers) -> dict[str, Any]:
    count = LENGTH * len(read.edits)
    return {"strings": read.share(), "digits": share(max(count - int(read.edits.sum()), 0), count)}


def _coverage(curve: RiskCoverage) -> dict[str, Any]:
    """Return the share of strings that can be read with few enough wrong, and the curve."""
    count = int(curve.answered[-1])
    steps = np.searchsorted(curve.coverage, np.arange(0.5, 1.0001, 0.02) - 1e-9)
    return {
        "risk": RISK_OF_LINE,
        **share(round(coverage_at(curve, RISK_OF_LINE) * count), count),
        "curve": [
            [round(float(curve.coverage[at]), 4), round(float(curve.risk[at]), 4)]
            for at in np.unique(steps)
        ],
    }


def certain(answers: Answers, threshold: float) -> dict[str, Any]:
    """Return how many answers are called certain, and how many of those are right."""
    called = answers.of(answers.confidence >= threshold)
    count = len(called.correct)
    return {
        "threshold": threshold,
        "certain": share(count, len(answers.correct)),
        "right_of_certain": called.share() if count else None,
    }
