"""The commands that playbooks and people call: their output, exit status and errors."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from mnist_model import data
from mnist_model.__main__ import main
from mnist_model.inputs import training_inputs
from mnist_model.recipes import RECIPES, Plan
from mnist_model.release import Release, publish, unfinished
from tests.unit.model.conftest import FIXTURE, make_release


def test_data_prints_the_directory_only(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["data", "--to", str(tmp_path / "here")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'here'}\n"
    assert {file.name for file in (tmp_path / "here").iterdir()} == {
        f"{name}.gz" for name in data.SHA256
    }


def test_data_that_cannot_be_had_is_one_message(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "MIRRORS", ())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", "")
    assert main(["train", "--data", str(tmp_path), "--releases", str(tmp_path / "r")]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "npm is not installed" in captured.err
    assert "Put the four files" in captured.err
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("name", ["fast", "best"])
def test_recipe(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["recipe", name, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == json.loads(json.dumps(asdict(RECIPES[name])))
    assert main(["recipe", name]) == 0
    assert f"epochs       {RECIPES[name].epochs}\n" in capsys.readouterr().out


def test_verify(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["release", "verify", str(FIXTURE)]) == 0
    assert capsys.readouterr().out == f"release {FIXTURE.name} is whole and unchanged\n"


def test_verify_says_in_one_line_what_is_wrong(
    capsys: pytest.CaptureFixture[str], release: Release
) -> None:
    (release.path / "model.tflite").unlink()
    assert main(["release", "verify", str(release.path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"release {release.name} in {release.path} lacks model.tflite\n"


def test_current(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    command = ["release", "current", "--recipe", "fast", "--seed", "5", "--releases", str(tmp_path)]
    make_release(tmp_path, inputs="others")
    assert main(command) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no release of recipe fast with seed 5" in captured.err
    release = make_release(tmp_path, training_inputs(Plan(RECIPES["fast"], seed=5)))
    assert main(command) == 0
    assert capsys.readouterr().out == f"{release.name}\n"


@pytest.mark.slow
def test_evaluate_finds_the_manifests_figure(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = [tmp_path / "figures.json", tmp_path / "figures.md"]
    arguments = ["--quick", "--json", str(files[0]), "--markdown", str(files[1])]
    assert main(["evaluate", str(FIXTURE), *arguments]) == 0
    captured = capsys.readouterr()
    sealed = json.loads((FIXTURE / "manifest.json").read_text())["accuracy"]["test"]
    written = json.loads(files[0].read_text())
    assert written["release"] == FIXTURE.name
    assert {key: written["evaluation"]["test"][key] for key in sealed} == sealed
    assert captured.out.startswith(f"release {FIXTURE.name}\n")
    assert f"{sealed['accuracy']:.2%}" in captured.out
    assert files[1].read_text().splitlines()[2:] == captured.out.splitlines()[2:]
    assert "evaluating: MNIST test: 10,000 digits\n" in captured.err


@pytest.mark.parametrize(("found", "told"), [(1, "are the same as those"), (2, "differ (")])
def test_evaluate_compares_with_what_is_sealed(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    found: int,
    told: str,
) -> None:
    sealed = json.loads((FIXTURE / "manifest.json").read_text())
    with unfinished(tmp_path) as draft:
        (draft / "model.tflite").write_bytes((FIXTURE / "model.tflite").read_bytes())
        facts = {
            "serving": {"file": "model.tflite"},
            "calibration": sealed["calibration"],
            "evaluation": {"effort": "full", "figure": 1},
        }
        release = publish(draft, tmp_path, facts)
    results = {"effort": "full", "figure": found}
    evaluation = SimpleNamespace(results=results)
    monkeypatch.setattr("mnist_model.__main__.examine", lambda *_, **__: evaluation)
    monkeypatch.setattr("mnist_model.__main__.table", lambda _: "the table\n")
    assert main(["evaluate", str(release.path)]) == 0
    told_at_the_end = capsys.readouterr().out.splitlines()
    assert "the table" in told_at_the_end
    assert told_at_the_end[-1].startswith(f"These figures {told}")
    assert told_at_the_end[-1].endswith(" sealed in the release.")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing-here"], "is no release"),
        ([str(FIXTURE), "--json", "no/such/place.json"], "no/such is no directory"),
        ([str(FIXTURE), "--markdown", str(FIXTURE)], "name a file"),
        ([str(FIXTURE), "--data", "no-data-here"], "cannot be had"),
    ],
)
def test_what_cannot_be_evaluated_is_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.setattr(data, "MIRRORS", ())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    assert main(["evaluate", *arguments]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert told in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["train", "--recipe", "slow"],
        ["train", "--seed", "x"],
        ["train", "--seed", "-1"],
        ["train", "--epochs", "0"],
    ],
)
def test_wrong_arguments_are_told(capsys: pytest.CaptureFixture[str], wrong: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(wrong)
    assert "usage: python -m mnist_model" in capsys.readouterr().err


def test_the_module_runs() -> None:
    command = [sys.executable, "-m", "mnist_model", "release", "verify", str(FIXTURE)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout == f"release {FIXTURE.name} is whole and unchanged\n"
    assert run.stderr == ""
