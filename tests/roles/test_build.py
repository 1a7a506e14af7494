"""playbooks/files/build.py: what is deployed has the same bytes as long as its sources have."""

import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name in ("mnist_model", "mnist_api", "site"):
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").write_text("")
    (root / "mnist_model" / "old.py").write_text("")
    (root / "site" / "parts").mkdir()
    (root / "site" / "parts" / "draw.js").write_text("draw()")
    shutil.copy(ROOT / "pyproject.toml", root)
    (root / "README.md").write_text("A digit.")
    return root


def build(project: Path) -> dict:
    command = [sys.executable, ROOT / "playbooks/files/build.py", project, project / "made"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_the_same_sources_give_the_same_bytes(project: Path) -> None:
    assert build(project)["changed"]
    before = {path.name: path.read_bytes() for path in (project / "made").iterdir()}
    # A fresh clone: other dates, other permissions.
    for path in project.rglob("*.py"):
        path.touch()
        path.chmod(0o600)
    (project / "site" / "parts" / "draw.js").touch()
    assert not build(project)["changed"]
    shutil.rmtree(project / "made")
    build(project)
    assert {path.name: path.read_bytes() for path in (project / "made").iterdir()} == before


def test_a_change_of_either_is_seen(project: Path) -> None:
    build(project)
    (project / "mnist_api" / "__init__.py").write_text("VERSION = 2")
    assert build(project)["changed"]
    (project / "site" / "parts" / "draw.js").write_text("erase()")
    assert build(project)["changed"]


def test_what_was_deleted_is_not_in_the_wheel(project: Path) -> None:
    build(project)
    (project / "mnist_model" / "old.py").unlink()
    names = zipfile.ZipFile(build(project)["wheel"]).namelist()
    assert "mnist_model/__init__.py" in names
    assert "mnist_model/old.py" not in names


def test_the_page_is_packed_whole_and_without_an_owner(project: Path) -> None:
    with tarfile.open(build(project)["site"]) as site:
        entries = {entry.name: entry for entry in site}
    assert set(entries) == {"__init__.py", "parts", "parts/draw.js"}
    assert {(entry.uid, entry.gid, entry.mtime) for entry in entries.values()} == {
        (0, 0, 315532800)
    }


def test_sources_that_cannot_be_built_say_so(project: Path) -> None:
    (project / "pyproject.toml").write_text("[project]\nname = 7\n")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        build(project)
    assert "The wheel cannot be built" in failed.value.stderr
