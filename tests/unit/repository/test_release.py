"""`make release`: a version is moved, committed and tagged, or nothing is touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tools.release import CannotReleaseError, git, release

ROOT = Path(__file__).resolve().parents[3]
FILES = ("pyproject.toml", "CHANGELOG.md")
CHANGELOG = """# Changelog

## [Unreleased]

### Added
- A thing.

## [0.1.0] - 2026-01-01

### Added
- The first thing.
"""
RELEASED = """# Changelog

## [Unreleased]

## [0.2.0] - 2026-11-25

### Added
- A thing.

## [0.1.0] - 2026-01-01

### Added
- The first thing.
"""


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(variable)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A maintainer")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "maintainer@example.org")
    root = tmp_path / "clone"
    (root / "tools").mkdir(parents=True)
    for name in ("__init__.py", "release.py"):
        shutil.copy(ROOT / "tools" / name, root / "tools")
    (root / ".gitignore").write_text("__pycache__/\n")
    (root / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "0.1.0"\n')
    (root / "CHANGELOG.md").write_text(CHANGELOG)
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message", "A thing")
    return root


def test_a_release_is_committed_and_tagged(clone: Path) -> None:
    assert release(clone, "0.2.0", "2026-11-25") == "v0.2.0"
    assert (clone / "CHANGELOG.md").read_text() == RELEASED
    assert tomllib.loads((clone / "pyproject.toml").read_text())["project"]["version"] == "0.2.0"
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "log", "--format=%s") == "Release 0.2.0\nA thing"
    assert git(clone, "rev-parse", "v0.2.0^{commit}") == git(clone, "rev-parse", "HEAD")
    assert git(clone, "cat-file", "-t", "v0.2.0") == "tag"


def test_the_first_release_has_no_older_section(clone: Path) -> None:
    (clone / "CHANGELOG.md").write_text(CHANGELOG.split("## [0.1.0]", maxsplit=1)[0])
    git(clone, "commit", "--quiet", "--all", "--message", "Young")
    release(clone, "1.0.0", "2026-11-25")
    assert (
        (clone / "CHANGELOG.md")
        .read_text()
        .endswith("## [1.0.0] - 2026-11-25\n\n### Added\n- A thing.\n")
    )


@pytest.mark.parametrize(
    ("version", "spoil", "reason"),
    [
        ("0.2", "", "is no version"),
        ("v0.2.0", "", "is no version"),
        ("0.1.0", "", "is not newer than"),
        ("0.0.9", "", "is not newer than"),
        ("0.2.0", "echo new > README.md", "not committed"),
        ("0.2.0", "echo '- more' >> CHANGELOG.md", "not committed"),
        ("0.2.0", "git tag v0.2.0", "is there already"),
        ("0.2.0", "sed -i '/A thing/d' CHANGELOG.md && git commit -qam x", "nothing to release"),
        ("0.2.0", "sed -i '/^version/d' pyproject.toml && git commit -qam x", "needs one line"),
    ],
)
def test_what_stands_against_it_is_said_and_nothing_is_touched(
    clone: Path, version: str, spoil: str, reason: str
) -> None:
    subprocess.run(["bash", "-c", spoil], cwd=clone, check=True)
    before = [(clone / name).read_text() for name in FILES]
    head = git(clone, "rev-parse", "HEAD")
    with pytest.raises(CannotReleaseError, match=reason):
        release(clone, version, "2026-11-25")
    assert [(clone / name).read_text() for name in FILES] == before
    assert git(clone, "rev-parse", "HEAD") == head


def test_the_command_says_what_to_push_and_pushes_nothing(clone: Path) -> None:
    command = [sys.executable, "-m", "tools.release"]
    done = subprocess.run(
        [*command, "0.2.0"], cwd=clone, capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("git push origin HEAD v0.2.0\n")
    again = subprocess.run([*command, ""], cwd=clone, capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert again.stderr == "release: Which version? make release VERSION=MAJOR.MINOR.PATCH\n"
