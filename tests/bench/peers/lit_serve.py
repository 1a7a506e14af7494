"""LitServe with LiteRT: a server process, and a worker process that computes."""

from __future__ import annotations

import base64
import sys
from typing import Any

import litserve

from tests.bench.peers import common


class Digits(litserve.LitAPI):  # type: ignore[misc]
    """Reads the PNG in a JSON body."""

    def setup(self, device: str) -> None:  # noqa: ARG002 - LitServe's
        self.logits = common.litert()

    def decode_request(self, request: dict[str, str]) -> bytes:
        return base64.b64decode(request["image"])

    def predict(self, body: bytes) -> dict[str, Any]:
        return common.answer(body, self.logits)

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        return output


if __name__ == "__main__":
    server = litserve.LitServer(Digits(), accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="error"
    )
