"""The notebook runs from top to bottom, and what is committed of it is from such a run."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[3] / "mnist_model" / "notebooks" / "00-mnist-cnn.ipynb"


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.mark.slow
def test_it_runs(
    notebook: nbformat.NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MNIST_NOTEBOOK_LIMIT", "2000")
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOK.parents[2]))
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    assert len(list((tmp_path / "artifacts" / "releases").glob("mnist-cnn-*"))) == 1
    streams = [
        output["name"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output["output_type"] == "stream"
    ]
    assert set(streams) == {"stdout"}


def test_the_committed_outputs_are_of_a_whole_run(notebook: nbformat.NotebookNode) -> None:
    code = [cell for cell in notebook.cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    told = "".join(output.get("text", "") for cell in code for output in cell["outputs"])
    assert re.search(r"^epoch (\d+)/\1 ", told, re.MULTILINE)
    accuracy = re.search(r"MNIST test: (\d+\.\d+)% of 10,000", told)
    assert accuracy
    assert float(accuracy[1]) >= 99.4
    sure = re.search(r"^7 +(\d+\.\d+)%  █", told, re.MULTILINE)
    assert sure
    assert float(sure[1]) > 90
    shrunk, normalised = (
        float(re.search(rf"^{name}: (\d+\.\d+)% of 1,000", told, re.MULTILINE)[1])
        for name in ("shrunk", "normalised")
    )
    assert normalised > 98 > shrunk


def test_every_figure_is_shown(notebook: nbformat.NotebookNode) -> None:
    drawing = [
        cell
        for cell in notebook.cells
        if cell["cell_type"] == "code" and re.search(r"^(figure$|report\.)", cell["source"], re.M)
    ]
    assert len(drawing) >= 10
    for cell in drawing:
        shown = [output.get("data", {}) for output in cell["outputs"]]
        assert any("image/png" in data for data in shown), cell["source"]


def test_the_committed_notebook_names_no_machine(notebook: nbformat.NotebookNode) -> None:
    assert notebook["metadata"]["kernelspec"]["name"] in {"python3", "mnist"}
    assert not re.search(r"(?<![\w.])/(home|root|tmp|work|usr|opt)/", NOTEBOOK.read_text())
