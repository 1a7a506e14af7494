"""Reviewed drawings from the page, to learn from beside MNIST.

A directory with `labels.csv` and the pictures that it names, or one with several such directories
(as `make feedback` fills, one a day). The columns `file`, `label` and
`reviewed` are needed, others (`kind`, `said`, `created` …) are left to people. Only rows that a
person marked `yes` under `reviewed` count, so that nobody can teach the network by sending much.
"""

import csv
import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from mnist_model.ink import ink_from_image
from mnist_model.normalise import NoDigitError, normalise

LABELS = "labels.csv"
MOST_PIXELS = 4_000_000
REPEAT = 10
"""How often each drawing is shown per epoch: few, but of the hands that use the page."""


class FeedbackError(Exception):
    """The reviewed drawings cannot be used; the text names the row and says what to do."""


class Feedback(NamedTuple):
    """Pictures uint8 (n, 28, 28), as from `normalise`; labels uint8 (n,), 0 to 9."""

    pictures: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]

    @property
    def sha256(self) -> str:
        """Return the hash of the drawings and their labels."""
        return hashlib.sha256(self.pictures.tobytes() + self.labels.tobytes()).hexdigest()


def load_feedback(directory: Path) -> Feedback:
    """Read the reviewed drawings of single digits. Raises FeedbackError."""
    collected = sorted(path.parent for path in directory.glob(f"*/{LABELS}"))
    sets = [directory] if (directory / LABELS).exists() or not collected else collected
    read = [one for each in sets for one in _reviewed(each)]
    if not read:
        raise FeedbackError(
            f"{directory / LABELS if sets == [directory] else directory} has no reviewed drawing: "
            "look at each, and write yes under `reviewed` where `label` is right"
        )
    pictures, labels = zip(*read, strict=True)
    return Feedback(np.stack(pictures), np.array(labels, np.uint8))


def _reviewed(directory: Path) -> list[tuple[npt.NDArray[np.uint8], int]]:
    """Return the pictures and labels that count in one `labels.csv`."""
    file = directory / LABELS
    found = []
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            rows = csv.DictReader(lines)
            if missing := {"file", "label", "reviewed"} - set(rows.fieldnames or ()):
                raise FeedbackError(f"{file} has no column {', '.join(sorted(missing))}")
            for number, row in enumerate(rows, 2):
                if _counts(row):
                    where = f"{file}, line {number}"
                    label = _label(row, where)
                    found.append((_picture(directory, row, where), label))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FeedbackError(f"{file} cannot be read: {error}") from error
    return found


def _counts(row: dict[str, str]) -> bool:
    reviewed = (row["reviewed"] or "").strip().lower() == "yes"
    return reviewed and (row.get("kind") or "digit") == "digit"


def _label(row: dict[str, str], where: str) -> int:
    label = (row["label"] or "").strip()
    if len(label) != 1 or label not in "0123456789":
        raise FeedbackError(f"{where}: the label is {label!r}, not a digit: correct it")
    return int(label)


def _picture(directory: Path, row: dict[str, str], where: str) -> npt.NDArray[np.uint8]:
    file = directory / (row["file"] or "")
    if not file.resolve().is_relative_to(directory.resolve()):
        raise FeedbackError(f"{where}: {row['file']} is not inside {directory}")
    try:
        with Image.open(file, formats=("PNG", "JPEG", "WEBP")) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise FeedbackError(f"{where}: {file.name} has over {MOST_PIXELS} pixels")
            return normalise(ink_from_image(picture))
    except NoDigitError as error:
        raise FeedbackError(f"{where}: {error}: do not mark it as reviewed") from error
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError) as error:
        raise FeedbackError(f"{where}: {file.name} is no picture: {error}") from error
