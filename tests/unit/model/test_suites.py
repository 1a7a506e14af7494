"""What a model is tried on is what it is said to be."""

import numpy as np
import pytest

from mnist_model.classify import Classifier
from mnist_model.corrupt import CORRUPTIONS
from mnist_model.data import Mnist
from mnist_model.ink import ink_from_image
from mnist_model.normalise import normalise
from mnist_model.release import verify_release
from mnist_model.strings import compose
from mnist_model.suites import (
    Answers,
    DigitSuites,
    anywhere,
    corrupted,
    on_canvas,
    other_writers,
    read_images,
    read_lines,
    together,
)
from tests.unit.model.conftest import FIXTURE


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(verify_release(FIXTURE))


def test_a_canvas_has_one_digit_of_any_size_anywhere(mnist: Mnist) -> None:
    sizes, lefts, colours = [], [], set()
    for image in anywhere(mnist.test_pictures[:200], seed=3):
        assert image.size == (280, 280)
        assert image.mode == "RGB"
        ink = ink_from_image(image)
        rows, columns = (np.flatnonzero((ink >= 64).any(axis=axis)) for axis in (1, 0))
        sizes.append(max(np.ptp(rows), np.ptp(columns)) + 1)
        lefts.append(columns[0])
        colours.add(image.getpixel((0, 0)))
    # A digit is 20 of a picture's 28 pixels high: 40 to 160 on the canvas.
    assert 35 <= min(sizes) < 50
    assert 130 < max(sizes) <= 165
    assert min(lefts) < 20
    assert max(lefts) > 180
    assert len(colours) > 100


def test_the_same_seed_gives_the_same_pictures(mnist: Mnist) -> None:
    pictures = mnist.test_pictures[:5]
    for make in (
        anywhere,
        lambda pictures, seed: corrupted("spatter", pictures, seed),
    ):
        first, again, other = (
            np.array([np.asarray(image) for image in make(pictures, seed)]) for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_changes_the_picture_and_leaves_it_readable(
    name: str, mnist: Mnist, classifier: Classifier
) -> None:
    pictures, labels = mnist.test_pictures[:60], mnist.test_labels[:60]
    kept = pictures.copy()
    made = np.array([np.asarray(image) for image in corrupted(name, pictures, 1)])
    np.testing.assert_array_equal(pictures, kept)
    assert made.dtype == np.uint8
    assert made.shape == pictures.shape
    assert (made != pictures).any(axis=(1, 2)).all()
    assert read_images(classifier, corrupted(name, pictures, 1), labels).correct.mean() > 0.4


def test_other_writers_digits() -> None:
    found = other_writers()
    assert found
    images, labels = found
    assert len(images) == len(labels) == 1797
    assert labels[:10].tolist() == list(range(10))
    assert {image.size for image in images} == {(48, 48)}
    assert np.array(images[0]).max() > 200
    assert np.array(images[0])[:5].max() < 16  # paper around the digit


def test_what_the_road_refuses_is_wrong_and_unsure(classifier: Classifier, mnist: Mnist) -> None:
    random = np.random.default_rng(1)
    blank = on_canvas(np.zeros((28, 28), np.uint8), random)
    seven = on_canvas(mnist.test_pictures[0], random)
    # Whatever the network makes of a blank picture, it is not right.
    for label in range(10):
        answers = read_images(classifier, [blank, seven], np.array([label, 7], np.uint8))
        assert answers.correct.tolist() == [False, True]
        assert answers.confidence[0] == 0
        assert answers.confidence[1] > 0.9


def test_images_are_read_as_uploads_are(classifier: Classifier, mnist: Mnist) -> None:
    image = on_canvas(mnist.test_pictures[3], np.random.default_rng(2))
    expected = classifier.probabilities(normalise(ink_from_image(image))[np.newaxis]).max()
    found = read_images(classifier, [image], mnist.test_labels[3:4])
    assert found.confidence[0] == pytest.approx(float(expected))


def test_the_mix_has_equal_parts() -> None:
    def answers(count: int, confidence: float) -> Answers:
        return Answers(np.full(count, True), np.full(count, confidence))

    many = len(CORRUPTIONS) * 3
    bad = {name: answers(5, 0.5) for name in CORRUPTIONS}
    mixed = DigitSuites(answers(many + 2, 0.9), answers(many + 2, 0.7), bad).mixed()
    found = {value: int((mixed.confidence == value).sum()) for value in (0.9, 0.7, 0.5)}
    assert found == {0.9: many, 0.7: many, 0.5: many}


def test_together() -> None:
    one, two = Answers(np.array([True]), np.array([0.5])), Answers(np.array([False]), np.array([1]))
    both = together([one, two])
    assert both.correct.tolist() == [True, False]
    assert both.confidence.tolist() == [0.5, 1.0]
    assert both.share()["accuracy"] == 0.5


def test_strings_are_right_only_from_end_to_end(classifier: Classifier, mnist: Mnist) -> None:
    lines = compose(mnist.test_pictures, mnist.test_labels, 5, "apart", 5, 20)
    found = read_lines(classifier, lines)
    assert found.correct.mean() > 0.6
    assert ((found.edits == 0) == found.correct).all()
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()
    nothing = lines[0]._replace(ink=np.zeros((40, 200), np.uint8))
    refused = read_lines(classifier, [nothing])
    assert (refused.correct[0], refused.confidence[0], refused.edits[0]) == (False, 0.0, 5)
    other = lines[0]._replace(text="0" + lines[0].text)
    assert read_lines(classifier, [other]).edits[0] == found.edits[0] + 1
