"""What every peer does with an upload: the same decoding, normalisation and model as the API's.

So the stacks are compared, not what they compute. BENCH_RELEASE names the release, BENCH_ONNX the
same network for ONNX Runtime.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from mnist_model.classify import ServingModel, softmax
from mnist_model.ink import ink_from_image
from mnist_model.normalise import normalise
from mnist_model.release import verify_release

Logits = Callable[[Any], Any]


def litert() -> Logits:
    """Load the release for LiteRT."""
    return ServingModel(verify_release(os.environ["BENCH_RELEASE"]).serving_model()).logits


def onnx() -> Logits:
    """Load the same network for ONNX Runtime, on one thread as LiteRT."""
    import onnxruntime  # noqa: PLC0415 - only where it is used

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        os.environ["BENCH_ONNX"], options, providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name

    def logits(pictures: Any) -> Any:
        [found] = session.run(None, {name: pictures[..., np.newaxis].astype(np.float32)})
        return found

    return logits


def answer(body: bytes, logits: Logits) -> dict[str, Any]:
    """Read the digit in a PNG."""
    ink = normalise(ink_from_image(Image.open(io.BytesIO(body))))
    [row] = softmax(logits(ink[np.newaxis]))
    digit = int(row.argmax())
    return {
        "digit": digit,
        "confidence": float(row[digit]),
        "probabilities": [round(float(share), 6) for share in row],
    }
