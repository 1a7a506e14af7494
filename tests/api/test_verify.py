from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mnist_api import verify
from mnist_model.ink import ink_from_image
from tests.api.process import HOUSE, Server, demo


@pytest.fixture(scope="module")
def door(release: Path) -> Iterator[Server]:
    with demo(release) as server:
        yield server


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mnist_api.verify", *arguments]
    return subprocess.run(
        command, cwd=HOUSE, capture_output=True, text=True, timeout=120, check=False
    )


def test_reads_test_digits_through_the_door(door: Server) -> None:
    result = run(f"http://{door.address}/", "--count", "40", "--minimum", "36")
    assert result.returncode == 0, result.stdout + result.stderr
    first, *misread = result.stdout.splitlines()
    read = int(first.split()[1])
    assert first.startswith(f"read {read} of 40, release mnist-cnn-")
    assert len(misread) == 40 - read


def test_below_the_minimum_is_a_failure(
    door: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verify, "draw", lambda *_: verify.Image.new("L", (280, 280), 255))
    url = f"http://{door.address}"
    monkeypatch.setattr("sys.argv", ["verify", url, "--count", "3", "--minimum", "1"])
    assert verify.main() == 1
    printed = capsys.readouterr()
    assert printed.out.startswith("read 0 of 3")
    assert printed.out.count("status 422") == 3
    assert printed.err == "verify: 1 had to be read.\n"


def test_a_closed_door_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    result = run(f"http://127.0.0.1:{port}/")
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"verify: Nobody answers at http://127.0.0.1:{port}/: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("path", ["nowhere", "../.."])
def test_another_door_is_named(door: Server, path: str) -> None:
    result = run(f"http://{door.address}/{path}")
    assert result.returncode == 2
    assert "status 404 Not Found" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [("host",), ("ftp://host/",), ("http://h/", "--count", "9"), ("http://h/", "--count", "0")],
)
def test_wrong_arguments_are_refused(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).returncode == 2


def test_drawings_vary_in_place_size_and_paper_and_the_seed_repeats_them() -> None:
    digit = np.zeros((28, 28), np.uint8)
    digit[4:24, 10:18] = 255
    sheets = [verify.draw(digit, np.random.default_rng(seed)) for seed in range(20)]
    again = [verify.draw(digit, np.random.default_rng(seed)) for seed in range(20)]
    assert [sheet.tobytes() for sheet in sheets] == [sheet.tobytes() for sheet in again]
    assert {sheet.mode for sheet in sheets} == {"RGB", "RGBA"}
    boxes = {sheet.convert("RGBA").getbbox() for sheet in sheets}
    areas = [np.count_nonzero(ink_from_image(sheet) > 127) for sheet in sheets]
    assert len(boxes) > 8
    assert max(areas) > 3 * min(areas) > 0
