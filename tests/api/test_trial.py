"""What a release must show before it is put into service."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_api import trial
from mnist_api.trial import CANNED, Found, drawings, objection
from tests.api.process import worker
from tests.api.releases import worse
from tests.fixtures.drawings.canned import named

DRAWINGS = 51


def found(read: int, milliseconds: float = 5) -> Found:
    misread = {f"{index}.png": "0" for index in range(DRAWINGS - read)}
    return Found("mnist-cnn-20260101-00000000", DRAWINGS, misread, milliseconds)


def test_the_drawings_are_those_of_the_strokes() -> None:
    expected = named()
    assert {one.name for one in drawings()} == set(expected)
    for name, image in expected.items():
        with Image.open(CANNED / name) as shipped:
            # They are shipped in eight greys.
            apart = np.asarray(shipped.convert("L"), int) - np.asarray(image, int)
        assert np.abs(apart).mean() < 4, name


def test_all_digits_and_some_lines_are_among_them() -> None:
    texts = [one.text for one in drawings()]
    assert {text for text in texts if len(text) == 1} == set("0123456789")
    assert sum(len(text) == 5 for text in texts) == 10


@pytest.mark.parametrize(
    ("new", "old", "why"),
    [
        (found(49), found(49), ""),
        (found(50), found(49), ""),
        (found(3), None, ""),
        (found(48), found(49), "it reads 48 of the 51 canned drawings, and mnist-cnn-"),
        (found(49, 300), found(49), "it takes 300 ms for a digit"),
    ],
)
def test_worse_or_too_slow_is_refused(new: Found, old: Found | None, why: str) -> None:
    said = objection(new, old, most_milliseconds=250)
    assert said.startswith(why)
    assert bool(said) == bool(why)


def test_a_worker_is_tried_against_itself(
    release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with worker(release) as server:
        url = f"http://{server.address}"
        assert trial.main([url, "--serving", url, "--most-milliseconds", "5000"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert trial.main([url, "--most-milliseconds", "0.01"]) == trial.EX_REFUSED
    assert told["of"] == DRAWINGS
    assert told["read"] == DRAWINGS - len(told["misread"]) >= 46
    assert told["release"] == told["serving"]["release"] == release.name
    assert told["read"] == told["serving"]["read"]
    assert "is the limit" in capsys.readouterr().err


def test_one_that_forgot_much_starts_and_is_refused(
    release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forgot = worse(release, tmp_path, "2026-03-01T00:00:00Z")
    with worker(release) as serving, worker(forgot) as new:
        urls = [f"http://{new.address}", "--serving", f"http://{serving.address}"]
        code = trial.main([*urls, "--most-milliseconds", "5000"])
    assert code == trial.EX_REFUSED
    assert f"canned drawings, and {release.name}, which is in service, reads" in (
        capsys.readouterr().err
    )


def test_nobody_there_is_told_from_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert trial.main([f"http://127.0.0.1:{port}"]) == trial.EX_CANNOT_ASK
    assert "nobody reads drawings" in capsys.readouterr().err
