"""The network: its size, and its first layer by itself."""

import importlib

import numpy as np
import pytest

from mnist_model.recipes import RECIPES

pytestmark = pytest.mark.slow
lazily = importlib.import_module


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_its_size(recipe: object) -> None:
    network = lazily("mnist_model.network").build(recipe)
    assert network.count_params() < 300_000
    assert network.output_shape == (None, 10)


def test_the_first_layer_has_a_map_for_every_filter() -> None:
    module = lazily("mnist_model.network")
    part = module.first_layer(module.build(RECIPES["fast"]))
    maps = part(np.zeros((1, 28, 28, 1), np.float32)).numpy()
    assert maps.shape == (1, 14, 14, RECIPES["fast"].filters[0])
    assert maps.min() >= 0
