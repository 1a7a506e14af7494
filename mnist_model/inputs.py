"""What a training depends on, as one hash: the same inputs need no second training."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from mnist_model.data import SHA256
from mnist_model.normalise import NORMALISE_VERSION
from mnist_model.recipes import Plan
from mnist_model.release import FORMAT_VERSION

SOURCES = (
    "augment.py",
    "batches.py",
    "calibrate.py",
    "cuts.py",
    "export.py",
    "lattice.py",
    "learn.py",
    "line_fit.py",
    "line_network.py",
    "network.py",
    "pieces.py",
    "segment.py",
    "strings.py",
    "train.py",
)
"""The modules whose change makes another model."""


def training_inputs(plan: Plan) -> str:
    """Return the SHA-256 over plan, data, formats and training source."""
    sources = {name: (Path(__file__).parent / name).read_bytes() for name in SOURCES}
    inputs = {
        "plan": asdict(plan),
        "data": dict(SHA256),
        "normalise": NORMALISE_VERSION,
        "format": FORMAT_VERSION,
        "sources": {name: hashlib.sha256(text).hexdigest() for name, text in sources.items()},
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
