"""Connected components, against a flood fill that is too simple to be wrong."""

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis.extra import numpy as arrays

from mnist_model.components import label_runs


def flood(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Label by filling from each pixel that has none yet; -1 is background."""
    labels = np.full(mask.shape, -1)
    for seed in zip(*np.nonzero(mask), strict=True):
        if labels[seed] >= 0:
            continue
        label, todo = labels.max() + 1, [seed]
        while todo:
            row, column = todo.pop()
            if (
                0 <= row < mask.shape[0]
                and 0 <= column < mask.shape[1]
                and mask[row, column]
                and labels[row, column] < 0
            ):
                labels[row, column] = label
                todo += [(row + y, column + x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return labels


@given(arrays.arrays(np.bool_, arrays.array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_components_are_those_of_a_flood_fill(mask: npt.NDArray[np.bool_]) -> None:
    labels = np.full(mask.shape, -1)
    for row, start, stop, component in zip(*label_runs(mask), strict=True):
        labels[row, start:stop] = component
    np.testing.assert_array_equal(labels, flood(mask))


def test_a_spiral_is_one_component() -> None:
    mask = np.zeros((41, 41), bool)
    for ring in range(0, 20, 2):
        mask[ring, ring : 41 - ring] = mask[40 - ring, ring : 41 - ring] = True
        mask[ring : 41 - ring, 40 - ring] = mask[ring + 2 : 41 - ring, ring] = True
        mask[ring + 2, ring : ring + 3] = True
    assert set(label_runs(mask).component) == {0}
