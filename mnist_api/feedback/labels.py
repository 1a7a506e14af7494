"""`labels.csv`: one row for each picture beside it, which a person reviews.

Rows come from machines that face the internet, so a row that is read back must look like one that
was written here: no path, no formula of a spreadsheet, nothing longer than it may be.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

LABELS = "labels.csv"
PNG = b"\x89PNG\r\n\x1a\n"


class LabelsError(Exception):
    """The file cannot be used; the text names it and says what is wrong."""


class Row(NamedTuple):
    """A row, in the order of the columns. created: UTC, as in 2026-01-31T12:00:00Z."""

    file: str
    label: str
    kind: str
    said: str
    release: str
    client: str
    created: str
    reviewed: str = ""

    @property
    def drawing(self) -> str:
        """The drawing's id in the store that it came from."""
        return self.file[-20:-4]


FORM = Row(
    file=r"\d{4}-\d\d-\d\d-[0-9a-f]{16}\.png",
    label=r"[0-9]{1,20}",
    kind="digit|line",
    said=r"[0-9]{0,20}",
    release=r"[\w.-]{1,100}",
    client=r"[0-9a-f]{16}",
    created=r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    reviewed=r"",
)
"""What a field may be before anyone has reviewed it."""


def write(file: TextIO, rows: Iterable[Row]) -> None:
    """Write the columns and the rows."""
    table = csv.writer(file, lineterminator="\n")
    table.writerow(Row._fields)
    table.writerows(rows)


def append(directory: Path, rows: Iterable[Row]) -> None:
    """Add rows to a directory's file, all or none; what is in it stays as it is.

    Raises LabelsError, OSError.
    """
    file = directory / LABELS
    part = file.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as lines:
        if file.exists():
            text = file.read_text(encoding="utf-8")
            lines.write(text if text.endswith("\n") else f"{text}\n")
            # A person may have added columns, or put them into another order.
            columns = next(csv.reader(text.splitlines()))
            table = csv.DictWriter(lines, columns, extrasaction="ignore", lineterminator="\n")
            table.writerows(row._asdict() for row in rows)
        else:
            write(lines, rows)
    part.replace(file)


def read_unreviewed(directory: Path) -> Iterator[Row]:
    """Give the rows of an export whose pictures are all there.

    Raises LabelsError, at the first row that is not as `write` leaves it.
    """
    for number, row in enumerate(_rows(directory), 2):
        for name, value, form in zip(Row._fields, row, FORM, strict=True):
            if not re.fullmatch(form, value, re.ASCII):
                raise LabelsError(f"{directory / LABELS}, line {number}: {name} is {value!r:.60}")
        picture = directory / row.file
        if picture.is_symlink() or not picture.is_file():
            raise LabelsError(f"{directory / LABELS}, line {number}: {row.file} is not there")
        with picture.open("rb") as content:
            if content.read(len(PNG)) != PNG:
                raise LabelsError(f"{picture} is no PNG")
        yield row


def read(directory: Path) -> list[Row]:
    """Give the rows that a person may have edited; what cannot be told from them is empty."""
    return list(_rows(directory))


def _rows(directory: Path) -> Iterator[Row]:
    file = directory / LABELS
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            table = csv.DictReader(lines)
            if missing := set(Row._fields) - set(table.fieldnames or ()):
                raise LabelsError(f"{file} has no column {', '.join(sorted(missing))}")
            for fields in table:
                yield Row(*(fields[name] or "" for name in Row._fields))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LabelsError(f"{file} cannot be read: {error}") from error
