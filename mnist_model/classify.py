"""A release's serving model: pictures in, calibrated probabilities out. Never needs TensorFlow."""

import threading

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

from mnist_model.normalise import SIDE
from mnist_model.quiet import no_standard_error
from mnist_model.release import Release

BATCH = 64
"""Pictures per call of the interpreter: more are no faster, and take more memory."""


class ServingModel:
    """A LiteRT model, run by one thread; may be shared between threads, which then take turns."""

    def __init__(self, content: bytes) -> None:
        """Load the content of a .tflite file."""
        self._interpreter = Interpreter(model_content=content, num_threads=1)
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]["index"]
        self.channels = int(self._input["shape"][-1])
        self._batch = 0
        self._turn = threading.Lock()
        with no_standard_error():  # the first run tells which kernels it uses
            self._empty = self._run(np.zeros((1, SIDE, SIDE, self.channels), np.uint8))[:0]

    def logits(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the model's output, float32 (n, 10), for pictures uint8 (n, 28, 28[, channels]).

        For the model of a first layer, its feature maps: float32 (n, height, width, filters).
        """
        given = with_channels(pictures)
        if given.dtype != np.uint8 or given.shape[1:] != (SIDE, SIDE, self.channels):
            raise TypeError(
                f"pictures must be uint8 (n, 28, 28, {self.channels}), "
                f"not {given.dtype} {given.shape}"
            )
        with self._turn:
            parts = [
                self._run(given[start : start + BATCH]) for start in range(0, len(given), BATCH)
            ]
        return np.concatenate([self._empty, *parts])

    def _run(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        where = self._input["index"]
        if len(pictures) != self._batch:
            self._interpreter.resize_tensor_input(where, pictures.shape)
            self._interpreter.allocate_tensors()
            self._batch = len(pictures)
        self._interpreter.set_tensor(where, pictures.astype(self._input["dtype"]))
        self._interpreter.invoke()
        output: npt.NDArray[np.float32] = self._interpreter.get_tensor(self._output)
        return output


class Classifier:
    """Reads pictures by a release; may be shared between threads."""

    def __init__(self, release: Release) -> None:
        """Load the serving model of a verified release. Raises ReleaseError if it changed since."""
        self.release = release
        self._model = ServingModel(release.serving_model())
        line = release.line_model()
        self._line = None if line is None else ServingModel(line)
        self._first_layer: ServingModel | None = None
        self._loading = threading.Lock()

    def probabilities(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return how probable each digit is.

        pictures: uint8 (n, 28, 28), 0 paper to 255 ink, as from `normalise`.
        Returns: float32 (n, 10); each row sums to 1.
        """
        return softmax(self.logits(pictures), self.release.temperature)

    def logits(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the network's output before calibration, float32 (n, 10), for such pictures."""
        return self._model.logits(pictures)

    def digit_logs(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the logarithms of `probabilities`, float32 (n, 10)."""
        return np.log(np.maximum(self.probabilities(pictures), np.float32(1e-12)))

    def line_logs(self, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return log probabilities of pieces of a line, float32 (n, 11).

        The last column is for no whole digit; 0 (-inf) everywhere if the release has no network
        for lines, and the digits' own has to do. Older releases' does not see what is around.

        pictures: uint8 (n, 28, 28, 2), as `Pieces.seen`.
        """
        if self._line is None:
            alone = self.digit_logs(pictures[..., 0])
            return np.pad(alone, ((0, 0), (0, 1)), constant_values=-np.inf)
        logits = self._line.logits(pictures[..., : self._line.channels])
        return np.log(np.maximum(softmax(logits), np.float32(1e-12)))

    def first_layer(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32] | None:
        """Return what the first layer's filters find in a picture, uint8 (28, 28).

        Loaded when it is asked for first.

        Returns: float32 (height, width, filters), 0 and more; None if the release has no such file.
        Raises: ReleaseError if the file changed since the release was verified.
        """
        with self._loading:
            if self._first_layer is None:
                content = self.release.first_layer()
                if content is None:
                    return None
                self._first_layer = ServingModel(content)
        maps: npt.NDArray[np.float32] = self._first_layer.logits(picture[np.newaxis])[0]
        return maps


def with_channels(pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return pictures (n, 28, 28, channels); those without that axis have one channel."""
    return pictures[..., np.newaxis] if pictures.ndim == 3 else pictures  # noqa: PLR2004


def softmax(logits: npt.NDArray[np.float32], temperature: float = 1.0) -> npt.NDArray[np.float32]:
    """Turn logits (n, classes) into probabilities, flattened by a temperature above 1."""
    scaled = logits / np.float32(temperature)
    odds = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: npt.NDArray[np.float32] = odds / odds.sum(axis=1, keepdims=True)
    return probabilities
