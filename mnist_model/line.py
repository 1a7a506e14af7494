"""Reads a line of handwritten digits, such as a ZIP code, from left to right."""

from dataclasses import dataclass

import numpy as np

from mnist_model.classify import Classifier
from mnist_model.ink import Ink
from mnist_model.normalise import INK, NoDigitError, NoInkError, normalise
from mnist_model.segment import Box

MOST_DIGITS = 20

__all__ = ["MOST_DIGITS", "Box", "ReadDigit", "Reading", "TooManyDigitsError", "read_line"]


class TooManyDigitsError(NoDigitError):
    """There are more pieces of ink than a line of digits can have."""


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
    normalise(ink)  # raises what is no ink
    columns = np.flatnonzero((ink >= INK).any(axis=0))
    if not columns.size:
        raise NoInkError("there is no ink in the picture")
    pieces = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
    if len(pieces) > MOST_DIGITS:
        raise TooManyDigitsError(f"there are more than {MOST_DIGITS} pieces of ink in the picture")
    boxes, pictures = [], []
    for piece in pieces:
        left, right = int(piece[0]), int(piece[-1]) + 1
        rows = np.flatnonzero((ink[:, left:right] >= INK).any(axis=1))
        boxes.append(Box(left, int(rows[0]), right, int(rows[-1]) + 1))
        pictures.append(normalise(ink[:, left:right]))
    probabilities = classifier.probabilities(np.array(pictures))
    digits = tuple(
        ReadDigit(int(row.argmax()), float(row.max()), tuple(map(float, row)), box, picture)
        for row, box, picture in zip(probabilities, boxes, pictures, strict=True)
    )
    confidence = float(np.prod([digit.confidence for digit in digits]))
    certain = confidence >= classifier.release.certain_line
    return Reading("".join(str(one.digit) for one in digits), confidence, certain, digits)
