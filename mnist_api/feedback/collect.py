"""Puts what several backends exported into one directory a day, for a person to look through.

A drawing is taken once, however often it is exported: what an interrupted collection has brought
is known by its id. Rows that are there, and whatever a person wrote in them, are never changed.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from mnist_api.feedback import labels
from mnist_api.feedback.labels import LABELS, Row

ASIDE = "set-aside"
"""Where the drawings over a client's cap lie, below the day's: no training looks there."""
MOST_PER_CLIENT = 20


class Collected(NamedTuple):
    """What a collection has brought: to be reviewed, set aside, and known before."""

    new: int
    aside: int
    known: int


def collect(
    exports: Iterable[Path], collection: Path, day: str, most: int = MOST_PER_CLIENT
) -> Collected:
    """Take the drawings of `exports` into `collection`/`day`, unreviewed.

    most: of one client (an address, on one backend, on one day); what is more is set aside.
    Raises LabelsError, OSError; no row is written then.
    """
    rows = [(export, row) for export in exports for row in labels.read_unreviewed(export)]
    rows.sort(key=lambda found: (found[1].created, found[1].file))
    there = [row for known in sorted(collection.glob("*/")) for row in _read(known)]
    aside = [row for known in sorted(collection.glob(f"*/{ASIDE}/")) for row in _read(known)]
    seen = {row.file for row in there + aside}
    taken = Counter(row.client for row in there)
    new: dict[Path, list[Row]] = {collection / day: [], collection / day / ASIDE: []}
    for export, row in rows:
        if row.file in seen:
            continue
        seen.add(row.file)
        target = collection / day
        if taken[row.client] >= most:
            target /= ASIDE
        else:
            taken[row.client] += 1
        new[target].append(row)
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(export / row.file, target / row.file)
    for target, found in new.items():
        if found:
            labels.append(target, found)
    os.sync()  # before the backends forget what is here
    kept, more = (len(found) for found in new.values())
    return Collected(kept, more, len(rows) - kept - more)


def _read(directory: Path) -> list[Row]:
    return labels.read(directory) if (directory / LABELS).exists() else []
