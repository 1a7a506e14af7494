"""Corrections of several backends become one set to review: once each, capped, and none lost."""

from __future__ import annotations

import csv
import dataclasses
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mnist_api.feedback import labels
from mnist_api.feedback.__main__ import export
from mnist_api.feedback.collect import ASIDE, Collected, collect
from mnist_api.feedback.labels import LABELS, LabelsError
from mnist_api.feedback.store import FILE, Drawing, Store
from mnist_api.reader import Reader
from mnist_api.settings import Settings
from mnist_model.__main__ import main
from mnist_model.feedback import FeedbackError, load_feedback
from tests.api.conftest import Api
from tests.api.test_feedback import NOON, data_url, give, run
from tests.browser.drawing import DIGITS, encoded, picture

DAY = "2026-01-31"


def drawing(digit: int, right: int | None = None) -> Drawing:
    content = encoded(picture(DIGITS[digit]))
    right = digit if right is None else right
    return Drawing("digit", "1", str(right), "mnist-cnn-20260131-1a2b3c4d", content)


@pytest.fixture
def backends(tmp_path: Path) -> list[Store]:
    stores = [Store(tmp_path / name) for name in ("AI_Backend", "AI_Backend2")]
    for store in stores:
        store.directory.mkdir()
    return stores


def exported(store: Store) -> Path:
    """Export a store anew."""
    target = store.directory / f"export-{time.monotonic_ns()}"
    export(store, target)
    return target


