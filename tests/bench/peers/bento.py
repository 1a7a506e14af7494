"""BentoML with LiteRT, one worker: `bentoml serve tests.bench.peers.bento:Digits`."""

from __future__ import annotations

import base64
from typing import Any

import bentoml

from tests.bench.peers import common


@bentoml.service(workers=1, metrics={"enabled": False}, logging={"access": {"enabled": False}})
class Digits:
    """Reads the PNG in a JSON body."""

    def __init__(self) -> None:
        self.logits = common.litert()

    @bentoml.api
    def predict(self, image: str) -> dict[str, Any]:
        return common.answer(base64.b64decode(image), self.logits)
