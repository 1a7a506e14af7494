"""The committed release reads digits, on its own and from several threads."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from mnist_model.classify import Classifier
from mnist_model.data import Mnist
from mnist_model.release import Release, ReleaseError, publish, unfinished, verify_release
from tests.unit.model.conftest import FIXTURE


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(verify_release(FIXTURE))


def test_it_reads_test_digits(classifier: Classifier, mnist: Mnist) -> None:
    probabilities = classifier.probabilities(mnist.test_pictures[:1000])
    assert probabilities.shape == (1000, 10)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (probabilities.argmax(axis=1) == mnist.test_labels[:1000]).mean() > 0.985


def test_a_batch_says_what_each_picture_says(classifier: Classifier, mnist: Mnist) -> None:
    pictures = mnist.test_pictures[:70]
    one_by_one = [classifier.probabilities(picture[np.newaxis])[0] for picture in pictures]
    np.testing.assert_allclose(classifier.probabilities(pictures), one_by_one, atol=1e-5)


def test_a_release_without_a_first_layer_has_no_maps(tmp_path: Path, mnist: Mnist) -> None:
    reader = Classifier(with_first_layer(tmp_path / "less", None))
    assert reader.first_layer(mnist.test_pictures[0]) is None


def test_the_first_layers_maps(tmp_path: Path, mnist: Mnist) -> None:
    # Any LiteRT model does: its output is handed through as it is.
    with_one = with_first_layer(tmp_path / "more", (FIXTURE / "model.tflite").read_bytes())
    reader = Classifier(with_one)
    expected = Classifier(verify_release(FIXTURE)).logits(mnist.test_pictures[:1])[0]
    for _ in range(2):
        np.testing.assert_allclose(reader.first_layer(mnist.test_pictures[0]), expected)
    (with_one.path / "first-layer.tflite").write_bytes(b"changed")
    with pytest.raises(ReleaseError, match="changed since"):
        Classifier(with_one).first_layer(mnist.test_pictures[0])


def with_first_layer(releases: Path, content: bytes | None) -> Release:
    sealed = json.loads((FIXTURE / "manifest.json").read_text())
    with unfinished(releases) as draft:
        (draft / "model.tflite").write_bytes((FIXTURE / "model.tflite").read_bytes())
        serving = {"file": "model.tflite"}
        if content:
            (draft / "first-layer.tflite").write_bytes(content)
            serving["first_layer"] = "first-layer.tflite"
        facts = {"serving": serving, "calibration": sealed["calibration"]}
        return publish(draft, releases, facts)


def test_no_picture_is_no_error(classifier: Classifier) -> None:
    assert classifier.probabilities(np.zeros((0, 28, 28), np.uint8)).shape == (0, 10)


@pytest.mark.parametrize("wrong", [np.zeros((1, 28, 28)), np.zeros((28, 28), np.uint8)])
def test_what_are_no_pictures_is_refused(classifier: Classifier, wrong: np.ndarray) -> None:
    with pytest.raises(TypeError, match="uint8"):
        classifier.probabilities(wrong)


def test_threads_do_not_disturb_each_other(classifier: Classifier, mnist: Mnist) -> None:
    parts = [mnist.test_pictures[start : start + 7] for start in range(0, 700, 7)]
    expected = [classifier.probabilities(part) for part in parts]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(classifier.probabilities, parts))
    np.testing.assert_array_equal(np.concatenate(found), np.concatenate(expected))


def test_a_changed_release_is_not_loaded(release: Release) -> None:
    (release.path / "model.tflite").write_bytes(b"changed")
    with pytest.raises(ReleaseError, match="changed since"):
        Classifier(release)


def test_serving_needs_no_tensorflow() -> None:
    program = (
        "import sys, mnist_model.classify, mnist_model.ink, mnist_model.normalise, "
        "mnist_model.data, mnist_model.evaluate, mnist_model.inputs, "
        "mnist_model.saliency, mnist_model.__main__\n"
        "print(sorted({'tensorflow', 'keras', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"
