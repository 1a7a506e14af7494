"""Reads a line of handwritten digits, such as a ZIP code, from left to right."""

from dataclasses import dataclass

import numpy as np

from mnist_model.classify import Classifier
from mnist_model.ink import Ink
from mnist_model.lattice import WEIGHTS, best, features, log_sum
from mnist_model.segment import Box, TooManyDigitsError, segment

MOST_DIGITS = 20
"""Of a line."""

__all__ = ["MOST_DIGITS", "Box", "ReadDigit", "Reading", "TooManyDigitsError", "read_line"]


@dataclass(frozen=True)
class ReadDigit:
    """One digit of a line."""

    digit: int
    confidence: float
    """That it is this digit, 0 to 1."""
    probabilities: tuple[float, ...]
    """Of the ten digits; they sum to 1."""
    box: Box
    """In pixels of the ink given."""
    picture: Ink
    """uint8 (28, 28): what the network saw."""


@dataclass(frozen=True)
class Reading:
    """A line of digits as read."""

    text: str
    confidence: float
    """That all of the text is right, 0 to 1."""
    certain: bool
    """Whether the confidence reaches the release's threshold for lines."""
    digits: tuple[ReadDigit, ...]
    """In reading order."""


def read_line(ink: Ink, classifier: Classifier, length: int | None = None) -> Reading:
    """Read the digits of one line.

    ink: uint8 (height, width), 0 paper to 255 ink, as from `ink_from_image`; any size.
    length: how many digits are expected; a reading with so many is taken where one is possible.
    Raises: NoInkError, TooMuchInkError, TooManyDigitsError, all NoDigitError; ValueError when
    length is not 1 to MOST_DIGITS; TypeError when ink is no such array.
    """
    if length is not None and not 1 <= length <= MOST_DIGITS:
        raise ValueError(f"length is 1 to {MOST_DIGITS}, not {length}")
    pieces = segment(ink)
    logs = classifier.line_logs(pieces.seen)
    weights = classifier.release.line_weights
    alone = classifier.digit_logs(pieces.picture[pieces.uncut])
    score = features(pieces, logs, alone) @ (WEIGHTS if weights is None else weights)
    found = best(pieces, score, length, MOST_DIGITS + 1)
    count = len(found.digits)
    if length and pieces.stop.max() > MOST_DIGITS:  # the length must not hide that there are more
        count = len(best(pieces, score, None, MOST_DIGITS + 1).digits)
    if not 1 <= count <= MOST_DIGITS:
        raise TooManyDigitsError(f"a line has at most {MOST_DIGITS} digits: give fewer at a time")
    chosen = score[found.pieces]
    probabilities = np.exp(chosen - log_sum(chosen, axis=1)[:, np.newaxis])
    digits = tuple(
        ReadDigit(
            digit,
            float(row[digit]),
            tuple(map(float, row)),
            pieces.boxes[piece],
            pieces.picture[piece],
        )
        for piece, digit, row in zip(found.pieces, found.digits, probabilities, strict=True)
    )
    text = "".join(str(digit) for digit in found.digits)
    certain = found.probability >= classifier.release.certain_line
    return Reading(text, found.probability, certain, digits)
