"""What is kept of a training, for the case that it is stopped."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from mnist_model.resume import DIRECTORY, STATE, BusyError, kept

HISTORY = {"loss": [0.5, 0.25], "seconds": [1.0, 2.0]}


class Variable:
    """As much of Keras's as is used."""

    def __init__(self, value: np.ndarray) -> None:
        self.value = value
        self.shape = value.shape

    def assign(self, value: np.ndarray) -> None:
        self.value = value

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return self.value


def variables(fill: int) -> list[Variable]:
    return [Variable(np.full((2, 3), fill)), Variable(np.array(fill))]


def stop(releases: Path, inputs: str = "x") -> None:
    with suppress(KeyboardInterrupt), kept(releases, inputs) as state:
        state.save(variables(1), HISTORY)
        state.save(variables(7), HISTORY)
        raise KeyboardInterrupt


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    stop(tmp_path)
    fresh = variables(0)
    with kept(tmp_path, "x") as state:
        assert state.restore(fresh) == HISTORY
    assert [np.unique(variable.value).tolist() for variable in fresh] == [[7], [7]]


def test_it_goes_when_the_training_ends_well(tmp_path: Path) -> None:
    with kept(tmp_path, "x") as state:
        state.save(variables(1), HISTORY)
    assert not (tmp_path / DIRECTORY).exists()
    with kept(tmp_path, "x") as state:
        assert state.restore(variables(0)) is None


def test_the_state_of_other_inputs_is_not_used(tmp_path: Path) -> None:
    stop(tmp_path, "y")
    with kept(tmp_path, "x") as state:
        assert state.restore(variables(0)) is None


def test_the_state_of_another_network_is_not_used(tmp_path: Path) -> None:
    stop(tmp_path)
    wider = [Variable(np.zeros((2, 4))), Variable(np.array(0))]
    with kept(tmp_path, "x") as state:
        assert state.restore(wider) is None
    assert wider[0].value.sum() == 0


@pytest.mark.parametrize("left", [b"", b"PK\3\4 torn", None])
def test_a_damaged_state_counts_as_none(tmp_path: Path, left: bytes | None) -> None:
    stop(tmp_path)
    file = tmp_path / DIRECTORY / STATE
    file.write_bytes(file.read_bytes()[:-200] if left is None else left)
    with kept(tmp_path, "x") as state:
        assert state.restore(variables(0)) is None


def test_one_training_at_a_time(tmp_path: Path) -> None:
    with (
        kept(tmp_path, "x"),
        pytest.raises(BusyError, match=r"another training writes into .*--releases"),
        kept(tmp_path, "x"),
    ):
        pass
    with kept(tmp_path, "x"):
        pass
