"""Reads digits with one release."""

from __future__ import annotations

import dataclasses

import numpy as np
from PIL import Image

from mnist_model.classify import Classifier
from mnist_model.ink import ink_from_image
from mnist_model.normalise import SIDE, normalise
from mnist_model.release import Release


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a picture shows.

    digit: 0 to 9, the most probable one. confidence: its probability. probabilities: of the ten
    digits in order, each 0 to 1, together 1. release: the name of the release that read it.
    """

    digit: int
    confidence: float
    probabilities: list[float]
    release: str


class Reader:
    """Reads digits; may be shared between threads."""

    def __init__(self, release: Release) -> None:
        """Load a verified release. Raises ReleaseError if it changed since."""
        self.release = release
        self.warm = False
        self._classifier = Classifier(release)

    def warm_up(self) -> None:
        """Read an empty picture, so that no client waits for what the first prediction sets up."""
        self._classifier.probabilities(np.zeros((1, SIDE, SIDE), np.uint8))
        self.warm = True

    def read(self, picture: Image.Image) -> Answer:
        """Say which digit a picture shows. Raises NoInkError when nothing is drawn."""
        ink = normalise(ink_from_image(picture))
        [row] = self._classifier.probabilities(ink[np.newaxis])
        # Six digits: about what the calibration is worth, and half of the answer's bytes.
        probabilities = [round(float(p), 6) for p in row]
        digit = int(row.argmax())
        return Answer(digit, probabilities[digit], probabilities, self.release.name)
