"""Build what is deployed: this project's wheel and the page's archive. build.py ROOT TO.

The same sources give the same bytes, so what is unchanged is not deployed again. Prints JSON:
`wheel` and `site` are the paths, `changed` tells whether any of them has other bytes than before.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

SOURCE_DATE = 315532800
"""1980-01-01, the earliest date that a zip archive can hold."""
PACKAGES = ("mnist_model", "mnist_api")
PROJECT_FILES = ("pyproject.toml", "README.md", "LICENSE")
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


def main(root: Path, to: Path) -> None:
    """Build both, and replace what has other bytes."""
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        made = Path(directory)
        wheel = build_wheel(root, made)
        site = pack(root / "site", made / "site.tar.gz")
        changed = [replace(file, to / file.name) for file in (wheel, site)]
    paths = {"wheel": str(to / wheel.name), "site": str(to / site.name)}
    print(json.dumps({**paths, "changed": any(changed)}))


def build_wheel(root: Path, made: Path) -> Path:
    """Build the wheel from a copy: an old build directory would bring deleted files back."""
    copy = made / "sources"
    copy.mkdir()
    for name in PACKAGES:
        shutil.copytree(root / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in PROJECT_FILES:
        if (root / name).exists():
            shutil.copy2(root / name, copy)
    for path in copy.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    built = subprocess.run(
        [sys.executable, "-c", BUILD, str(made)],
        cwd=copy,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(SOURCE_DATE), "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        sys.exit(f"The wheel cannot be built:\n{built.stdout}{built.stderr}")
    return next(made.glob("*.whl"))


def pack(directory: Path, archive: Path) -> Path:
    """Pack a directory's files without owners and dates."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(directory.rglob("*")):
            entry = tarfile.TarInfo(str(path.relative_to(directory)))
            entry.mtime = SOURCE_DATE
            if path.is_dir():
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
            else:
                content = path.read_bytes()
                entry.size, entry.mode = len(content), 0o644
                tar.addfile(entry, io.BytesIO(content))
    archive.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
    return archive


def replace(new: Path, old: Path) -> bool:
    """Put the new file in the old one's place if their bytes differ; tell whether they did."""
    if old.exists() and old.read_bytes() == new.read_bytes():
        return False
    partial = old.with_name(old.name + ".partial")
    shutil.copyfile(new, partial)
    partial.replace(old)
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
