"""Answers as the API gives them, for states that no drawing brings about at will."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from playwright.sync_api import Page, Route

from tests.browser.drawing import DIGITS, encoded, picture

RELEASE = "mnist-cnn-20260101-00000000"


def data_url(pixels: npt.NDArray[np.uint8]) -> str:
    """Return a grey picture as the API writes it."""
    return "data:image/png;base64," + base64.b64encode(encoded(Image.fromarray(pixels))).decode()


def _grey(side: int, digit: int = 5) -> npt.NDArray[np.uint8]:
    drawn = picture(DIGITS[digit]).resize((side, side), Image.Resampling.BOX)
    return 255 - np.asarray(drawn)


_NORMALISED = data_url(_grey(28))

SURE: dict[str, Any] = {
    "digit": 5,
    "confidence": 0.9876,
    "probabilities": [0.0, 0.0, 0.0, 0.01, 0.0, 0.9876, 0.0, 0.0, 0.0, 0.0024],
    "certain": True,
    "alternatives": [{"digit": 3, "confidence": 0.01}],
    "release": RELEASE,
    "milliseconds": 2.5,
    "normalised": _NORMALISED,
    "saliency": data_url(np.tile(np.arange(0, 252, 9, dtype=np.uint8), (28, 1))),
    "stages": {
        "crop": data_url(_grey(140)),
        "fitted": data_url(_grey(20)),
        "normalised": _NORMALISED,
        "filters": [data_url(_grey(26, digit)) for digit in range(8)],
    },
}
UNSURE = {
    **SURE,
    "confidence": 0.48,
    "probabilities": [0.0, 0.0, 0.0, 0.45, 0.0, 0.48, 0.0, 0.0, 0.07, 0.0],
    "certain": False,
    "alternatives": [{"digit": 3, "confidence": 0.45}, {"digit": 8, "confidence": 0.07}],
}
LINE = {
    "text": "35",
    "confidence": 0.8,
    "certain": True,
    "digits": [
        {
            "digit": digit,
            "confidence": confidence,
            "probabilities": SURE["probabilities"],
            "certain": certain,
            "box": {"left": left, "top": 40, "right": left + 120, "bottom": 240},
            "normalised": _NORMALISED,
        }
        for digit, confidence, certain, left in ((3, 0.99, True, 60), (5, 0.5, False, 300))
    ],
    "release": RELEASE,
    "milliseconds": 6.1,
}
VERSION = {
    "api": "0.1.0",
    "release": {
        "name": RELEASE,
        "created": "2026-01-01T00:00:00Z",
        "accuracy": 0.9951,
        "interval95": [0.9935, 0.9963],
        "parameters": 100_000,
        "files": {},
    },
}


def answer(page: Page, path: str, content: dict[str, Any], status: int = 200) -> None:
    """Let an address of the API answer so from now on."""
    kind = "application/json" if status < 400 else "application/problem+json"

    def reply(route: Route) -> None:
        route.fulfill(status=status, content_type=kind, body=json.dumps(content))

    page.unroute(f"**/api/{path}*")
    page.route(f"**/api/{path}*", reply)
