"""How pictures are varied: each way by itself does what it says, and nothing else."""

import importlib
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from mnist_model.data import Mnist
from mnist_model.recipes import RECIPES, Recipe

pytestmark = pytest.mark.slow
lazily = importlib.import_module

STILL = replace(
    RECIPES["best"],
    **dict.fromkeys(
        ("degrees", "zoom", "shear", "shift", "elastic", "thickness", "blur", "skips"), 0
    ),
)
Pictures = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def pictures(mnist: Mnist) -> Pictures:
    return mnist.train_pictures[:300, ..., np.newaxis].astype(np.float32)


def vary(pictures: Pictures, recipe: Recipe, seed: int = 1) -> Pictures:
    tf = lazily("mnist_model.tensorflow_quiet").tf
    varied: Pictures = (
        lazily("mnist_model.augment")
        .vary(tf.constant(pictures), recipe, tf.constant([seed, 2], tf.int64))
        .numpy()
    )
    return varied


def ink(pictures: Pictures) -> Pictures:
    return pictures.sum(axis=(1, 2, 3))


def middle(pictures: Pictures, axes: tuple[int, int] = (1, 3)) -> Pictures:
    """Return the centres of mass in pixels, of the axis that is left."""
    return pictures.sum(axis=axes) @ (np.arange(28) + 0.5) / ink(pictures)


def test_nothing_asked_for_changes_nothing(pictures: Pictures) -> None:
    np.testing.assert_allclose(vary(pictures, STILL), pictures, atol=0.1)


def test_it_depends_on_the_seed_alone(pictures: Pictures) -> None:
    varied = vary(pictures, RECIPES["best"])
    np.testing.assert_array_equal(varied, vary(pictures, RECIPES["best"]))
    assert np.abs(varied - vary(pictures, RECIPES["best"], seed=3)).mean() > 5
    assert varied.min() >= 0
    assert varied.max() <= 255.01


def test_shifting(pictures: Pictures) -> None:
    varied = vary(pictures, replace(STILL, shift=2))
    for axes in ((1, 3), (2, 3)):
        moved = middle(varied, axes) - middle(pictures, axes)
        assert 0.8 < moved.std() < 1.5
        assert np.abs(moved).max() < 2.1


def test_two_channels_move_alike(pictures: Pictures) -> None:
    moving = replace(STILL, degrees=10, zoom=0.1, shear=0.1, shift=2, elastic=1)
    both = np.concatenate([pictures, pictures[::-1]], axis=-1)
    moved = vary(both, moving)
    np.testing.assert_allclose(moved[..., :1], vary(pictures, moving), atol=1e-3)
    np.testing.assert_allclose(moved[..., 1:], vary(pictures[::-1], moving), atol=1e-3)


def test_turning_keeps_the_ink_and_its_middle(pictures: Pictures) -> None:
    varied = vary(pictures, replace(STILL, degrees=10))
    assert np.median(ink(varied) / ink(pictures)) == pytest.approx(1, abs=0.01)
    assert np.abs(varied - pictures).mean() > 3


def test_zooming_changes_the_ink_by_the_area(pictures: Pictures) -> None:
    ratio = ink(vary(pictures, replace(STILL, zoom=0.1))) / ink(pictures)
    assert 1 / 1.1**2 - 0.05 < ratio.min() < 0.9
    assert 1.1 < ratio.max() < 1 / 0.9**2 + 0.05


def test_bending_moves_parts_and_not_the_whole(pictures: Pictures) -> None:
    varied = vary(pictures, replace(STILL, elastic=1))
    assert (middle(varied) - middle(pictures)).std() < 0.6
    assert np.abs(varied - pictures).mean() > 3


def test_pens_become_wider_and_thinner(pictures: Pictures) -> None:
    ratio = ink(vary(pictures, replace(STILL, thickness=0.5))) / ink(pictures)
    assert ratio.min() < 0.8
    assert ratio.max() > 1.2
    np.testing.assert_allclose(np.median(ratio), 1, atol=0.1)


def test_a_coarse_scan_blurs_its_share(pictures: Pictures) -> None:
    varied = vary(pictures, replace(STILL, blur=0.3))
    changed = np.abs(varied - pictures).mean(axis=(1, 2, 3)) > 1
    assert 0.2 < changed.mean() < 0.4
    steepest = np.abs(np.diff(varied, axis=2)).max(axis=(1, 2, 3))
    assert steepest[changed].mean() < 0.8 * steepest[~changed].mean()


def test_a_skipping_pen_takes_a_little_ink_from_its_share(pictures: Pictures) -> None:
    ratio = ink(vary(pictures, replace(STILL, skips=0.5))) / ink(pictures)
    assert 0.3 < (ratio < 0.995).mean() < 0.6
    assert ratio.min() > 0.6
    assert ratio.max() == pytest.approx(1, abs=1e-4)
