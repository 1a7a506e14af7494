"""`python -m mnist_api.trial URL`: may the worker at URL be put into service?

Has it read the drawings of mnist_api/canned, whose names say what they show, and refuses one that
reads fewer of them than what serves now (`--serving URL`), or that takes too long for a digit
(`--most-milliseconds`, the median as a client sees it). Prints what was found as a line of JSON.
"""

from __future__ import annotations

import argparse
import dataclasses
import http.client
import json
import statistics
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

CANNED = Path(__file__).with_name("canned")
SECONDS = 10
"""Longest wait for one answer."""
TRIES = 20
PAUSE_SECONDS = 0.2
"""Before a drawing is sent again to one that is too busy for it."""
EX_REFUSED = 1
EX_CANNOT_ASK = 2


class NoAnswerError(Exception):
    """Nobody answers as this API does; the text says so in one sentence."""


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A picture (PNG) and what it shows: a digit, or a line of digits."""

    name: str
    text: str
    png: bytes


@dataclasses.dataclass(frozen=True)
class Found:
    """What became of the drawings: which were misread, and the median time of a digit."""

    release: str
    of: int
    misread: dict[str, str]
    milliseconds: float

    @property
    def read(self) -> int:
        """How many were read as what they show."""
        return self.of - len(self.misread)

    def told(self) -> dict[str, object]:
        """Give it as the command prints it."""
        return {"read": self.read, **dataclasses.asdict(self)}


def drawings(directory: Path = CANNED) -> list[Drawing]:
    """Load the drawings: `7-35.png` shows a 7, `20742-44.png` a ZIP code."""
    files = sorted(directory.glob("*.png"))
    return [Drawing(one.name, one.name.partition("-")[0], one.read_bytes()) for one in files]


def read_all(url: str, sheets: Iterable[Drawing]) -> Found:
    """Have every drawing read at a URL. Raises NoAnswerError."""
    misread, seconds, release, count = {}, [], "", 0
    for sheet in sheets:
        begun = time.perf_counter()
        said, release = _ask(url, sheet)
        if len(sheet.text) == 1:
            seconds.append(time.perf_counter() - begun)
        if said != sheet.text:
            misread[sheet.name] = said
        count += 1
    return Found(release, count, misread, round(statistics.median(seconds) * 1000, 1))


def _ask(url: str, sheet: Drawing) -> tuple[str, str]:
    """Return what is read in a drawing, and by which release; a refusal is what was read."""
    place = urlsplit(url)
    operation, key = ("predict", "digit") if len(sheet.text) == 1 else ("read", "text")
    for attempt in range(TRIES):
        # One connection a request: a kept one may be closed just when it is used again.
        connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=SECONDS)
        try:
            path = f"{place.path.rstrip('/')}/{operation}"
            connection.request("POST", path, sheet.png, {"Content-Type": "image/png"})
            answer = connection.getresponse()
            said = json.loads(answer.read())
            if answer.status == http.HTTPStatus.OK:
                return str(said[key]), str(said["release"])
            if answer.status != http.HTTPStatus.SERVICE_UNAVAILABLE or attempt == TRIES - 1:
                return f"status {answer.status}", ""
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            raise NoAnswerError(f"nobody reads drawings at {url}: {error}") from error
        finally:
            connection.close()
        time.sleep(PAUSE_SECONDS)
    raise AssertionError("the last attempt returns")


def objection(new: Found, old: Found | None, most_milliseconds: float) -> str:
    """Say in one sentence why the new one must not take the old one's place; or nothing."""
    if old and new.of == old.of and new.read < old.read:
        return (
            f"it reads {new.read} of the {new.of} canned drawings, and {old.release}, "
            f"which is in service, reads {old.read}"
        )
    if new.milliseconds > most_milliseconds:
        return (
            f"it takes {new.milliseconds:.0f} ms for a digit (median of the canned drawings), "
            f"and {most_milliseconds:.0f} ms is the limit"
        )
    return ""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m mnist_api.trial", description=__doc__)
    parser.add_argument("url", metavar="URL", help="the worker on trial, as http://127.0.0.1:5001")
    parser.add_argument("--serving", metavar="URL", help="what is in service, to compare with")
    parser.add_argument("--most-milliseconds", type=float, default=250, help="(%(default)s)")
    args = parser.parse_args(arguments)
    sheets = drawings()
    try:
        new = read_all(args.url, sheets)
    except NoAnswerError as error:
        print(error, file=sys.stderr)
        return EX_CANNOT_ASK
    old = None
    if args.serving:
        try:
            old = read_all(args.serving, sheets)
        except NoAnswerError as error:
            # What does not answer is no reason to keep it.
            print(f"not compared: {error}", file=sys.stderr)
    print(json.dumps({**new.told(), "serving": old.told() if old else None}))
    if why := objection(new, old, args.most_milliseconds):
        print(why, file=sys.stderr)
        return EX_REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
