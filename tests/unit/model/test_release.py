"""A release verifies whole and unchanged, and in no other state."""

import calendar
import contextlib
import json
import math
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from mnist_model import release as releases
from mnist_model.release import Release, ReleaseError, newest, publish, unfinished, verify_release
from tests.unit.model.conftest import FIXTURE, make_release


def edit_manifest(release: Release, **changes: Any) -> None:
    file = release.path / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def resealed(release: Release, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Change the manifest and its name with it, as another version of the program would."""
    manifest = {**release.manifest, **changes}
    monkeypatch.setattr(releases, "_content_hash", lambda _: manifest["name"][-8:])
    edit_manifest(release, **changes)


def test_a_published_release_verifies(release: Release) -> None:
    again = verify_release(release.path)
    assert again == release
    assert again.name == release.path.name
    assert again.temperature == 1.25
    assert again.serving_model() == b"network"
    assert set(again.manifest["files"]) == {"model.tflite", "report/curves.png"}
    assert os.access(release.path, os.R_OK | os.X_OK)
    assert release.path.stat().st_mode & 0o777 == 0o755


def test_the_manifest_says_when_in_utc_and_how_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where it is another day than in UTC: 13 hours ahead from noon on, 12 behind before it.
    monkeypatch.setenv("TZ", "XXX-13" if time.gmtime().tm_hour >= 12 else "XXX+12")
    time.tzset()
    try:
        before = time.time()
        release = make_release(tmp_path)
    finally:
        monkeypatch.undo()
        time.tzset()
    created = calendar.timegm(time.strptime(release.manifest["created"], "%Y-%m-%dT%H:%M:%SZ"))
    assert 0 <= created - math.floor(before) < 60
    assert release.name.split("-")[2] == release.manifest["created"][:10].replace("-", "")
    sizes = {name: facts["bytes"] for name, facts in release.manifest["files"].items()}
    assert sizes == {"model.tflite": 7, "report/curves.png": 6}
    # People read it, too.
    assert (release.path / "manifest.json").read_text().startswith('{\n  "format": 2,\n')


def test_further_networks_are_read_if_there_are_any(tmp_path: Path) -> None:
    without = make_release(tmp_path)
    assert (without.first_layer(), without.line_model()) == (None, None)
    release = make_release(tmp_path, first_layer="model.tflite", line="report/curves.png")
    assert (release.first_layer(), release.line_model()) == (b"network", b"curves")
    (release.path / "report/curves.png").write_bytes(b"another")
    with pytest.raises(ReleaseError, match=r"report/curves.png .* changed since"):
        release.line_model()


def test_it_verifies_wherever_it_is_copied_to(release: Release, tmp_path: Path) -> None:
    copy = shutil.copytree(release.path, tmp_path / "current")
    assert verify_release(copy).name == release.name


@pytest.mark.parametrize("file", ["model.tflite", "report/curves.png"])
def test_a_flipped_bit_is_seen(release: Release, file: str) -> None:
    content = bytearray((release.path / file).read_bytes())
    content[3] ^= 1
    (release.path / file).write_bytes(content)
    with pytest.raises(ReleaseError, match=f"{file} of release .* was changed"):
        verify_release(release.path)


def test_missing_files_are_named(release: Release) -> None:
    (release.path / "report" / "curves.png").unlink()
    (release.path / "model.tflite").unlink()
    said = f"release {release.name} in .* lacks model.tflite, report/curves.png$"
    with pytest.raises(ReleaseError, match=said):
        verify_release(release.path)


def test_extra_files_are_named(release: Release) -> None:
    for name in ("plugin.py", "a.png"):
        (release.path / "report" / name).write_text("")
    said = f"release {release.name} in .* not its own: report/a.png, report/plugin.py$"
    with pytest.raises(ReleaseError, match=said):
        verify_release(release.path)


def test_a_link_is_refused(release: Release, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"network")
    (release.path / "model.tflite").unlink()
    (release.path / "model.tflite").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ReleaseError, match="no ordinary file"):
        verify_release(release.path)


def test_another_format_version_is_told_apart_from_damage(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    resealed(release, monkeypatch, format=99)
    with pytest.raises(ReleaseError, match="has release format 99, this program reads"):
        verify_release(release.path)


def test_another_normalisation_is_refused(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    resealed(release, monkeypatch, normalise=99)
    with pytest.raises(ReleaseError, match=r"normalisation 99.*train again"):
        verify_release(release.path)


SAID_OF_LACKING = {
    "normalise": "normalisation {}",
    "serving": "manifest of .* lacks or garbles 'file'",
    "calibration": "manifest of .* lacks or garbles 'temperature'",
    "files": "has no serving model",
}


@pytest.mark.parametrize("lacking", SAID_OF_LACKING)
def test_a_manifest_without_a_part_is_refused(
    release: Release, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    resealed(release, monkeypatch, **{lacking: {}})
    with pytest.raises(ReleaseError, match=SAID_OF_LACKING[lacking]):
        verify_release(release.path)


@pytest.mark.parametrize(
    ("part", "changes", "said"),
    [
        ("serving", {"file": "none.tflite"}, "has no serving model"),
        ("serving", {"first_layer": "first.tflite"}, "lacks first.tflite"),
        ("serving", {"line": "line.tflite"}, "lacks line.tflite"),
        ("calibration", {"temperature": 0}, "has no usable temperature"),
        ("calibration", {"temperature": math.inf}, "has no usable temperature"),
        ("calibration", {"certain_digit": -0.01}, "has no usable certain_digit"),
        ("calibration", {"certain_line": 1.01}, "has no usable certain_line"),
    ],
)
def test_what_cannot_be_used_is_said(
    release: Release,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
    changes: dict[str, Any],
    said: str,
) -> None:
    resealed(release, monkeypatch, **{part: {**release.manifest[part], **changes}})
    with pytest.raises(ReleaseError, match=f"^release {release.name} {said}: train again$"):
        verify_release(release.path)


def test_the_ends_of_the_ranges_can_be_used(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = {"temperature": 0.01, "certain_digit": 0, "certain_line": 1}
    resealed(release, monkeypatch, calibration=ends)
    again = verify_release(release.path)
    assert (again.temperature, again.certain_digit, again.certain_line) == (0.01, 0, 1)
    resealed(release, monkeypatch, calibration={**ends, "certain_digit": 1, "certain_line": 0})
    assert verify_release(release.path).certain_digit == 1


def test_a_figure_in_the_manifest_cannot_be_embellished(release: Release) -> None:
    edit_manifest(release, calibration={"temperature": 9})
    with pytest.raises(ReleaseError, match=r"manifest of .* was changed"):
        verify_release(release.path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[]", "no JSON object"),
        (b" " * 2**21, "too large"),
    ],
)
def test_a_garbled_manifest_is_refused(release: Release, content: bytes, message: str) -> None:
    (release.path / "manifest.json").write_bytes(content)
    with pytest.raises(ReleaseError, match=message):
        verify_release(release.path)


def test_what_is_no_directory_is_no_release(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(ReleaseError, match="is no release"):
            verify_release(path)


def test_a_model_swapped_after_verification_is_not_read(release: Release) -> None:
    (release.path / "model.tflite").write_bytes(b"another")
    with pytest.raises(ReleaseError, match="changed since"):
        release.serving_model()


def test_a_failed_training_leaves_no_release(tmp_path: Path) -> None:
    with contextlib.suppress(RuntimeError), unfinished(tmp_path) as draft:
        (draft / "model.tflite").write_bytes(b"half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_training_left_goes_after_a_day(tmp_path: Path) -> None:
    old, young = tmp_path / ".unfinished-old", tmp_path / ".unfinished-young"
    old.mkdir()
    young.mkdir()
    os.utime(old, (time.time() - 90_000,) * 2)
    with unfinished(tmp_path):
        assert young.exists()
        assert not old.exists()


def test_a_draft_that_cannot_be_used_is_not_published(tmp_path: Path) -> None:
    with unfinished(tmp_path) as draft, pytest.raises(ReleaseError):
        publish(draft, tmp_path, {"serving": {"file": "x"}, "calibration": {"temperature": 1}})
    assert list(tmp_path.iterdir()) == []


def test_newest_is_the_last_that_verifies_with_these_inputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    for second, (inputs, model) in enumerate([("a", b"1"), ("a", b"2"), ("a", b"3"), ("b", b"4")]):
        monkeypatch.setattr(
            time, "gmtime", lambda s=second: time.struct_time((2026, 1, 31, 0, 0, s, 5, 31, 0))
        )
        made.append(make_release(tmp_path, inputs, model))
    (made[2].path / "model.tflite").write_bytes(b"damaged")
    (tmp_path / ".unfinished-x").mkdir()
    assert newest(tmp_path, "a") == made[1]
    assert newest(tmp_path, "c") is None
    assert newest(tmp_path / "nowhere", "a") is None


def test_the_committed_release_is_good_and_small() -> None:
    manifest = verify_release(FIXTURE).manifest
    assert manifest["training"]["recipe"]["name"] == "fast"
    assert manifest["training"]["pictures"] == 55_000
    assert manifest["accuracy"]["test"]["accuracy"] >= 0.994
    assert sum(file.stat().st_size for file in FIXTURE.rglob("*")) < 1_500_000
