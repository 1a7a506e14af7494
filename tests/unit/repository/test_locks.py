"""tools/check_locks.py: the repository's locks pass, and each way to spoil one is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.check_locks import FOLDERS, ROOT, check

HASH = "--hash=sha256:" + "0" * 64
GOOD = f"""# by uv
pillow==12.1 \
    {HASH}
numpy==2.2.6 ; python_version < '3.12' \
    {HASH}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "runtime.in").write_text("# what is needed\npillow>=12\n")
    (tmp_path / "api.in").write_text("-r runtime.in\nNumPy>=2.2  # arrays\n")
    (tmp_path / "runtime.txt").write_text(f"pillow==12.1 \\\n    {HASH}\n")
    (tmp_path / "api.txt").write_text(GOOD)
    return tmp_path


@pytest.mark.parametrize("name", FOLDERS)
def test_the_repositorys_locks_pass(name: str) -> None:
    assert check(ROOT / name) == []


def test_a_good_folder_passes(folder: Path) -> None:
    assert check(folder) == []


@pytest.mark.parametrize(
    ("lock", "fault"),
    [
        (GOOD.replace("pillow==12.1", "pillow==11.9"), "wants pillow>=12, it has 11.9"),
        (GOOD.replace("numpy==2.2.6", "numpyish==2.2.6"), "wants NumPy>=2.2, it has nothing"),
        (GOOD.replace(HASH, "", 1), "pillow has no hash"),
        (GOOD.replace(HASH, "--hash=md5:00", 1), "pillow has no hash"),
        (GOOD.replace("pillow==12.1", "pillow>=12.1"), "pillow is not pinned"),
        (GOOD.replace("pillow==12.1", "pillow==12.2"), "disagree about pillow"),
        ("--index-url https://packages.example.org/simple\n" + GOOD, "an address"),
        ("--extra-index-url=https://packages.example.org\n" + GOOD, "an address"),
        ("-f somewhere\n" + GOOD, "an address"),
        ("pillow @ https://packages.example.org/pillow.whl\n" + GOOD, "an address"),
    ],
)
def test_a_spoilt_lock_is_found(folder: Path, lock: str, fault: str) -> None:
    (folder / "api.txt").write_text(lock)
    assert fault in "\n".join(check(folder))


def test_a_lock_that_is_missing_is_found(folder: Path) -> None:
    (folder / "api.txt").unlink()
    assert check(folder) == ["api.in has no api.txt"]
