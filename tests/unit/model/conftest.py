"""MNIST, the committed release, and one as any but of a few bytes, whose network is never run."""

from pathlib import Path

import pytest

from mnist_model import data
from mnist_model.release import Release, publish, unfinished

FIXTURE = next((Path(__file__).parents[2] / "fixtures" / "release").glob("mnist-cnn-*"))


def make_release(
    releases: Path, inputs: str = "some inputs", model: bytes = b"network", **serving: str
) -> Release:
    with unfinished(releases) as draft:
        (draft / "model.tflite").write_bytes(model)
        (draft / "report").mkdir()
        (draft / "report" / "curves.png").write_bytes(b"curves")
        facts = {
            "serving": {"file": "model.tflite", **serving},
            "calibration": {"temperature": 1.25, "certain_digit": 0.9, "certain_line": 0.8},
            "training": {"inputs": inputs},
        }
        return publish(draft, releases, facts)


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return make_release(tmp_path / "releases")


@pytest.fixture(scope="session")
def mnist() -> data.Mnist:
    return data.load()
