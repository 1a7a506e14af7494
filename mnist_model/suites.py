"""What a model is tried on besides MNIST's own test set: made here, or by other writers.

Every picture goes the road of an upload: image, `ink_from_image`, `normalise`, classify; every
string of digits by `read_line`. What the road refuses counts as misread.
"""

import gzip
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_model.classify import Classifier
from mnist_model.corrupt import CORRUPTIONS
from mnist_model.ink import Ink, ink_from_image
from mnist_model.line import read_line
from mnist_model.metrics import Bools, Floats, Labels, digits, edits, share
from mnist_model.normalise import SIDE, NoDigitError, normalise
from mnist_model.strings import Line

CANVAS = 280
MIDDLE_SIDE = 112
"""Side of an MNIST picture at scale 1 on the canvas, in pixels."""
SCANNED = 32
"""Side of the bitmaps from which scikit-learn's 8x8 digits were made."""
LENGTH = 5

Pictures = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Effort:
    """How much is tried."""

    digits: int
    """Of these as they are, and as many on a canvas."""
    corrupted: int
    """Digits for each corruption."""
    strings: int
    """Of mixed spacing: a fifth of them in each."""


EFFORTS: Mapping[str, Effort] = {
    "full": Effort(digits=2000, corrupted=300, strings=1500),
    "quick": Effort(digits=100, corrupted=10, strings=50),
}
"""`quick` is for trying things out: its intervals are wide."""


@dataclass(frozen=True)
class Answers:
    """What became of a set of pictures: for each, whether it was read right, and how surely."""

    correct: Bools
    confidence: Floats
    """0 to 1; 0 for what the road refused."""

    def of(self, chosen: slice | Bools) -> "Answers":
        """Return some of them."""
        return Answers(self.correct[chosen], self.confidence[chosen])

    def share(self) -> dict[str, Any]:
        """Return the share of right ones as `metrics.share` does."""
        return share(int(self.correct.sum()), len(self.correct))


def together(parts: Iterable[Answers]) -> Answers:
    """Return several sets as one."""
    correct, confidence = zip(*((part.correct, part.confidence) for part in parts), strict=True)
    return Answers(np.concatenate(correct), np.concatenate(confidence))


def on_canvas(picture: Ink, random: np.random.Generator) -> Image.Image:
    """Put a digit on a 280x280 page, as a drawing page sends it.

    0.5 to 2 times 112 pixels large (log-uniform), anywhere, in a pen and on a paper of random
    colours, at least 100 of 255 apart in brightness, either of them the darker one.
    """
    side = round(MIDDLE_SIDE * 2 ** random.uniform(-1, 1))
    mask = Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC)
    dark, light = random.integers(0, 78, 3), random.integers(178, 256, 3)
    pen, paper = (dark, light) if random.random() < 0.5 else (light, dark)  # noqa: PLR2004
    page = Image.new("RGB", (CANVAS, CANVAS), tuple(paper.tolist()))
    place = tuple(random.integers(0, CANVAS - side + 1, 2).tolist())
    page.paste(tuple(pen.tolist()), (*place, place[0] + side, place[1] + side), mask)
    return page


def anywhere(pictures: Pictures, seed: int) -> Iterable[Image.Image]:
    """Give each picture on a canvas; the same for the same seed."""
    random = np.random.default_rng((seed, 1))
    return (on_canvas(picture, random) for picture in pictures)


def corrupted(name: str, pictures: Pictures, seed: int) -> Iterable[Image.Image]:
    """Give each picture corrupted in the way of this name; the same for the same seed."""
    random = np.random.default_rng((seed, 2, list(CORRUPTIONS).index(name)))
    return (Image.fromarray(CORRUPTIONS[name](picture, random)) for picture in pictures)


