"""Figures are what statistics says they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_model.classify import softmax
from mnist_model.evaluate import (
    accuracy,
    best_temperature,
    confusion,
    digits,
    interval95,
    per_digit,
    summary,
)


def test_wilsons_interval() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    assert interval95(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert interval95(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert interval95(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert interval95(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


@given(st.integers(1, 1000), st.data())
def test_the_interval_holds_the_share(count: int, data: st.DataObject) -> None:
    correct = data.draw(st.integers(0, count))
    low, high = interval95(correct, count)
    assert low >= -1e-9
    assert low - 1e-9 <= correct / count <= high + 1e-9
    assert high <= 1 + 1e-9


def test_accuracy_and_its_line() -> None:
    labels = np.array([1, 2, 3, 4], np.uint8)
    result = accuracy(labels, np.array([1, 2, 3, 5], np.uint8))
    assert result["correct"] == 3
    assert result["count"] == 4
    assert result["accuracy"] == 0.75
    line = summary("test", result)
    assert line == "test: 75.00% of 4 (95% interval 30.06% to 95.44%, 1 misread)"


def test_confusion_counts_rows_as_labels() -> None:
    matrix = confusion(np.array([7, 7, 7, 0], np.uint8), np.array([7, 1, 1, 0], np.uint8))
    assert matrix[7, 1] == 2
    assert matrix[7, 7] == matrix[0, 0] == 1
    assert matrix.sum() == 4
    lines = per_digit(matrix)
    assert lines[7] == "  7   33.33% of 3  2 as 1"
    assert lines[0] == "  0  100.00% of 1"
    assert lines[5] == "  5    0.00% of 0"


def test_digits_are_the_best_columns() -> None:
    scores = np.eye(10, dtype=np.float32)[[3, 1, 4]]
    assert digits(scores).tolist() == [3, 1, 4]


@pytest.mark.parametrize("true", [0.5, 1.0, 2.5])
def test_the_temperature_of_a_model_that_is_too_sure_or_unsure(true: float) -> None:
    random = np.random.default_rng(1)
    logits = random.normal(0, 2, (20_000, 10)).astype(np.float32)
    cumulated = softmax(logits).cumsum(axis=1)
    labels = (random.random((len(logits), 1)) > cumulated).sum(axis=1).clip(0, 9).astype(np.uint8)
    found = best_temperature(logits * np.float32(true), labels)
    assert found == pytest.approx(true, rel=0.05)


def test_softmax_stands_large_logits() -> None:
    probabilities = softmax(np.array([[1e4, 0, -1e4]], np.float32))
    np.testing.assert_array_equal(probabilities, [[1, 0, 0]])
    flat = softmax(np.array([[2, 1]], np.float32), temperature=1e6)
    np.testing.assert_allclose(flat, [[0.5, 0.5]], atol=1e-5)
