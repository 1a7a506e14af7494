"""`python -m mnist_api.feedback export DIR`: what was sent, for a person to look through.

DIR gets the pictures and `labels.csv`. Whoever has looked at a picture writes `yes` under
`reviewed` if `label` is right (or corrects it), anything else if it is not to be learnt from; then
`python -m mnist_model train --feedback DIR` learns from the rows with a `yes`.
"""

from __future__ import annotations

import argparse
import csv
import os
import sqlite3
import sys
import time
from pathlib import Path

from mnist_api.feedback.store import FILE, Store
from mnist_api.settings import PREFIX

LABELS = "labels.csv"
COLUMNS = ("file", "label", "kind", "said", "release", "client", "created", "reviewed")


class ExportError(Exception):
    """The drawings cannot be exported; the text says what to do."""


def export(store: Store, target: Path) -> list[str]:
    """Write all drawings into a directory without any yet; return their ids."""
    if not (store.directory / FILE).is_file():
        raise ExportError(
            f"{store.directory} holds no {FILE}; name the directory that MNIST_API_FEEDBACK has."
        )
    target.mkdir(parents=True, exist_ok=True)
    try:
        labels = (target / LABELS).open("x", encoding="utf-8", newline="")
    except FileExistsError:
        raise ExportError(f"{target / LABELS} is there already; name a new directory.") from None
    names = []
    with labels:
        table = csv.writer(labels, lineterminator="\n")
        table.writerow(COLUMNS)
        for one in store.all():
            created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one.created))
            file = f"{created[:10]}-{one.id}.png"
            (target / file).write_bytes(one.picture)
            row = (file, one.right, one.kind, one.said, one.release, one.client, created, "")
            table.writerow(row)
            names.append(one.id)
    return names


def main() -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m mnist_api.feedback",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    exporting = commands.add_parser("export", help="write the drawings and labels.csv")
    exporting.add_argument("directory", type=Path, metavar="DIR", help="a new directory")
    exporting.add_argument(
        "--store",
        type=Path,
        default=os.environ.get(f"{PREFIX}FEEDBACK"),
        help="where the API keeps them (default: $MNIST_API_FEEDBACK)",
    )
    exporting.add_argument(
        "--clear", action="store_true", help="then delete them there, which makes room for more"
    )
    args = parser.parse_args()
    if args.store is None:
        parser.error("name the store with --store, or set MNIST_API_FEEDBACK")
    store = Store(args.store)
    try:
        names = export(store, args.directory)
        if args.clear:
            store.forget(names)
    except (ExportError, OSError, sqlite3.Error) as error:
        print(f"feedback: {error}", file=sys.stderr)
        return 1
    print(f"{len(names)} drawings in {args.directory}; look at them, and fill in `reviewed`.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
