"""Reviewed drawings: only what a person marked, and every fault by its line."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_model.feedback import FeedbackError, load_feedback
from mnist_model.normalise import SIDE

COLUMNS = ["file", "label", "kind", "reviewed"]


def drawn(file: Path) -> None:
    picture = Image.new("L", (100, 120), 255)
    ImageDraw.Draw(picture).line((50, 20, 50, 100), fill=0, width=8)
    picture.save(file)


def written(directory: Path, *rows: tuple[str, ...], columns: list[str] | None = None) -> Path:
    with (directory / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns or COLUMNS, *rows])
    return directory


def test_only_reviewed_digits_count(tmp_path: Path) -> None:
    drawn(tmp_path / "a.png")
    rows = [("a.png", "1", "digit", "yes"), ("a.png", "1", "", " Yes ")]
    rows += [("a.png", "7", "digit", ""), ("a.png", "7", "digit", "no")]
    rows += [("a.png", "17", "line", "yes"), ("missing.png", "7", "digit", "")]
    feedback = load_feedback(written(tmp_path, *rows))
    assert feedback.labels.tolist() == [1, 1]
    assert feedback.pictures.shape == (2, SIDE, SIDE)
    assert feedback.pictures.max() == 255


def test_several_days_are_learnt_together(tmp_path: Path) -> None:
    for day, label in (("2026-02-01", "7"), ("2026-01-31", "1")):
        (tmp_path / day / "set-aside").mkdir(parents=True)
        for directory in (tmp_path / day, tmp_path / day / "set-aside"):
            drawn(directory / "a.png")
            written(directory, ("a.png", label, "digit", "yes"))
    assert load_feedback(tmp_path).labels.tolist() == [1, 7]
    assert load_feedback(tmp_path / "2026-02-01").labels.tolist() == [7]


def test_days_without_a_review_say_so(tmp_path: Path) -> None:
    (tmp_path / "2026-01-31").mkdir()
    written(tmp_path / "2026-01-31", ("a.png", "1", "digit", ""))
    with pytest.raises(FeedbackError, match=f"^{tmp_path} has no reviewed drawing"):
        load_feedback(tmp_path)


def test_its_hash_changes_with_a_label(tmp_path: Path) -> None:
    drawn(tmp_path / "a.png")
    one = load_feedback(written(tmp_path, ("a.png", "1", "digit", "yes")))
    same = load_feedback(written(tmp_path, ("a.png", "1", "digit", "yes")))
    other = load_feedback(written(tmp_path, ("a.png", "7", "digit", "yes")))
    assert one.sha256 == same.sha256
    assert one.sha256 != other.sha256


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (("a.png", "x", "digit", "yes"), r"line 2: the label is 'x', not a digit"),
        (("a.png", "12", "digit", "yes"), r"line 2: the label is '12', not a digit"),
        (("a.png", "٣", "digit", "yes"), "line 2: the label is"),
        (("../a.png", "1", "digit", "yes"), "line 2: ../a.png is not inside"),
        (("/etc/passwd", "1", "digit", "yes"), "line 2: /etc/passwd is not inside"),
        (("missing.png", "1", "digit", "yes"), "line 2: missing.png is no picture"),
        (("labels.csv", "1", "digit", "yes"), "line 2: labels.csv is no picture"),
        (("blank.png", "1", "digit", "yes"), r"line 2: .*no ink.*do not mark it"),
        (("a.png", "1", "digit", "no"), "has no reviewed drawing: look at each"),
    ],
)
def test_a_fault_is_told_by_its_line(tmp_path: Path, row: tuple[str, ...], why: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    drawn(inside / "a.png")
    drawn(tmp_path / "a.png")
    Image.fromarray(np.full((50, 50), 255, np.uint8)).save(inside / "blank.png")
    with pytest.raises(FeedbackError, match=why):
        load_feedback(written(inside, row))


def test_a_missing_column_or_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(FeedbackError, match=r"labels\.csv cannot be read"):
        load_feedback(tmp_path)
    with pytest.raises(FeedbackError, match="has no column reviewed"):
        load_feedback(written(tmp_path, ("a.png", "1"), columns=["file", "label"]))
