"""A training's inputs change with what changes the model, and only then."""

from dataclasses import replace
from pathlib import Path

import pytest

from mnist_model import inputs
from mnist_model.inputs import training_inputs
from mnist_model.recipes import RECIPES, Plan

PLAN = Plan(RECIPES["fast"])


def test_the_same_plan_has_the_same_inputs() -> None:
    assert training_inputs(PLAN) == training_inputs(Plan(RECIPES["fast"], seed=1))


@pytest.mark.parametrize(
    "other",
    [
        Plan(RECIPES["best"]),
        Plan(RECIPES["fast"], seed=2),
        Plan(RECIPES["fast"], limit=2000),
        Plan(replace(RECIPES["fast"], epochs=1)),
    ],
)
def test_another_plan_has_others(other: Plan) -> None:
    assert training_inputs(other) != training_inputs(PLAN)


def test_changed_training_source_has_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = training_inputs(PLAN)
    for name in inputs.SOURCES:
        (tmp_path / name).write_bytes((Path(inputs.__file__).parent / name).read_bytes())
    monkeypatch.setattr(inputs, "__file__", str(tmp_path / "inputs.py"))
    assert training_inputs(PLAN) == before
    (tmp_path / "network.py").write_text("wider = True")
    assert training_inputs(PLAN) != before


@pytest.mark.parametrize("changed", ["NORMALISE_VERSION", "FORMAT_VERSION", "SHA256"])
def test_changed_data_or_formats_have_others(monkeypatch: pytest.MonkeyPatch, changed: str) -> None:
    before = training_inputs(PLAN)
    monkeypatch.setattr(inputs, changed, {"another": "hash"} if changed == "SHA256" else 99)
    assert training_inputs(PLAN) != before
