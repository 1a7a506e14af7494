"""`python -m mnist_api.feedback export | forget | collect`: from the page to what is learnt.

A backend exports its drawings into a directory with `labels.csv`, and forgets them once they are
safe elsewhere. `collect` puts the exports of several backends together. Whoever has looked at a
picture writes `yes` under `reviewed` if `label` is right (or corrects it), anything else if it is
not to be learnt from; then `python -m mnist_model train --feedback DIR` learns from the rows with a
`yes`. `make feedback` does the first three.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import time
from pathlib import Path

from mnist_api.feedback import labels
from mnist_api.feedback.collect import ASIDE, MOST_PER_CLIENT, collect
from mnist_api.feedback.labels import LABELS, LabelsError, Row
from mnist_api.feedback.store import FILE, UNDO_SECONDS, Kept, Store
from mnist_api.settings import PREFIX


class ExportError(Exception):
    """The drawings cannot be exported; the text says what to do."""


def export(store: Store, target: Path, before: float | None = None) -> list[str]:
    """Write the drawings into a directory without any yet; return their ids.

    before: only those that were sent until then, in seconds since 1970. Raises ExportError.
    """
    if not (store.directory / FILE).is_file():
        raise ExportError(
            f"{store.directory} holds no {FILE}; name the directory that MNIST_API_FEEDBACK has."
        )
    target.mkdir(parents=True, exist_ok=True)
    try:
        table = (target / LABELS).open("x", encoding="utf-8", newline="")
    except FileExistsError:
        raise ExportError(f"{target / LABELS} is there already; name a new directory.") from None
    rows = []
    with table:
        for one in store.all():
            if before is None or one.created <= before:
                rows.append(_row(one))
                (target / rows[-1].file).write_bytes(one.picture)
        labels.write(table, rows)
    return [row.drawing for row in rows]


def _row(one: Kept) -> Row:
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one.created))
    file = f"{created[:10]}-{one.id}.png"
    return Row(file, one.right, one.kind, one.said, one.release, one.client, created)


def main() -> int:
    """Run the command line; return its exit status."""
    args = _parser().parse_args()
    try:
        print(args.run(args))
    except (ExportError, LabelsError, OSError, sqlite3.Error) as error:
        print(f"feedback: {error}", file=sys.stderr)
        return 1
    return 0


def _export(args: argparse.Namespace) -> str:
    names = export(
        Store(args.store), args.directory, time.time() - UNDO_SECONDS if args.settled else None
    )
    if args.clear:
        Store(args.store).forget(names)
    return f"{len(names)} drawings in {args.directory}; look at them, and fill in `reviewed`."


def _forget(args: argparse.Namespace) -> str:
    names = [row.drawing for row in labels.read_unreviewed(args.directory)]
    if names:
        Store(args.store).forget(names)
    return f"{len(names)} drawings are forgotten here"


def _collect(args: argparse.Namespace) -> str:
    day = time.strftime("%Y-%m-%d", time.gmtime())
    new, aside, known = collect(args.exports, args.into, day, args.most_per_client)
    told = f"{new} new drawings in {args.into / day}"
    if aside:
        told += f", {aside} over the cap of {args.most_per_client} a client in its {ASIDE}"
    return f"{told}; {known} had been collected before"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mnist_api.feedback",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    stored = argparse.ArgumentParser(add_help=False)
    variable = f"{PREFIX}FEEDBACK"
    stored.add_argument(
        "--store",
        type=Path,
        default=os.environ.get(variable),
        required=variable not in os.environ,
        help=f"where the API keeps them (default: ${variable})",
    )

    exporting = commands.add_parser(
        "export", parents=[stored], help="write the drawings and labels.csv"
    )
    exporting.add_argument("directory", type=Path, metavar="DIR", help="a new directory")
    exporting.add_argument(
        "--settled", action="store_true", help="only those that can no longer be taken back"
    )
    exporting.add_argument(
        "--clear", action="store_true", help="then delete them there, which makes room for more"
    )
    exporting.set_defaults(run=_export)

    forgetting = commands.add_parser(
        "forget", parents=[stored], help="delete from the store what an export has"
    )
    forgetting.add_argument("directory", type=Path, metavar="DIR", help="the export")
    forgetting.set_defaults(run=_forget)

    collecting = commands.add_parser("collect", help="put exports together, to be reviewed")
    collecting.add_argument("exports", type=Path, nargs="*", metavar="DIR", help="the exports")
    collecting.add_argument("--into", type=Path, required=True, metavar="DIR", help="of all days")
    collecting.add_argument(
        "--most-per-client",
        type=int,
        default=MOST_PER_CLIENT,
        metavar="N",
        help=f"set what one client sent beyond that aside (default: {MOST_PER_CLIENT})",
    )
    collecting.set_defaults(run=_collect)
    return parser


if __name__ == "__main__":
    sys.exit(main())