def table(directory: Path) -> list[dict[str, str]]:
    with (directory / LABELS).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_flood_of_wrong_labels_is_capped_and_teaches_nothing(
    compose: Callable[..., Api],
    reader: Reader,
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    taking = dataclasses.replace(settings, feedback=tmp_path, feedback_per_client=50)
    app, seven = compose(reader, taking), data_url(picture(DIGITS[7]))
    flood = [give(app, "203.0.113.66", image=seven, right="0").status_code for _ in range(60)]
    assert Counter(flood) == {201: 50, 429: 10}, "the store's own cap"
    for number in range(3):
        give(app, f"198.51.100.{number}", image=seven, right="7")
    collection = tmp_path / "collection"
    told = collect([exported(Store(tmp_path))], collection, DAY, most=20)
    assert told == Collected(new=23, aside=30, known=0)
    rows = table(collection / DAY)
    assert Counter(row["label"] for row in rows) == {"0": 20, "7": 3}
    assert max(Counter(row["client"] for row in rows).values()) == 20
    assert {row["reviewed"] for row in rows + table(collection / DAY / ASIDE)} == {""}

    for choice in (collection, collection / DAY):
        with pytest.raises(FeedbackError, match="has no reviewed drawing"):
            load_feedback(choice)
    releases = tmp_path / "releases"
    command = ["train", "--feedback", str(collection), "--releases", str(releases)]
    assert main(command) == 1
    assert "has no reviewed drawing" in capsys.readouterr().err
    assert not releases.exists()

    for row in rows:
        row["reviewed"] = "yes" if row["label"] == "7" else ""
    with (collection / DAY / LABELS).open("w", encoding="utf-8", newline="") as file:
        reviewed = csv.DictWriter(file, rows[0])
        reviewed.writeheader()
        reviewed.writerows(rows)
    assert load_feedback(collection).labels.tolist() == [7, 7, 7]


def test_several_backends_become_one_set(backends: list[Store], tmp_path: Path) -> None:
    for number, store in enumerate(backends):
        store.add(drawing(7 - number), "203.0.113.7")
    collection = tmp_path / "collection"
    assert collect(map(exported, backends), collection, DAY).new == 2
    rows = table(collection / DAY)
    assert sorted(row["label"] for row in rows) == ["6", "7"]
    for row in rows:
        content = (collection / DAY / row["file"]).read_bytes()
        assert content == drawing(int(row["label"])).picture


def test_a_collection_that_was_interrupted_loses_nothing_and_repeats_nothing(
    backends: list[Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = tmp_path / "collection"
    for number in range(3):
        backends[0].add(drawing(7), str(number))
    append = labels.append
    monkeypatch.setattr(labels, "append", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        collect([exported(backends[0])], collection, DAY)
    monkeypatch.setattr(labels, "append", append)
    first = exported(backends[0])
    assert collect([first], collection, DAY) == Collected(3, 0, 0)
    # Interrupted here: nothing is forgotten yet, and more has come until the next collection.
    backends[0].add(drawing(4), "3")
    again = exported(backends[0])
    assert collect([again, first], collection, "2026-02-01") == Collected(1, 0, 6)
    assert [row["label"] for row in table(collection / "2026-02-01")] == ["4"]
    # What came after the export is not forgotten with it.
    backends[0].add(drawing(2), "4")
    done = run("forget", str(again), "--store", str(backends[0].directory))
    assert (done.returncode, done.stdout) == (0, "4 drawings are forgotten here\n"), done.stderr
    assert [kept.right for kept in backends[0].all()] == ["2"]


def test_what_a_person_has_written_stays(backends: list[Store], tmp_path: Path) -> None:
    collection = tmp_path / "collection"
    backends[0].add(drawing(7), "a")
    collect([exported(backends[0])], collection, DAY)
    (row,) = table(collection / DAY)
    # Another order, one more column, no end of line: as people and their programs leave it.
    row |= {"reviewed": "yes", "label": "1", "note": "a one, I think"}
    with (collection / DAY / LABELS).open("w", encoding="utf-8", newline="") as file:
        edited = csv.DictWriter(file, sorted(row), lineterminator="\n")
        edited.writeheader()
        edited.writerow(row)
    text = (collection / DAY / LABELS).read_text(encoding="utf-8").rstrip("\n")
    (collection / DAY / LABELS).write_text(text, encoding="utf-8")
    backends[0].add(drawing(4), "b")
    assert collect([exported(backends[0])], collection, DAY) == Collected(1, 0, 1)
    before, after = table(collection / DAY)
    assert before == row
    assert (after["label"], after["reviewed"], after["note"]) == ("4", "", "")


def test_the_cap_holds_over_several_collections(backends: list[Store], tmp_path: Path) -> None:
    collection = tmp_path / "collection"
    brought = []
    for _ in range(3):
        backends[0].add(drawing(7), "a")
        brought.append(collect([exported(backends[0])], collection, DAY, most=2))
    assert brought == [Collected(1, 0, 0), Collected(1, 0, 1), Collected(0, 1, 2)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("file", "../../2026-01-31-0123456789abcdef.png"),
        ("label", "=1+1"),
        ("said", "@SUM(A1)"),
        ("kind", "word"),
        ("client", "me"),
        ("reviewed", "yes"),
    ],
)
def test_a_backend_cannot_write_what_is_not_a_drawings(
    backends: list[Store], tmp_path: Path, name: str, value: str
) -> None:
    backends[0].add(drawing(7), "a")
    target = exported(backends[0])
    (row,) = labels.read_unreviewed(target)
    with (target / LABELS).open("w", encoding="utf-8", newline="") as file:
        labels.write(file, [row._replace(**{name: value})])
    with pytest.raises(LabelsError, match=f"line 2: {name} is "):
        collect([target], tmp_path / "collection", DAY)
    assert not (tmp_path / "collection").exists()


@pytest.mark.parametrize("fault", ["missing", "link", "no picture"])
def test_a_picture_must_have_come_along(backends: list[Store], tmp_path: Path, fault: str) -> None:
    backends[0].add(drawing(7), "a")
    target = exported(backends[0])
    (file,) = target.glob("*.png")
    file.unlink()
    if fault == "link":
        file.symlink_to(backends[0].directory / FILE)
    elif fault == "no picture":
        file.write_text("#!/bin/sh")
    with pytest.raises(LabelsError, match=r"is not there|is no PNG"):
        collect([target], tmp_path / "collection", DAY)


def test_what_can_still_be_taken_back_is_left(
    backends: list[Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now: Any = NOON
    monkeypatch.setattr(time, "time", lambda: now)
    backends[0].add(drawing(7), "a")
    now += 3601
    backends[0].add(drawing(4), "a")
    export(backends[0], tmp_path / "settled", before=now - 3600)
    assert [row["label"] for row in table(tmp_path / "settled")] == ["7"]


def test_the_command_says_what_it_has_brought(backends: list[Store], tmp_path: Path) -> None:
    for _ in range(3):
        backends[0].add(drawing(7), "a")
    collection = tmp_path / "collection"
    choice = ["--into", str(collection), "--most-per-client", "2"]
    done = run("collect", str(exported(backends[0])), *choice)
    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert done.stdout == (
        f"2 new drawings in {collection / today}, 1 over the cap of 2 a client in its set-aside; "
        "0 had been collected before\n"
    )
    assert run("collect", *choice).stdout.startswith("0 new drawings")
    settled = tmp_path / "settled"
    command = ["export", str(settled), "--settled", "--store", str(backends[0].directory)]
    assert run(*command).stdout.startswith("0 drawings in ")
    broken = run("collect", str(tmp_path / "nowhere"), *choice)
    assert (broken.returncode, broken.stdout) == (1, "")
    assert "nowhere/labels.csv cannot be read" in broken.stderr
