"""`python -m mnist_api.verify URL`: does the public door read real handwriting?

Sends MNIST's test digits, which no release was trained on, as a drawing page would send them:
black ink of any size anywhere on a sheet of 280 x 280 pixels, white or transparent. Nothing is
sent twice; a request that fails counts as not read.
"""

from __future__ import annotations

import argparse
import dataclasses
import http.client
import io
import json
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, urlsplit

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_model.data import DataError, load

TEST_DIGITS = 10_000
SHEET = 280
"""Side of the sheet, in pixels."""
SCALES = (0.3, 0.9)
"""How much of the sheet's side MNIST's 28 pixels take, at least and at most."""
SECONDS = 15
"""Longest wait for one answer."""
PATIENCE = 3
EX_BELOW_MINIMUM = 1
EX_CANNOT_ASK = 2

Picture = npt.NDArray[np.uint8]


class ClosedDoorError(Exception):
    """Nobody answers at the URL as this API does; the text says so in one sentence."""


class RefusedError(Exception):
    """A request was answered, but not with what was asked for; the text says with what."""


@dataclasses.dataclass(frozen=True)
class Miss:
    """A digit that was not read: its place among the test digits, what it is, what came back."""

    index: int
    label: int
    said: str


def draw(digit: Picture, random: np.random.Generator) -> Image.Image:
    """Draw a digit on a sheet, at random in size and place.

    digit: uint8 (28, 28), 0 paper to 255 ink. Returns: 280 x 280, black on white or on nothing.
    """
    side = round(SHEET * random.uniform(*SCALES))
    left, top = random.integers(0, SHEET - side + 1, size=2)
    ink = Image.new("L", (SHEET, SHEET), 0)
    enlarged = Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC)
    ink.paste(enlarged, (int(left), int(top)))
    sheet = Image.new("RGBA", (SHEET, SHEET), (0, 0, 0, 0))
    sheet.putalpha(ink)
    if random.random() < 1 / 2:
        return Image.alpha_composite(Image.new("RGBA", sheet.size, "white"), sheet).convert("RGB")
    return sheet


def ready_release(url: str) -> str:
    """Return the name of the release that answers. Raises ClosedDoorError when none does."""
    try:
        return str(_ask(_address(url, "readyz"), "GET")["release"])
    except (OSError, http.client.HTTPException) as error:
        raise ClosedDoorError(f"Nobody answers at {url}: {error}.") from error
    except RefusedError as error:
        raise ClosedDoorError(f"No digits are read at {url}: {error}.") from error


def misread(url: str, digits: Picture, labels: Picture, seed: int) -> Iterator[Miss]:
    """Send each digit to URL/api/predict once; yield those that were not read.

    Raises ClosedDoorError when PATIENCE requests in a row got no answer.
    """
    target = _address(url, "predict")
    random = np.random.default_rng(seed)
    unanswered = 0
    for index, (digit, label) in enumerate(zip(digits, labels, strict=True)):
        try:
            said = str(_ask(target, "POST", _png(draw(digit, random)))["digit"])
            unanswered = 0
        except RefusedError as error:
            said = str(error)
            unanswered = 0
        except (OSError, http.client.HTTPException) as error:
            said = f"no answer: {error}"
            unanswered += 1
            if unanswered == PATIENCE:
                raise ClosedDoorError(f"Nobody answers at {url} any more: {error}.") from error
        if said != str(label):
            yield Miss(index, int(label), said)


def _address(url: str, name: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ClosedDoorError(f"{url} is no address; write it as http://HOST/ or https://HOST/.")
    return parts._replace(path=f"{parts.path.rstrip('/')}/api/{name}")


def _ask(target: SplitResult, method: str, body: bytes | None = None) -> dict[str, Any]:
    https = target.scheme == "https"
    kind = http.client.HTTPSConnection if https else http.client.HTTPConnection
    # One connection a request: a kept one may be closed just when it is used again.
    connection = kind(str(target.hostname), target.port, timeout=SECONDS)
    try:
        connection.request(method, target.path, body, {"Content-Type": "image/png"})
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    try:
        said = json.loads(content)
        if answer.status == http.HTTPStatus.OK and "release" in said:
            return dict(said)
        detail = str(said["detail"])
    except (ValueError, TypeError, KeyError):
        detail = "and not this API's answer"
    raise RefusedError(f"status {answer.status} {answer.reason}, {detail.rstrip('.')}")


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def main() -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m mnist_api.verify", description=__doc__)
    parser.add_argument("url", metavar="URL", help="the page's address, as http://HOST/")
    parser.add_argument("--data", help="directory of MNIST's files (default: the user's cache)")
    parser.add_argument("--count", type=int, default=100, help="digits to send (%(default)s)")
    parser.add_argument("--minimum", type=int, default=97, help="digits to be read (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="which, and where (%(default)s)")
    args = parser.parse_args()
    if not 1 <= args.count <= TEST_DIGITS or args.minimum > args.count:
        parser.error(f"--count is at most {TEST_DIGITS}, and --minimum at most --count")
    try:
        release = ready_release(args.url)
        data = load(args.data)
        chosen = np.random.default_rng(args.seed).permutation(len(data.test_labels))[: args.count]
        digits, labels = data.test_pictures[chosen], data.test_labels[chosen]
        misses = list(misread(args.url, digits, labels, args.seed))
    except (ClosedDoorError, DataError) as error:
        print(f"verify: {error}", file=sys.stderr)
        return EX_CANNOT_ASK
    read = len(chosen) - len(misses)
    print(f"read {read} of {len(chosen)}, release {release}")
    for miss in misses:
        print(f"  test digit {chosen[miss.index]}, a {miss.label}: {miss.said}")
    if read < args.minimum:
        print(f"verify: {args.minimum} had to be read.", file=sys.stderr)
        return EX_BELOW_MINIMUM
    return 0


if __name__ == "__main__":
    sys.exit(main())
