"""roles/dev/files/watch_training.py: waits for a line of the log, and never for ever."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "roles/dev/files/watch_training.py"


@pytest.fixture
def systemd(tmp_path: Path) -> Path:
    """Put a `systemctl show` on PATH that answers with the lines of a file."""
    state = tmp_path / "state"
    command = tmp_path / "systemctl"
    command.write_text(f"#!/bin/sh\ncat {state}\n")
    command.chmod(0o755)
    return state


def watch(systemd: Path, log: Path, prefix: str, seconds: float = 30) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, SCRIPT, "train.service", log, prefix, str(seconds)],
        env={**os.environ, "PATH": f"{systemd.parent}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_waits_for_the_line_while_the_training_runs(systemd: Path, tmp_path: Path) -> None:
    systemd.write_text("ActiveState=active\n")
    log = tmp_path / "log"
    with watch(systemd, log, "epoch 2/4 ") as watching:
        log.write_text("epoch 1/4 loss=0.5\nepoch 2/4 lo")
        with pytest.raises(subprocess.TimeoutExpired):
            watching.wait(1.5)
        log.write_text("epoch 1/4 loss=0.5\nepoch 2/4 loss=0.2\n")
        assert watching.communicate(timeout=10)[0] == "epoch 2/4 loss=0.2\n"
    assert watching.returncode == 0


def test_a_training_that_has_ended_still_gives_its_lines(systemd: Path, tmp_path: Path) -> None:
    systemd.write_text("ActiveState=inactive\n")
    log = tmp_path / "log"
    log.write_text("epoch 1/1 loss=0.5\nrelease mnist-cnn-1\n")
    with watch(systemd, log, "release ") as watching:
        assert watching.communicate(timeout=10)[0] == "release mnist-cnn-1\n"
    assert watching.returncode == 0


def test_a_training_that_dies_shows_its_last_lines(systemd: Path, tmp_path: Path) -> None:
    systemd.write_text("ActiveState=failed\n")
    log = tmp_path / "log"
    log.write_text("epoch 1/4 loss=0.5\nMemoryError\n")
    with watch(systemd, log, "epoch 2/4 ") as watching:
        shown = watching.communicate(timeout=10)[0]
    assert watching.returncode == 1
    assert "ended (ActiveState=failed) before 'epoch 2/4'" in shown
    assert shown.endswith("MemoryError\n")


def test_a_training_that_hangs_is_given_up(systemd: Path, tmp_path: Path) -> None:
    systemd.write_text("ActiveState=active\n")
    with watch(systemd, tmp_path / "log", "epoch 1/4 ", seconds=1) as watching:
        assert "has not come so far in 1 seconds" in watching.communicate(timeout=10)[0]
    assert watching.returncode == 1
