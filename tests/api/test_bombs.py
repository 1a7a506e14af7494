"""Uploads that are made to hurt get their documented answer, and no more memory than is allowed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mnist_api import app as api
from mnist_api.demo import RELEASES, newest_release
from mnist_api.reader import Reader
from mnist_api.settings import Settings
from mnist_model.release import verify_release
from tests.api.bombs import MIB, SEVEN, Bomb, bombs, saved
from tests.api.conftest import Api
from tests.api.process import HOUSE

MOST_MEMORY = 20 * MIB


@pytest.fixture(scope="module")
def strict(reader: Reader, settings: Settings) -> Api:
    config = api.configure(settings, reader)
    config.include(api)
    return Api(config.make_wsgi_app())


@pytest.mark.parametrize("bomb", bombs(), ids=lambda bomb: bomb.name)
def test_is_answered_as_documented(strict: Api, bomb: Bomb) -> None:
    answer = strict.predict(bomb.body, bomb.media_type)
    assert answer.status_code == bomb.status
    if bomb.status != 200:
        assert answer.json["detail"].endswith(".")
        assert answer.json.get("limit", {}).get("name") == bomb.limit


@pytest.mark.slow
def test_none_takes_much_memory() -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tests.api.test_bombs"]
    done = subprocess.run(command, cwd=HOUSE, check=True, capture_output=True, text=True)
    taken = json.loads(done.stdout)
    assert len(taken) == len(bombs())
    assert max(taken.values()) < MOST_MEMORY, max(taken, key=taken.get)


def memory(field: str) -> int:
    """Return VmRSS, what this process has, or VmHWM, the most it had, in bytes (proc(5))."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith(field)]
    return int(line.split()[1]) * 1024


def measure(release: Path) -> dict[str, int]:
    """Return how much memory each bomb takes beyond what the process has already."""
    reader = Reader(verify_release(release))
    config = api.configure(Settings(release), reader)
    config.include(api)
    app = Api(config.make_wsgi_app())
    for kind in ("PNG", "JPEG", "WEBP"):
        app.predict(saved(SEVEN, kind), f"image/{kind.lower()}")
    taken = {}
    for bomb in bombs():
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak
        before = memory("VmRSS")
        app.predict(bomb.body, bomb.media_type)
        taken[bomb.name] = memory("VmHWM") - before
    return taken


if __name__ == "__main__":
    print(json.dumps(measure(newest_release(RELEASES[1:]))))
