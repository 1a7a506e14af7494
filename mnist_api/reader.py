"""Reads digits with one release."""

from __future__ import annotations

import base64
import dataclasses
import io
from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_model.classify import Classifier
from mnist_model.ink import Ink, ink_from_image
from mnist_model.line import read_line
from mnist_model.normalise import SIDE, normalise, stages
from mnist_model.release import Release, ReleaseError
from mnist_model.saliency import saliency

MOST_ALTERNATIVES = 3
LEAST_ALTERNATIVE = 0.01
"""Probability from which on a digit is named as an alternative."""
FILTERS_SHOWN = 16


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a picture shows, and what the network saw of it.

    content: the answer as the contract has it, without `milliseconds`. pictures: uint8 (28, 28),
    one for each digit. boxes: width and height of each digit's ink as drawn, in pixels.
    """

    text: str
    content: dict[str, Any]
    pictures: list[Ink]
    confidences: list[float]


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

    def read(self, picture: Image.Image, include: Collection[str] = ()) -> Seen:
        """Say which digit a picture shows.

        include: of `normalised`, `saliency` and `stages`. Raises NoDigitError.
        """
        ink = ink_from_image(picture)
        seen = normalise(ink)
        [row] = self._classifier.probabilities(seen[np.newaxis])
        digit = int(row.argmax())
        probabilities = _rounded(row)
        order = np.argsort(-row, kind="stable")[1 : 1 + MOST_ALTERNATIVES]
        confidence = probabilities[digit]
        content = {
            "digit": digit,
            "confidence": confidence,
            "probabilities": probabilities,
            "certain": confidence >= self.release.certain_digit,
            "alternatives": [
                {"digit": int(other), "confidence": probabilities[other]}
                for other in order
                if row[other] >= LEAST_ALTERNATIVE
            ],
            "release": self.release.name,
        }
        if "normalised" in include:
            content["normalised"] = png_url(seen)
        if "saliency" in include:
            content["saliency"] = png_url(_grey(saliency(seen, self._classifier, digit)))
        if "stages" in include:
            content["stages"] = self._stages(ink)
        return Seen(str(digit), content, [seen], [confidence])

    def read_line(
        self, picture: Image.Image, length: int | None = None, include: Collection[str] = ()
    ) -> Seen:
        """Read a line of digits; length: how many are expected.

        include: `normalised` or nothing. Raises NoDigitError.
        """
        reading = read_line(ink_from_image(picture), self._classifier, length)
        digits = []
        for one in reading.digits:
            confidence = round(one.confidence, 6)
            digits.append(
                {
                    "digit": one.digit,
                    "confidence": confidence,
                    "probabilities": [round(float(p), 6) for p in one.probabilities],
                    "certain": confidence >= self.release.certain_digit,
                    "box": dict(zip(one.box._fields, map(int, one.box), strict=True)),
                    **({"normalised": png_url(one.picture)} if "normalised" in include else {}),
                }
            )
        content = {
            "text": reading.text,
            "confidence": round(reading.confidence, 6),
            "certain": reading.certain,
            "digits": digits,
            "release": self.release.name,
        }
        pictures = [one.picture for one in reading.digits]
        return Seen(reading.text, content, pictures, [one.confidence for one in reading.digits])

    def check(self, picture: Image.Image, kind: str, length: int) -> None:
        """Raise NoDigitError when there is nothing of a kind, `digit` or `line`, to be read."""
        ink = ink_from_image(picture)
        if kind == "digit":
            normalise(ink)
        else:
            read_line(ink, self._classifier, length)

    def _stages(self, ink: Ink) -> dict[str, Any]:
        found = stages(ink)
        try:
            maps = self._classifier.first_layer(found.picture)
        except ReleaseError:  # the release's directory went away, as it does after a newer one
            maps = None
        filters = [] if maps is None else [maps[..., n] for n in range(maps.shape[2])]
        strongest = max((float(one.max()) for one in filters), default=0.0) or 1.0
        return {
            "crop": png_url(found.crop),
            "fitted": png_url(found.fitted),
            "normalised": png_url(found.picture),
            "filters": [png_url(_grey(one / strongest)) for one in filters[:FILTERS_SHOWN]],
        }


def png_url(picture: Ink) -> str:
    """Return a grey picture, uint8 (height, width), as the data URL of a PNG."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def _grey(share: npt.NDArray[np.float32]) -> Ink:
    """Turn 0..1 into 0..255; what is outside is cut."""
    grey: Ink = (np.clip(share, 0, 1) * 255 + 0.5).astype(np.uint8)
    return grey


def _rounded(row: npt.NDArray[np.float32]) -> list[float]:
    # Six digits: about what the calibration is worth, and half of the answer's bytes.
    return [round(p, 6) for p in row.tolist()]
