"""Figures are what statistics says they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_model.classify import softmax
from mnist_model.metrics import (
    accuracy,
    confusion,
    coverage_at,
    digits,
    ece,
    edits,
    interval95,
    per_digit,
    reliability,
    risk_coverage,
    summary,
    threshold_for_risk,
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


def test_softmax_stands_large_logits() -> None:
    probabilities = softmax(np.array([[1e4, 0, -1e4]], np.float32))
    np.testing.assert_array_equal(probabilities, [[1, 0, 0]])
    flat = softmax(np.array([[2, 1]], np.float32), temperature=1e6)
    np.testing.assert_allclose(flat, [[0.5, 0.5]], atol=1e-5)


def scores(confidence: list[float]) -> np.ndarray:
    """Probabilities that say digit 3 with these confidences, the rest shared by the others."""
    rows = np.repeat((1 - np.array(confidence))[:, np.newaxis] / 9, 10, axis=1)
    rows[:, 3] = confidence
    return rows.astype(np.float32)


def test_calibration_error_is_the_gap_between_said_and_held() -> None:
    # Two answers of 0.9 of which one is right, two of 0.6 of which both are: gaps 0.4 and 0.4.
    probabilities = scores([0.9, 0.9, 0.6, 0.6])
    labels = np.array([3, 5, 3, 3], np.uint8)
    assert ece(probabilities, labels) == pytest.approx(0.4)
    groups = reliability(probabilities, labels)
    assert groups.answers.tolist() == [2, 2]
    assert groups.confidence == pytest.approx([0.6, 0.9])
    assert groups.accuracy == pytest.approx([1.0, 0.5])


def test_full_confidence_has_a_group() -> None:
    assert ece(scores([1.0]), np.array([3], np.uint8)) == pytest.approx(0)
    assert ece(scores([1.0]), np.array([4], np.uint8)) == pytest.approx(1)


def test_the_risk_coverage_curve() -> None:
    curve = risk_coverage([0.2, 0.9, 0.8, 0.8, 0.5], [False, True, True, False, True])
    assert curve.threshold.tolist() == [0.9, 0.8, 0.5, 0.2]  # the two of 0.8 come together
    assert curve.coverage == pytest.approx([0.2, 0.6, 0.8, 1.0])
    assert curve.risk == pytest.approx([0, 1 / 3, 1 / 4, 2 / 5])
    assert coverage_at(curve, 0.25) == pytest.approx(0.8)
    assert coverage_at(curve, 0.2) == pytest.approx(0.2)
    wrong_from_the_start = risk_coverage([0.9, 0.8], [False, True])
    assert coverage_at(wrong_from_the_start, 0.1) == 0


@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.25, 0.5, 0.9, 1.0]), st.booleans()), min_size=1),
    st.floats(0.01, 0.5),
)
def test_the_threshold_keeps_the_risk(answers: list[tuple[float, bool]], risk: float) -> None:
    confidence, correct = (np.array(column) for column in zip(*answers, strict=True))
    threshold, coverage = threshold_for_risk(confidence, correct, risk)
    called = confidence >= threshold
    assert coverage == called.mean()
    if threshold < 1:
        assert (~correct[called]).sum() + 1 <= risk * (called.sum() + 1) + 1e-9


def test_the_threshold_is_the_lowest_possible() -> None:
    confidence = np.linspace(0, 1, 1001)
    correct = confidence >= 0.4  # from 0.4 on all are right: 601 of them
    threshold, coverage = threshold_for_risk(confidence, correct, 0.01)
    # (wrong + 1) / (answered + 1) <= 0.01 allows five wrong of 606.
    assert threshold == pytest.approx(0.395)
    assert coverage == pytest.approx(606 / 1001)


def test_too_few_answers_make_nothing_certain() -> None:
    threshold, coverage = threshold_for_risk(np.full(98, 0.9), np.full(98, True), 0.01)
    assert (threshold, coverage) == (1.0, 0.0)
    threshold, coverage = threshold_for_risk(np.full(99, 0.9), np.full(99, True), 0.01)
    assert (threshold, coverage) == (0.9, 1.0)


@pytest.mark.parametrize(
    ("text", "read", "expected"),
    [
        ("12345", "12345", 0),
        ("12345", "12845", 1),
        ("12345", "1345", 1),
        ("12345", "123345", 1),
        ("12345", "", 5),
        ("12345", "54321", 4),
    ],
)
def test_edits(text: str, read: str, expected: int) -> None:
    assert edits(text, read) == edits(read, text) == expected
