"""The command `python -m mnist_api.client`: reads files, folders and standard input."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mnist_api import client
from mnist_api.client import Client, ClientError, UnreachableError

PICTURES = (".png", ".jpg", ".jpeg", ".webp")
STANDARD_INPUT = Path("-")
EX_SOME_REFUSED = 1
EX_CANNOT_ASK = 2
BAR = 30
"""Characters of the progress bar."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0, 1 if a picture was not read, 2 if nobody could be asked."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.length is not None and not options.read:
        parser.error("--length is for --read")
    pictures = list(_files(options.pictures))
    if not pictures:
        parser.error(f"there is no picture ({', '.join(PICTURES)}) in these folders")
    # On a terminal the rows themselves show how far it is.
    progress = len(pictures) > 1 and sys.stderr.isatty() and not sys.stdout.isatty()
    status = 0
    try:
        asked = Client(options.url)
        for number, picture in enumerate(pictures):
            if progress:
                _show_progress(number, len(pictures))
            row = _read(asked, picture, options)
            status = status or (EX_SOME_REFUSED if "problem" in row else 0)
            print(json.dumps(row) if options.json else _table_row(row), flush=True)
        if progress:
            _show_progress(len(pictures), len(pictures))
    except UnreachableError as error:
        print(f"client: {error}", file=sys.stderr)
        return EX_CANNOT_ASK
    except BrokenPipeError:  # whoever reads the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mnist_api.client", description="Read the digits in pictures."
    )
    parser.add_argument(
        "pictures",
        nargs="+",
        type=Path,
        metavar="PICTURE",
        help=f"a file ({', '.join(PICTURES)}), a folder of them, or - for standard input",
    )
    parser.add_argument(
        "--url",
        default=os.environ.get("MNIST_URL", client.URL),
        help="the API's address (default: $MNIST_URL, or %(default)s)",
    )
    parser.add_argument("--read", action="store_true", help="each is a line of digits, not one")
    parser.add_argument(
        "--length", type=int, metavar="N", help="how many digits a line has, if that is known"
    )
    parser.add_argument("--json", action="store_true", help="a line of JSON for each, no table")
    return parser


def _files(given: list[Path]) -> Iterator[Path]:
    for path in given:
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*") if one.suffix.lower() in PICTURES)
        else:
            yield path


def _read(asked: Client, picture: Path, options: argparse.Namespace) -> dict[str, Any]:
    row: dict[str, Any] = {"picture": str(picture)}
    content = sys.stdin.buffer.read() if picture == STANDARD_INPUT else picture
    try:
        if options.read:
            return row | asked.read_json(content, options.length)
        return row | asked.predict_json(content)
    except UnreachableError:
        raise
    except ClientError as error:
        return row | {"problem": str(error)}


def _table_row(row: dict[str, Any]) -> str:
    if "problem" in row:
        return f"{row['picture']:<40} -      {row['problem']}"
    text = row.get("text", row.get("digit"))
    others = "".join(
        f", or {one['digit']} ({one['confidence']:.0%})" for one in row.get("alternatives", ())
    )
    doubt = "" if row["certain"] else f" uncertain{others}"
    return f"{row['picture']:<40} {text!s:<6} {row['confidence']:6.1%}{doubt}"


def _show_progress(done: int, of: int) -> None:
    bar = "#" * (BAR * done // of)
    end = "\n" if done == of else "\r"
    print(f"[{bar:<{BAR}}] {done}/{of}", end=end, file=sys.stderr, flush=True)
