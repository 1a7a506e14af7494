"""The two ways to train: `fast` for a good model in a minute, `best` for the best.

Hyper-parameters were chosen on the validation part of the training set, never on the test set.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a training makes, besides the seed and the data."""

    name: str
    epochs: int
    filters: tuple[int, int, int, int]
    """Of the convolutions: 5x5 to sides of 14, 3x3 to 7, 3x3 at 7, 3x3 to 5."""
    dropout: float
    """Share of the features left out at random before the last layer."""
    peak_rate: float
    """Highest learning rate of Adam: reached after `warm_up`, then down to 0 along a cosine."""
    degrees: float
    """Pictures are turned by at most this, either way."""
    zoom: float
    """Pictures are made larger or smaller by at most this share, each side by itself."""
    shear: float
    """Pictures are slanted by at most this many pixels per pixel."""
    shift: float
    """Pictures are moved by at most this many pixels along each axis."""
    elastic: float = 0.0
    """Pictures are bent by smooth random shifts of about this many pixels."""
    thickness: float = 0.0
    """Strokes become wider or thinner by at most this share of a pixel on each side."""
    blur: float = 0.0
    """Share of the pictures that are blurred as a coarse scan does."""
    skips: float = 0.0
    """Share of the pictures in which the pen skips once."""
    line_effort: str = "full"
    """How much is done for lines: `swift` or `full`, see `line_network`."""
    batch: int = 128
    warm_up: float = 0.2
    """Share of the steps."""
    validation: int = 12
    """One picture in this many of the training set is kept for validation."""


@dataclass(frozen=True)
class Plan:
    """One training: a recipe and what is chosen on the command line."""

    recipe: Recipe
    seed: int = 1
    limit: int | None = None
    """Use only this many of the 60,000 training pictures, for a quick try."""
    feedback: str = ""
    """SHA-256 of the reviewed drawings that are learnt from, too; empty: none."""


RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            name="fast",
            epochs=3,
            filters=(16, 32, 64, 64),
            dropout=0.0,
            peak_rate=0.01,
            degrees=8,
            zoom=0.1,
            shear=0.1,
            shift=1,
            elastic=0.4,
            thickness=0.3,
            blur=0.1,
            line_effort="swift",
        ),
        Recipe(
            name="best",
            epochs=16,
            filters=(32, 64, 96, 128),
            dropout=0.3,
            peak_rate=0.006,
            degrees=10,
            zoom=0.12,
            shear=0.15,
            shift=1.5,
            elastic=0.6,
            thickness=0.4,
            blur=0.1,
            skips=0.1,
        ),
    )
}
