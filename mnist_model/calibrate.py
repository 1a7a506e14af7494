"""Makes confidences mean what they say, and says from which on an answer is called certain.

All of it on the validation part of the training set; the test set only tells whether it held.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mnist_model.classify import Classifier, softmax
from mnist_model.metrics import Labels, Scores, threshold_for_risk
from mnist_model.release import Release
from mnist_model.strings import compose
from mnist_model.suites import LENGTH, Effort, Pictures, read_digits, read_lines, together

SERVING_MODEL = "model.tflite"
SERVING = {"file": SERVING_MODEL, "first_layer": "first-layer.tflite", "line": "line.tflite"}
"""What a release serves with; a draft may lack all but the first."""
UNKNOWN: Mapping[str, Any] = {"temperature": 1.0, "certain_digit": 1.0, "certain_line": 1.0}

RISK_OF_DIGIT = 0.002
"""Largest share of the digits called certain that may be wrong: one in 500.

A third of them as in MNIST, a third anywhere on a canvas, a third corrupted: what a page gets.
"""
RISK_OF_LINE = 0.01
"""Largest share of the strings called certain that may be wrong, of five digits in mixed spacing.

ZIP code readers were compared by what they read at this error (ICDAR 1997). Half of the strings are
read knowing that there are five digits, as a ZIP code is, half without knowing.
"""
CALIBRATIONS: Mapping[str, Effort] = {
    "full": Effort(digits=2000, corrupted=120, strings=2000),
    "quick": Effort(digits=340, corrupted=20, strings=120),
}
SEED = 7
"""Another one than the evaluation's."""


def calibrate(
    draft: Path,
    pictures: Pictures,
    labels: Labels,
    effort: Effort = CALIBRATIONS["full"],
    known: Mapping[str, Any] = UNKNOWN,
) -> dict[str, Any]:
    """Return `temperature`, `certain_digit` and `certain_line` for a release that is being made.

    draft: a directory with the serving model. pictures, labels: uint8 (n, 28, 28) and (n,), of the
    validation part. Too few of them to be sure of anything give thresholds of 1.
    known: what the release's calibration holds besides; it is in the result, too.
    """
    unknown = {**UNKNOWN, **known}
    logits = unsealed(draft, unknown).logits(pictures)
    found = {**unknown, "temperature": best_temperature(logits, labels)}
    classifier = unsealed(draft, found)
    mixed = read_digits(classifier, pictures, labels, effort, SEED).mixed()
    lines = compose(pictures, labels, SEED, "mixed", LENGTH, effort.strings)
    read = together(
        [read_lines(classifier, lines[::2], LENGTH), read_lines(classifier, lines[1::2], None)]
    )
    return {
        **found,
        "certain_digit": threshold_for_risk(mixed.confidence, mixed.correct, RISK_OF_DIGIT)[0],
        "certain_line": threshold_for_risk(read.confidence, read.correct, RISK_OF_LINE)[0],
    }


def unsealed(draft: Path, calibration: Mapping[str, Any]) -> Classifier:
    """Return a classifier by the files of a release that is still being made."""
    serving = {what: name for what, name in SERVING.items() if (draft / name).exists()}
    files = {
        name: {"sha256": hashlib.sha256((draft / name).read_bytes()).hexdigest()}
        for name in serving.values()
    }
    facts = {"serving": serving, "files": files, "calibration": calibration}
    return Classifier(Release("unfinished", draft, facts))


def best_temperature(logits: Scores, labels: Labels) -> float:
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


def _cross_entropy(logits: Scores, labels: Labels, temperature: float) -> float:
    chosen = softmax(logits, temperature)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, 1e-30)).mean())
