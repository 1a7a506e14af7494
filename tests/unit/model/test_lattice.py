"""The best path and its probability, against trying every reading."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_model.data import Mnist
from mnist_model.lattice import NAMES, WEIGHTS, Floats, best, features, log_of_text
from mnist_model.line_fit import Example, _loss, examples, fit
from mnist_model.segment import Pieces, segment
from mnist_model.strings import compose

MOST = 4


def pieces_of(spans: list[tuple[int, int]]) -> Pieces:
    first, stop = np.array(spans).T
    atoms = int(stop.max())
    none = np.zeros(atoms - 1)
    box = np.array([(a, 0, b, 1) for a, b in spans], float)
    pictures = np.zeros((len(spans), 28, 28, 2), np.uint8)
    return Pieces(first, stop, box, np.zeros(len(spans)), none, none, none, pictures, ())


def divisions(pieces: Pieces, start: int = 0) -> Iterator[list[int]]:
    """Every row of pieces that share no atom and leave none out."""
    if start == pieces.stop.max():
        yield []
    for piece in np.flatnonzero(pieces.first == start):
        for rest in divisions(pieces, int(pieces.stop[piece])):
            yield [int(piece), *rest]


def every(pieces: Pieces, score: Floats, digits: int = 10) -> dict[str, float]:
    """Sum of exp(score) of each text, over all readings with at most MOST digits."""
    found: dict[str, float] = {}
    for row in divisions(pieces):
        for text in product(range(digits), repeat=len(row) if len(row) <= MOST else 0):
            if text:
                total = sum(score[piece, digit] for piece, digit in zip(row, text, strict=True))
                name = "".join(map(str, text))
                found[name] = found.get(name, 0.0) + float(np.exp(total))
    return found


@given(st.integers(0, 10_000), st.integers(1, 4), st.none() | st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_it_finds_the_best_reading_and_how_probable_its_text_is(
    seed: int, atoms: int, length: int | None
) -> None:
    random = np.random.default_rng(seed)
    spans = [
        (a, b)
        for a in range(atoms)
        for b in range(a + 1, min(a + 3, atoms) + 1)
        if b == a + 1 or random.random() < 0.8
    ]
    pieces = pieces_of(spans)
    score = np.full((len(spans), 10), -50.0)  # three digits of ten are enough to try
    score[:, :3] = random.normal(0, 1, (len(spans), 3))
    found = best(pieces, score, length, MOST)
    rows = [row for row in divisions(pieces) if len(row) <= MOST]
    wanted = [row for row in rows if len(row) == length] or rows
    top = score.max(axis=1)
    assert top[found.pieces].sum() == pytest.approx(max(top[row].sum() for row in wanted))
    assert found.digits == list(score[found.pieces].argmax(axis=1))
    texts = every(pieces, score, 3)
    allowed = {len(row) for row in wanted}
    total = sum(value for text, value in texts.items() if len(text) in allowed)
    mine = texts["".join(map(str, found.digits))]
    assert found.probability == pytest.approx(mine / total, rel=1e-6)
    assert log_of_text(pieces, score, found.digits) == pytest.approx(np.log(mine), rel=1e-6)


def test_a_text_that_no_division_gives_has_no_probability() -> None:
    pieces = pieces_of([(0, 1), (1, 2)])
    assert log_of_text(pieces, np.zeros((2, 10)), [1]) == -np.inf
    assert log_of_text(pieces, np.zeros((2, 10)), []) == -np.inf


@pytest.fixture(scope="module")
def learning(mnist: Mnist) -> list[Example]:
    lines = compose(mnist.train_pictures[:300], mnist.train_labels[:300], 4, "mixed", 3, 12)
    random = np.random.default_rng(3)

    def logs(pictures: np.ndarray) -> np.ndarray:
        odds = random.random((len(pictures), 11)).astype(np.float32)
        return np.log(odds / odds.sum(axis=1, keepdims=True))

    return examples(lines, logs, lambda pictures: logs(pictures)[:, :10])


def test_features_are_finite_and_bounded(learning: list[Example]) -> None:
    for one in learning:
        assert one.features.shape == (len(one.pieces.first), 10, len(NAMES))
        assert np.abs(one.features).max() <= 30


def test_a_network_without_a_class_for_no_digit_will_do(mnist: Mnist) -> None:
    pieces = segment(compose(mnist.train_pictures, mnist.train_labels, 1, count=1)[0].ink)
    logs = np.full((len(pieces.first), 11), np.log(0.1), np.float32)
    logs[:, 10] = -np.inf
    found = features(pieces, logs, np.zeros((int(pieces.uncut.sum()), 10), np.float32))
    assert np.isfinite(found).all()
    assert np.abs(found[:, :, NAMES.index("whole")]).max() < 1e-5


def test_the_gradient_is_that_of_the_loss(learning: list[Example]) -> None:
    _, gradient = _loss(WEIGHTS, learning)
    step = 1e-5
    for number, moved in enumerate(np.eye(len(WEIGHTS)) * step):
        up, down = (_loss(WEIGHTS + sign * moved, learning)[0] for sign in (1, -1))
        assert gradient[number] == pytest.approx((up - down) / (2 * step), abs=1e-4)


def test_fitting_makes_the_true_texts_more_probable(learning: list[Example]) -> None:
    weights = fit(learning, rounds=5)
    assert weights.shape == WEIGHTS.shape
    assert _loss(weights, learning)[0] < _loss(WEIGHTS, learning)[0]
