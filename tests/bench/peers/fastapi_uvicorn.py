"""FastAPI and uvicorn (with uvloop and httptools) with ONNX Runtime.

The work is done on the event loop: it is mostly Python, and handing it to a thread only costs.
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI, Request

from tests.bench.peers import common

app = FastAPI()
logits = common.onnx()


@app.post("/predict")
async def predict(request: Request) -> dict[str, Any]:
    """Answer with digit and probabilities."""
    return common.answer(await request.body(), logits)


if __name__ == "__main__":
    uvicorn.run(
        "tests.bench.peers.fastapi_uvicorn:app",
        port=int(sys.argv[1]),
        workers=int(sys.argv[2]),
        access_log=False,
    )