def other_writers() -> tuple[list[Image.Image], Labels] | None:
    """Return scikit-learn's 1,797 digits of other writers as images, and which digits they are.

    E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI (1998): bitmaps of 32x32
    reduced to 8x8 grey values of 0 to 16; enlarged here to 32x32 again (Lanczos), with paper around
    them. Read from the package's file, because importing scikit-learn takes three seconds.

    Returns: None if scikit-learn is not installed.
    """
    try:
        file = distribution("scikit-learn").locate_file("sklearn/datasets/data/digits.csv.gz")
    except PackageNotFoundError:
        return None
    text = gzip.decompress(Path(str(file)).read_bytes())
    rows = np.loadtxt(io.BytesIO(text), np.uint8, delimiter=",")
    grey = (rows[:, :64].reshape(-1, 8, 8).astype(np.float32) * (255 / 16)).astype(np.uint8)
    side = SCANNED * 12 // 8
    sheets = [Image.fromarray(np.pad(each, 2)) for each in grey]
    images = [sheet.resize((side, side), Image.Resampling.LANCZOS) for sheet in sheets]
    return images, rows[:, 64]


def read_images(classifier: Classifier, images: Iterable[Image.Image], labels: Labels) -> Answers:
    """Read images of one digit each as the API does. labels: uint8 (n,), what they are."""
    blank = np.zeros((SIDE, SIDE), np.uint8)
    pictures, found = [], []
    for image in images:
        try:
            pictures.append(normalise(ink_from_image(image)))
        except NoDigitError:
            pictures.append(blank)
        found.append(pictures[-1] is not blank)
    probabilities = classifier.probabilities(np.array(pictures))
    read, there = digits(probabilities), np.array(found)
    return Answers((read == labels) & there, np.where(there, probabilities.max(axis=1), 0.0))


@dataclass(frozen=True)
class DigitSuites:
    """The same digits as they are, on a canvas, and corrupted."""

    plain: Answers
    canvas: Answers
    corrupted: Mapping[str, Answers]

    def mixed(self) -> Answers:
        """Return a set of equal parts of the three, in which each corruption has the same share."""
        each = min(len(self.plain.correct) // len(CORRUPTIONS), len(self.corrupted["blur"].correct))
        part = slice(each * len(CORRUPTIONS))
        bad = [answers.of(slice(each)) for answers in self.corrupted.values()]
        return together([self.plain.of(part), self.canvas.of(part), *bad])


def read_digits(
    classifier: Classifier, pictures: Pictures, labels: Labels, effort: Effort, seed: int
) -> DigitSuites:
    """Read digits chosen from these as they are, on a canvas, and corrupted.

    As they are, they are given to the network straight, because MNIST is normalised already.
    """
    order = np.random.default_rng((seed, 0)).permutation(len(labels))
    some, few = order[: effort.digits], order[: effort.corrupted]
    probabilities = classifier.probabilities(pictures[some])
    right = digits(probabilities) == labels[some]
    return DigitSuites(
        Answers(right, probabilities.max(axis=1).astype(np.float64)),
        read_images(classifier, anywhere(pictures[some], seed), labels[some]),
        {
            name: read_images(classifier, corrupted(name, pictures[few], seed), labels[few])
            for name in CORRUPTIONS
        },
    )


@dataclass(frozen=True)
class LineAnswers(Answers):
    """The same for strings: right is one that was read right from end to end."""

    edits: npt.NDArray[np.int64]
    """Least number of digits to change, leave out or put in to make each string right."""

    def of(self, chosen: slice | Bools) -> "LineAnswers":
        """Return some of them."""
        return LineAnswers(self.correct[chosen], self.confidence[chosen], self.edits[chosen])


def read_lines(
    classifier: Classifier, lines: Iterable[Line], length: int | None = LENGTH
) -> LineAnswers:
    """Read strings as the API does; `length` is what it is told to expect, None for nothing."""
    wrong, confidence = [], []
    for line in lines:
        try:
            reading = read_line(line.ink, classifier, length)
        except NoDigitError:
            wrong.append(len(line.text))
            confidence.append(0.0)
        else:
            wrong.append(edits(line.text, reading.text))
            confidence.append(reading.confidence)
    return LineAnswers(np.array(wrong) == 0, np.array(confidence), np.array(wrong))
