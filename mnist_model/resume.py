"""A training that was stopped goes on where its last whole epoch ended.

Beside the releases, `.training/` keeps the state after each epoch: the values of all variables, of
the network and of its optimizer, and the history. It goes when the release is written.
"""

import fcntl
import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

DIRECTORY = ".training"
STATE = "state.npz"
ABOUT = "about"


class BusyError(Exception):
    """Another training works in the same directory."""


class Kept:
    """The state of one training, kept for the case that it is stopped."""

    def __init__(self, directory: Path, inputs: str) -> None:
        """Use `directory`. inputs: the hash of what is trained; the state of others is not used."""
        self._file = directory / STATE
        self._inputs = inputs

    def save(self, variables: Sequence[Any], history: dict[str, list[float]]) -> None:
        """Write the state in one step, in place of the last one."""
        about = json.dumps({"inputs": self._inputs, "history": history})
        values = {f"v{index}": np.asarray(value) for index, value in enumerate(variables)}
        part = self._file.with_suffix(".part.npz")
        np.savez(part, allow_pickle=False, **{ABOUT: np.array(about)}, **values)
        part.replace(self._file)

    def restore(self, variables: Sequence[Any]) -> dict[str, list[float]] | None:
        """Give the variables their values and return the history; None if there is no such state.

        A state that is damaged, of other inputs, or of another network counts as none.
        """
        try:
            with self._file.open("rb") as file, np.load(file, allow_pickle=False) as state:
                about = json.loads(str(state[ABOUT]))
                values = [state[f"v{index}"] for index in range(len(state.files) - 1)]
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
            return None
        if about["inputs"] != self._inputs or [value.shape for value in values] != [
            tuple(variable.shape) for variable in variables
        ]:
            return None
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        history: dict[str, list[float]] = about["history"]
        return history


@contextmanager
def kept(releases: Path, inputs: str) -> Iterator[Kept]:
    """Give the state of a training into `releases`, for one training at a time.

    The state goes if the training ends well, or with an error that it would end with again. Raises
    BusyError while another one is at work there.
    """
    releases.mkdir(parents=True, exist_ok=True)
    turn = os.open(releases, os.O_RDONLY)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        directory = releases / DIRECTORY
        directory.mkdir(exist_ok=True)
        yield Kept(directory, inputs)
        shutil.rmtree(directory)
    except BlockingIOError:
        raise BusyError(
            f"another training writes into {releases}: wait for it, or give this one another "
            "--releases"
        ) from None
    except OSError:  # a full disk, say, can be mended: then it goes on
        raise
    except Exception:
        shutil.rmtree(directory)
        raise
    finally:
        os.close(turn)
