"""The tutorial's stack, rebuilt from its description: Flask's own server and Keras' `predict`.

The page posts a data URL; it is decoded, resized to 28 x 28 as it is, inverted, and given to the
network, and the answer is the bare digit.
"""

from __future__ import annotations

import base64
import io
import os
import re
import sys
from pathlib import Path

import keras
import numpy as np
from flask import Flask, request
from PIL import Image

app = Flask(__name__)
model = keras.models.load_model(Path(os.environ["BENCH_RELEASE"]) / "model.keras")


@app.route("/predict/", methods=["POST"])
def predict() -> str:
    """Answer with the digit."""
    found = re.search(rb"base64,(.*)", request.get_data())
    assert found
    picture = Image.open(io.BytesIO(base64.b64decode(found[1]))).convert("L").resize((28, 28))
    pixels = 255 - np.array(picture)
    return str(np.argmax(model.predict(pixels.reshape(1, 28, 28, 1), verbose=0)))


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(sys.argv[1]))
