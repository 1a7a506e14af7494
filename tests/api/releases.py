"""Releases to swap: copies of the fixture under other names."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from mnist_model import release as format_


def another(release: Path, directory: Path, created: str) -> Path:
    """Copy a release into a directory as one of another moment, and therefore of another name."""
    manifest = json.loads((release / format_.MANIFEST).read_text(encoding="utf-8"))
    manifest["created"] = created
    manifest["name"] = f"{release.name[:-8]}{format_._content_hash(manifest)}"
    copy = directory / manifest["name"]
    shutil.copytree(release, copy)
    (copy / format_.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    assert format_.verify_release(copy).name != release.name
    return copy


def damage(release: Path) -> Path:
    """Change a byte of a release's model; return the file."""
    model = next(release.glob("model.tflite"))
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    return model


def point(link: Path, target: Path) -> None:
    """Let a link point at a release, in one step, as a deploy does."""
    fresh = link.with_name(link.name + ".new")
    fresh.symlink_to(target)
    fresh.replace(link)
