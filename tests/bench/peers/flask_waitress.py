"""Flask and Waitress with LiteRT."""

from __future__ import annotations

import sys
from typing import Any

import waitress
from flask import Flask, request

from tests.bench.peers import common

app = Flask(__name__)
logits = common.litert()


@app.post("/predict")
def predict() -> dict[str, Any]:
    """Answer with digit and probabilities."""
    return common.answer(request.get_data(), logits)


if __name__ == "__main__":
    waitress.serve(app, listen=f"127.0.0.1:{sys.argv[1]}")
