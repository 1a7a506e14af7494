"""The report's pictures show what they are given."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_model.evaluate import Evaluation
from mnist_model.metrics import risk_coverage
from mnist_model.report import (
    MOST_MISREAD,
    misread,
    reliability_diagram,
    risk_coverage_curve,
    write_report,
)


def scores(read: list[int], confidence: list[float]) -> np.ndarray:
    rows = np.repeat((1 - np.array(confidence))[:, np.newaxis] / 9, 10, axis=1)
    rows[np.arange(len(read)), read] = confidence
    return rows.astype(np.float32)


PICTURES = np.random.default_rng(1).integers(0, 256, (5, 28, 28)).astype(np.uint8)
LABELS = np.array([7, 2, 1, 0, 4], np.uint8)
PROBABILITIES = scores([7, 3, 1, 6, 4], [0.9, 0.6, 0.8, 0.7, 0.99])


def test_every_picture_of_the_report_is_written(tmp_path: Path) -> None:
    history = {name: [0.5, 0.2] for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
    curve = risk_coverage([0.9, 0.8, 0.7], [True, True, False])
    results = {"calibration": {"temperature": 1.2}, "certain": {"line": {"threshold": 0.75}}}
    evaluation = Evaluation(results, np.log(PROBABILITIES), curve)
    write_report(tmp_path / "report", history, PICTURES, LABELS, evaluation)
    sizes = {}
    for file in (tmp_path / "report").iterdir():
        with Image.open(file) as image:
            image.load()
            assert np.ptp(np.asarray(image.convert("L"))) > 200
        sizes[file.name] = file.stat().st_size
    assert sizes.keys() == {
        "learning-curves.png",
        "confusion.png",
        "misread.png",
        "reliability.png",
        "risk-coverage.png",
    }
    assert max(sizes.values()) < 200_000


def test_all_misread_digits_are_shown_the_surest_first() -> None:
    figure = misread(PICTURES, LABELS, PROBABILITIES)
    shown = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in shown] == ["0 → 6\n70%", "2 → 3\n60%"]
    np.testing.assert_array_equal(shown[0].images[0].get_array(), PICTURES[3])
    assert figure.get_suptitle().startswith("2 of 5 misread, all")


def test_of_too_many_the_surest_are_shown_and_it_is_said() -> None:
    count = MOST_MISREAD + 3
    figure = misread(
        np.zeros((count, 28, 28), np.uint8),
        np.zeros(count, np.uint8),
        scores([1] * count, np.linspace(0.5, 0.9, count).tolist()),
    )
    shown = [axes.get_title() for axes in figure.axes if axes.images]
    assert len(shown) == MOST_MISREAD
    assert shown[0] == "0 → 1\n90%"
    assert f"{count} of {count} misread, the {MOST_MISREAD} surest" in figure.get_suptitle()


def test_nothing_misread_is_a_picture_too(tmp_path: Path) -> None:
    labels = np.array([7, 3, 1, 6, 4], np.uint8)
    misread(PICTURES, labels, PROBABILITIES).savefig(tmp_path / "none.png")


def test_the_reliability_diagram_has_a_point_per_group() -> None:
    figure = reliability_diagram(PROBABILITIES, PROBABILITIES, LABELS)
    for axes in figure.axes:
        points = axes.containers[0].lines[0].get_xydata()
        assert points == pytest.approx(
            np.array([[0.6, 0], [0.7, 0], [0.8, 1], [0.9, 1], [0.99, 1]]), abs=1e-6
        )
        assert [text.get_text() for text in axes.texts] == ["1"] * 5


def test_the_risk_coverage_curve_marks_both_points() -> None:
    confidence = np.linspace(1, 0.001, 1000)
    correct = np.arange(1000) < 900  # the hundred least sure are wrong
    figure = risk_coverage_curve(risk_coverage(confidence, correct), threshold=0.1995)
    best, certain = figure.axes[0].get_legend().get_texts()
    assert best.get_text() == "90.9% read at 1% wrong"
    assert certain.get_text() == "called certain (from 0.200 on): 80.1% read, 0.00% wrong"
    none = risk_coverage_curve(risk_coverage([0.5], [False]), threshold=1.0)
    assert len(none.axes[0].get_legend().get_texts()) == 1
