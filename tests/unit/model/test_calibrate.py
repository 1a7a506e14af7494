"""Confidences mean what they say, and thresholds come from the pictures given."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from mnist_model.calibrate import UNKNOWN, best_temperature, calibrate, unsealed
from mnist_model.classify import softmax
from mnist_model.data import Mnist
from mnist_model.suites import Effort
from tests.unit.model.conftest import FIXTURE


@pytest.mark.parametrize("true", [0.5, 1.0, 2.5])
def test_the_temperature_of_a_model_that_is_too_sure_or_unsure(true: float) -> None:
    random = np.random.default_rng(1)
    logits = random.normal(0, 2, (20_000, 10)).astype(np.float32)
    cumulated = softmax(logits).cumsum(axis=1)
    labels = (random.random((len(logits), 1)) > cumulated).sum(axis=1).clip(0, 9).astype(np.uint8)
    found = best_temperature(logits * np.float32(true), labels)
    assert found == pytest.approx(true, rel=0.05)


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    shutil.copy(FIXTURE / "model.tflite", tmp_path)
    return tmp_path


def test_a_draft_classifies_before_it_is_a_release(draft: Path, mnist: Mnist) -> None:
    plain = unsealed(draft, UNKNOWN)
    flatter = unsealed(draft, {**UNKNOWN, "temperature": 4.0, "certain_line": 0.7})
    pictures = mnist.test_pictures[:20]
    np.testing.assert_allclose(plain.probabilities(pictures), softmax(plain.logits(pictures)))
    assert (
        flatter.probabilities(pictures).max(axis=1) <= plain.probabilities(pictures).max(axis=1)
    ).all()
    assert flatter.release.certain_line == 0.7


def test_a_draft_is_read_with_all_files_it_has(draft: Path, mnist: Mnist) -> None:
    assert unsealed(draft, UNKNOWN).first_layer(mnist.test_pictures[0]) is None
    shutil.copy(FIXTURE / "model.tflite", draft / "first-layer.tflite")
    assert unsealed(draft, UNKNOWN).first_layer(mnist.test_pictures[0]) is not None


@pytest.mark.slow
def test_the_thresholds_come_from_the_pictures(draft: Path, mnist: Mnist) -> None:
    effort = Effort(digits=340, corrupted=20, strings=150)
    pictures, labels = mnist.train_pictures[:1000], mnist.train_labels[:1000]
    found = calibrate(draft, pictures, labels, effort, {"kept": 3})
    assert found == {**calibrate(draft, pictures, labels, effort), "kept": 3}
    assert found.keys() == {*UNKNOWN, "kept"}
    assert 0.5 < found["temperature"] < 2
    assert 0.3 < found["certain_digit"] <= 1
    assert 0.05 < found["certain_line"] <= 1
    # With labels that are wrong for most pictures nothing can be certain.
    lies = calibrate(draft, pictures, np.roll(labels, 1), effort)
    assert lies["certain_digit"] == lies["certain_line"] == 1.0
    assert lies["temperature"] == 5.0
