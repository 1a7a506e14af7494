"""Releases to swap: copies of the fixture under other names."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

from mnist_model import release as format_


def another(
    release: Path, directory: Path, created: str, files: dict[str, bytes] | None = None
) -> Path:
    """Copy a release into a directory as one of another moment, and therefore of another name.

    files: those that have another content in the copy.
    """
    manifest = json.loads((release / format_.MANIFEST).read_text(encoding="utf-8"))
    manifest["created"] = created
    for name, content in (files or {}).items():
        manifest["files"][name]["sha256"] = hashlib.sha256(content).hexdigest()
    manifest["name"] = f"{release.name[:-8]}{format_._content_hash(manifest)}"
    copy = directory / manifest["name"]
    shutil.copytree(release, copy)
    for name, content in (files or {}).items():
        (copy / name).write_bytes(content)
    (copy / format_.MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    assert format_.verify_release(copy).name != release.name
    return copy


def worse(release: Path, directory: Path, created: str) -> Path:
    """Copy a release as one that verifies and starts, and has forgotten much of what it learnt."""
    content = bytearray((release / "model.tflite").read_bytes())
    model = schema.Model.GetRootAsModel(content, 0)
    buffers = [model.Buffers(index) for index in range(model.BuffersLength())]
    weights = max(buffers, key=lambda buffer: int(buffer.DataLength()))
    weights.DataAsNumpy()[:] = 0
    return another(release, directory, created, {"model.tflite": bytes(content)})


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
