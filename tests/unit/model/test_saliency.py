"""What a digit is told by is where it differs from other digits."""

import numpy as np
import pytest

from mnist_model.classify import Classifier
from mnist_model.data import Mnist
from mnist_model.release import verify_release
from mnist_model.saliency import saliency
from tests.unit.model.conftest import FIXTURE


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(verify_release(FIXTURE))


class Corner:
    """Sees a 3 by the ink in the upper left 6x6 pixels, and a 4 without it."""

    def probabilities(self, pictures: np.ndarray) -> np.ndarray:
        ink = pictures[:, :6, :6].mean(axis=(1, 2)) / 255
        result = np.full((len(pictures), 10), 0.001)
        result[:, 3] = 0.1 + 0.8 * ink
        result[:, 4] = 0.892 - 0.8 * ink
        return result.astype(np.float32)


def test_it_is_where_the_classifier_looks() -> None:
    picture = np.full((28, 28), 255, np.uint8)
    found = saliency(picture, Corner())  # type: ignore[arg-type]
    assert found.dtype == np.float32
    assert found.shape == (28, 28)
    assert found[:2, :2].min() == found.max() == 1
    assert found[12:, :].max() == found[:, 12:].max() == 0
    other = saliency(picture, Corner(), digit=4)  # type: ignore[arg-type]
    assert other.max() == 0  # covering it speaks for a 4


def test_a_real_digit(classifier: Classifier, mnist: Mnist) -> None:
    for picture in mnist.test_pictures[:10]:
        found = saliency(picture, classifier)
        assert found.max() == pytest.approx(1)
        assert found.min() == 0
        ink = picture > 64
        assert found[ink].mean() > 2 * found[~ink].mean()


def test_nothing_tells_nothing(classifier: Classifier) -> None:
    assert saliency(np.zeros((28, 28), np.uint8), classifier).max() == 0


@pytest.mark.parametrize("wrong", [np.zeros((28, 28)), np.zeros((1, 28, 28), np.uint8)])
def test_what_is_no_picture_is_refused(classifier: Classifier, wrong: np.ndarray) -> None:
    with pytest.raises(TypeError, match="uint8"):
        saliency(wrong, classifier)


@pytest.mark.parametrize("digit", [-1, 10])
def test_what_is_no_digit_is_refused(classifier: Classifier, digit: int) -> None:
    with pytest.raises(ValueError, match="0 to 9"):
        saliency(np.zeros((28, 28), np.uint8), classifier, digit)
