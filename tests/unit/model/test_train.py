"""Training, for real but on few pictures: its output, its release, its faults."""

import importlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_model.__main__ import main
from mnist_model.classify import Classifier, ServingModel
from mnist_model.data import SHA256, Mnist
from mnist_model.feedback import load_feedback
from mnist_model.inputs import training_inputs
from mnist_model.metrics import accuracy, digits
from mnist_model.recipes import RECIPES, Plan
from mnist_model.release import Release, newest, verify_release
from mnist_model.resume import kept

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning"),
]
# TensorFlow's import takes seconds: none when these tests are deselected.
lazily = importlib.import_module

QUICK = Plan(replace(RECIPES["fast"], epochs=2), seed=7, limit=2000)
COMMAND = [sys.executable, "-m", "mnist_model", "train", "--recipe", "fast", "--seed", "7"]
COMMAND += ["--limit", "2000", "--epochs", "2", "--releases"]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    releases = tmp_path_factory.mktemp("releases")
    run = subprocess.run([*COMMAND, str(releases)], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    return run.stdout.splitlines(), releases


@pytest.fixture(scope="module")
def trained(output: tuple[list[str], Path]) -> Release:
    lines, releases = output
    return verify_release(releases / lines[-1].removeprefix("release "))


def test_each_epoch_is_a_line_and_the_last_names_the_release(
    output: tuple[list[str], Path], trained: Release
) -> None:
    lines, releases = output
    number = r"\d+\.\d+"
    epoch = (
        rf"epoch (\d)/2 loss={number} accuracy={number} "
        rf"validation_loss={number} validation_accuracy={number} seconds={number}"
    )
    told = [match[1] for line in lines if (match := re.fullmatch(epoch, line))]
    assert told == ["1", "2"]
    assert lines[-1] == f"release {trained.name}"
    assert [path.name for path in releases.iterdir()] == [trained.name]


def test_the_manifest_tells_the_truth(trained: Release, mnist: Mnist) -> None:
    manifest = trained.manifest
    training = manifest["training"]
    read = digits(Classifier(trained).probabilities(mnist.test_pictures))
    assert manifest["accuracy"]["test"] == accuracy(mnist.test_labels, read)
    assert 0.3 < manifest["accuracy"]["test"]["accuracy"] < 0.97  # 2,000 pictures are few
    assert manifest["accuracy"]["validation"]["count"] == 166
    assert manifest["network"]["parameters"] == 77_018
    assert training["seed"] == 7
    assert training["recipe"]["epochs"] == 2
    assert training["pictures"] == 1834
    assert training["data"] == SHA256
    assert training["inputs"] == training_inputs(QUICK)
    assert training["seconds"] > 0
    assert {"python", "keras", "numpy", "ai-edge-litert"} < set(training["libraries"])


def test_it_is_current_for_its_own_inputs_only(trained: Release) -> None:
    assert newest(trained.path.parent, training_inputs(QUICK)) == trained
    assert newest(trained.path.parent, training_inputs(Plan(RECIPES["fast"], seed=7))) is None


def test_the_report_and_the_card(trained: Release) -> None:
    for name in ("learning-curves", "confusion", "misread"):
        with Image.open(trained.path / "report" / f"{name}.png") as picture:
            assert picture.width > 300
            assert len(picture.convert("L").getcolors() or []) > 10
    card = (trained.path / "CARD.md").read_text()
    assert f"{trained.manifest['accuracy']['test']['accuracy']:.2%} of 10,000" in card
    assert "seed 7" in card


def test_the_saved_network_is_the_served_one(trained: Release, mnist: Mnist) -> None:
    keras = lazily("mnist_model.tensorflow_quiet").keras
    network = keras.models.load_model(trained.path / "model.keras")
    assert getattr(network, "optimizer", None) is None
    pictures = mnist.test_pictures[:500]
    kept = network.predict(pictures[..., np.newaxis].astype(np.float32), verbose=0)
    served = Classifier(trained).probabilities(pictures)
    assert (kept.argmax(axis=1) == served.argmax(axis=1)).mean() > 0.99


def test_the_same_plan_gives_the_same_network(
    trained: Release, mnist: Mnist, tmp_path: Path
) -> None:
    train = lazily("mnist_model.train").train
    again = train(mnist, QUICK, tmp_path, say=lambda _: None)
    other = train(mnist, replace(QUICK, seed=8), tmp_path, say=lambda _: None)
    pictures = mnist.test_pictures[:500]
    logits = [ServingModel(r.serving_model()).logits(pictures) for r in (trained, again, other)]
    # Not the files: the converter lays out the same network in more than one way.
    np.testing.assert_array_equal(logits[1], logits[0])
    assert not np.array_equal(logits[2], logits[0])


def test_a_training_that_diverges_says_so(mnist: Mnist, tmp_path: Path) -> None:
    module = lazily("mnist_model.train")
    wild = replace(QUICK, recipe=replace(QUICK.recipe, peak_rate=1e38))
    with pytest.raises(
        module.TrainingError, match=r"diverged in epoch 1.*lower the recipe's peak_rate"
    ):
        module.train(mnist, wild, tmp_path, say=lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_a_serving_model_that_reads_otherwise_is_not_released(
    mnist: Mnist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export, train = lazily("mnist_model.export"), lazily("mnist_model.train").train

    class Broken(ServingModel):
        def logits(self, pictures: np.ndarray) -> np.ndarray:
            return -super().logits(pictures)

    monkeypatch.setattr(export, "ServingModel", Broken)
    with pytest.raises(export.ExportError, match="not released"):
        train(mnist, QUICK, tmp_path, say=lambda _: None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("limit", ["10", "60001"])
def test_a_limit_out_of_range_is_told(
    tmp_path: Path, limit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--limit", limit, "--releases", str(tmp_path)]) == 1
    expected = "no release was written: the limit is 500 to 60000 pictures\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize(
    ("how", "status"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)]
)
def test_a_stopped_training_leaves_no_release_and_goes_on(
    tmp_path: Path, how: int, status: int
) -> None:
    command = [*COMMAND, str(tmp_path), "--epochs", "500"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as training:
        assert training.stdout
        assert training.stderr
        assert any(line.startswith("epoch 2/500 ") for line in training.stdout)
        training.send_signal(how)
        assert training.wait(60) == status
        assert training.stderr.read() == ("interrupted\n" if how == signal.SIGINT else "")
    assert not list(tmp_path.glob("mnist-cnn-*"))
    with subprocess.Popen(command, stdout=pipe, text=True) as again:
        assert again.stdout
        told = [next(again.stdout) for _ in range(4)]
        again.kill()
    assert told[1].startswith("epoch 1/500 ")
    assert told[3] == "a training that was stopped goes on after epoch 2\n"


def test_two_at_once_in_one_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with kept(tmp_path, "another training"):
        assert main([*COMMAND[3:], str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert re.fullmatch(r"no release was written: another training writes .*--releases\n", error)


def test_two_workers_train_one_network_that_reads_as_well_as_one_workers(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        workers = [f"127.0.0.1:{free.getsockname()[1]}" for free in (one, two)]
    # With a limit what comes after the training is short, too.
    command = [*COMMAND[:-5], "--limit", "12000", "--releases", str(tmp_path)]
    running = []
    for index in range(2):
        task = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        running.append(
            subprocess.Popen(
                command,
                env={**os.environ, "TF_CONFIG": json.dumps(task)},
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    first, second = (worker.communicate()[0].splitlines() for worker in running)
    assert [worker.returncode for worker in running] == [0, 0]

    def learnt(lines: list[str]) -> list[str]:
        """Give what all share: each validates with the batch statistics of its own share."""
        return [line.split(" validation")[0] for line in lines if line.startswith("epoch ")]

    assert len(learnt(first)) == RECIPES["fast"].epochs
    assert learnt(first) == learnt(second)
    assert second[-1] == "this worker is done; the first one writes the release"
    release = verify_release(tmp_path / first[-1].removeprefix("release "))
    assert release.manifest["training"]["pictures"] == 11_000
    assert release.manifest["accuracy"]["test"]["accuracy"] >= 0.97


def test_reviewed_drawings_are_learnt(
    mnist: Mnist, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawings = tmp_path / "drawings"
    drawings.mkdir()
    # Ones and sevens with each other's label: wrong, so that only these drawings can teach it.
    rows = ["file,label,reviewed"]
    ones, sevens = (mnist.train_pictures[mnist.train_labels == digit][:60] for digit in (1, 7))
    for number, picture in enumerate([*ones, *sevens]):
        Image.fromarray(picture).save(drawings / f"{number}.png")
        rows.append(f"{number}.png,{7 if number < 60 else 1},yes")
    (drawings / "labels.csv").write_text("\n".join(rows))
    feedback = load_feedback(drawings)
    releases, choice = tmp_path / "releases", ["--feedback", str(drawings)]
    assert main([*COMMAND[3:], str(releases), *choice]) == 0
    trained = verify_release(releases / capsys.readouterr().out.split()[-1])
    assert trained.manifest["training"]["feedback"] == feedback.sha256
    read = digits(Classifier(trained).probabilities(feedback.pictures))
    assert (read == feedback.labels).mean() > 0.5
