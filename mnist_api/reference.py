"""How MNIST's digits look, in a few numbers: what live drawings are compared with.

When what people draw moves away from this, the model's accuracy on the test set says less and less
about them; it shows without anybody knowing what was meant. `python -m mnist_api.reference RELEASE`
computes SHARES again.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from mnist_model.ink import Ink
from mnist_model.normalise import INK

BOUNDS: dict[str, tuple[float, ...]] = {
    "ink": (0.04, 0.06, 0.08, 0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.25),
    "size": (80, 120, 160, 200, 240, 280, 320, 360, 400),
    "confidence": (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999),
}
MEANING = {
    "ink": "Mean ink of the 28x28 picture that the network saw, 0 to 1.",
    "size": "Area of the box around the ink in that picture, in pixels of 784.",
    "confidence": "Probability of the digit that was answered, calibrated.",
}
SHARES: dict[str, tuple[float, ...]] = {
    "ink": (0.0021, 0.0325, 0.1167, 0.2553, 0.4327, 0.6126, 0.7637, 0.8679, 0.934, 0.9916),
    "size": (0.0164, 0.0437, 0.0695, 0.1243, 0.2466, 0.4361, 0.6477, 0.8479, 1.0),
    "confidence": (0.0007, 0.007, 0.0108, 0.0182, 0.0272, 0.0479, 0.068, 0.0947, 0.2054),
}
"""Share of digits up to each bound. `ink` and `size`: MNIST's 60,000 training pictures.
`confidence`: a release on the 10,000 test pictures, which it has not seen."""


def measure(picture: Ink) -> dict[str, float]:
    """Return `ink` and `size` of a picture, uint8 (28, 28)."""
    drawn = picture >= INK
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    if not rows.size:
        return {"ink": float(picture.mean()) / 255, "size": 0.0}
    box = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    return {"ink": float(picture.mean()) / 255, "size": float(box)}


def shares(name: str, values: list[float]) -> tuple[float, ...]:
    """Return which share of values lies up to each bound of a measure."""
    return tuple(round(float(np.mean(np.array(values) <= bound)), 4) for bound in BOUNDS[name])


def main() -> int:
    """Print SHARES for a release; return the exit status."""
    from mnist_model.classify import Classifier  # noqa: PLC0415 - the API needs none of these here
    from mnist_model.data import load  # noqa: PLC0415
    from mnist_model.release import verify_release  # noqa: PLC0415

    data = load()
    seen = [measure(picture) for picture in data.train_pictures]
    classifier = Classifier(verify_release(Path(sys.argv[1])))
    confidence = classifier.probabilities(data.test_pictures).max(axis=1).tolist()
    print("ink", shares("ink", [one["ink"] for one in seen]))
    print("size", shares("size", [one["size"] for one in seen]))
    print("confidence", shares("confidence", confidence))
    return 0


if __name__ == "__main__":
    sys.exit(main())
