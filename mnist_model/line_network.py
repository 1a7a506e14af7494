"""The network that reads pieces of lines: which digit a piece is, or that it is no whole digit.

A network that has seen only digits calls half a digit, or two, a digit with confidence; this one
has learnt from what `segment` makes of composed strings, and sees what is around a piece, too. It
is smaller and faster than the network for single digits, because a line has about sixty pieces.
Imports TensorFlow.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_model.batches import Part, Parts
from mnist_model.calibrate import SERVING_MODEL
from mnist_model.classify import ServingModel, softmax
from mnist_model.export import write
from mnist_model.learn import Say, learn
from mnist_model.line_fit import Logs, examples, fit
from mnist_model.network import build
from mnist_model.pieces import NO_DIGIT, line_pieces
from mnist_model.recipes import Plan, Recipe
from mnist_model.strings import compose
from mnist_model.tensorflow_quiet import keras

LINE_MODEL = "line.tflite"
LINE_RECIPE = Recipe(
    name="line",
    epochs=6,
    filters=(24, 48, 64, 96),
    dropout=0.3,
    peak_rate=0.008,
    degrees=5,
    zoom=0.05,
    shear=0.05,
    shift=0.5,
)
"""Pieces are cut and placed by the program, so they vary less than what people draw."""
WRONG_KEPT = 0.4
"""Share of the pieces that are no whole digit, which are the most, that is learnt from."""
PART = 250
"""Strings that are composed at a time, to keep memory low."""


class LineEffort(NamedTuple):
    """How much is done for lines."""

    digits: int
    """Learnt from as they are, at most."""
    strings: int
    """Composed to learn from."""
    fitted: int
    """Composed to fit the weights of the features on."""
    epochs: int


EFFORTS: Mapping[str, LineEffort] = {
    "full": LineEffort(digits=60_000, strings=15_000, fitted=400, epochs=6),
    "swift": LineEffort(digits=20_000, strings=2000, fitted=200, epochs=4),
    "quick": LineEffort(digits=60_000, strings=50, fitted=20, epochs=1),
}


def add_line(
    draft: Path, parts: Parts, seed: int = 1, effort: str = "full", say: Say = print
) -> dict[str, Any]:
    """Learn to read lines: write LINE_MODEL into a release that is being made.

    draft: has the serving model for single digits already.
    parts: the digits that strings are composed of, to learn from and to fit the weights on.
    effort: a name of EFFORTS. Returns: what belongs into the manifest's `calibration`.
    """
    much = EFFORTS[effort]
    pieces = Parts(
        _with_pieces(parts.learning, seed, much.digits, much.strings),
        _with_pieces(parts.validation, seed, much.digits, max(1, much.strings // 20)),
    )
    plan = Plan(replace(LINE_RECIPE, epochs=much.epochs), seed)
    keras.utils.set_random_seed(seed)
    network = build(plan.recipe, NO_DIGIT + 1, channels=2)
    say(f"lines: learning from {len(pieces.learning.labels):,} digits and pieces of strings")
    learn(network, plan, pieces, lambda line: say(f"lines: {line}"))
    file = draft / LINE_MODEL
    write(network, file)
    strings = compose(*parts.validation, seed, count=much.fitted)
    learning = examples(strings, _logs(file), _logs(draft / SERVING_MODEL))
    return {"line_weights": fit(learning).tolist()}


def _logs(file: Path) -> Logs:
    served = ServingModel(file.read_bytes())

    def logs(pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        return np.log(np.maximum(softmax(served.logits(pictures)), np.float32(1e-12)))

    return logs


def _with_pieces(digits: Part, seed: int, plain: int, strings: int) -> Part:
    """Some digits as they are, and the pieces of strings, with most that are none left out."""
    alone = digits.pictures[:plain]
    pictures, labels = [np.stack([alone, np.zeros_like(alone)], -1)], [digits.labels[:plain]]
    for start in range(0, strings, PART):
        part, what = line_pieces(*digits, seed + start, min(PART, strings - start))
        random = np.random.default_rng((seed, start))
        keep = (what != NO_DIGIT) | (random.random(len(what)) < WRONG_KEPT)
        pictures.append(part[keep])
        labels.append(what[keep])
    return Part(np.concatenate(pictures), np.concatenate(labels))
