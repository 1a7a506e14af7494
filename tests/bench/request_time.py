"""Where the processor time of one request goes: what any server must do, and what it adds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from webob import Request

from mnist_api import app
from mnist_api.below import below
from mnist_api.heap import keep_freed_memory
from mnist_api.pictures import decode
from mnist_api.reader import Reader
from mnist_api.settings import Settings
from mnist_model.ink import ink_from_image
from mnist_model.normalise import normalise
from mnist_model.release import verify_release

ROUNDS = 100
"""Times each picture is read."""


def seconds(do: Callable[[Any], Any], given: list[Any]) -> float:
    """Return the median of the processor seconds that a call takes, over all that is given."""
    found = []
    for one in given * ROUNDS:
        begun = time.process_time()
        do(one)
        found.append(time.process_time() - begun)
    return statistics.median(found)


def parts(release: Path, bodies: list[bytes]) -> dict[str, float]:
    """Return the seconds of each part of a request that does not depend on the server.

    The last one is what the application adds to the others: contract, routes, answer, log, figures.
    """
    keep_freed_memory()
    settings = Settings.from_environment({"MNIST_API_RELEASE": str(release)})
    reader = Reader(verify_release(release))
    classify = reader._classifier.probabilities
    config = app.configure(settings, reader)
    config.include(app)
    application = below(settings.path, config.make_wsgi_app())
    reader.warm_up()

    def png(body: bytes) -> Any:
        return decode(body, "image/png", settings.max_pixels)

    def whole(body: bytes) -> None:
        request = Request.blank("/predict", method="POST", body=body, content_type="image/png")
        assert request.send(application).status_int == 200

    pictures = [png(body) for body in bodies]
    inks = [ink_from_image(picture) for picture in pictures]
    seen = [normalise(ink) for ink in inks]
    found = {
        "decode the PNG": seconds(png, bodies),
        "find the ink": seconds(ink_from_image, pictures),
        "normalise": seconds(normalise, inks),
        "classify": seconds(lambda one: classify(one[None]), seen),
    }
    every = seconds(whole, bodies)
    blank = seconds(lambda body: Request.blank("/predict", body=body).send(_nothing), bodies)
    found["application"] = every - blank - sum(found.values())
    return found


def _nothing(_: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [b""]


def table(release: Path, bodies: list[bytes], ours: float, peers: float, peer: str) -> str:
    """Say where the time goes, in Markdown.

    ours, peers: processor seconds of a whole request, here and by the best peer, which is `peer`.
    """
    found = parts(release, bodies)
    reading = sum(found.values()) - found["application"]
    rows = {
        **found,
        "server, and what a whole takes more than its parts": ours - sum(found.values()),
    }
    lines = ["| a request's part | ms of processor time | share |", "|---|---|---|"]
    lines += [f"| {name} | {s * 1e3:.2f} | {s / ours:.0%} |" for name, s in rows.items()]
    lines += [
        f"| all | {ours * 1e3:.2f} | 100% |",
        "",
        f"What is not reading takes {(ours - reading) * 1e3:.2f} ms here, and "
        f"{(peers - reading) * 1e3:.2f} of the {peers * 1e3:.2f} ms of {peer}, if reading takes it "
        "the same.",
    ]
    return "\n".join(lines)
