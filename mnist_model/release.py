"""A release: a directory with everything about one trained model, sealed by its manifest.

    mnist-cnn-20260131-1a2b3c4d/
        manifest.json    format version, SHA-256 of every file, how it was trained, how good it is
        model.keras      the network as trained
        model.tflite     the network as served
        report/*.png     learning curves, confusion matrix, misread digits
        CARD.md          the same for people

The name's last part is the start of the content hash: SHA-256 over the manifest, which holds those
of all files. So a name stands for exactly one content, and nobody can swap a file or a figure.
"""

import hashlib
import json
import math
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnist_model.normalise import NORMALISE_VERSION

FORMAT_VERSION = 2
MANIFEST = "manifest.json"
UNFINISHED = ".unfinished-"
NAME = re.compile(r"mnist-cnn-\d{8}-[0-9a-f]{8}")
LARGEST_MANIFEST = 1 << 20
A_DAY = 24 * 60 * 60


class ReleaseError(Exception):
    """A directory is no release, or not the one it says it is; the text is one clear sentence."""


@dataclass(frozen=True)
class Release:
    """A release whose files have been verified."""

    name: str
    path: Path
    manifest: Mapping[str, Any]

    @property
    def temperature(self) -> float:
        """What to divide the logits by so that the probabilities are calibrated; above 0."""
        return float(self.manifest["calibration"]["temperature"])

    @property
    def certain_digit(self) -> float:
        """Confidence, 0 to 1, from which on the answer for a single digit is called certain."""
        return float(self.manifest["calibration"]["certain_digit"])

    @property
    def certain_line(self) -> float:
        """Confidence, 0 to 1, from which on the answer for a line of digits is called certain."""
        return float(self.manifest["calibration"]["certain_line"])

    def serving_model(self) -> bytes:
        """Read the serving model, verified again: these very bytes are what is loaded."""
        return self._verified(self.manifest["serving"]["file"])

    def first_layer(self) -> bytes | None:
        """Read the model of the first layer alone, verified again, if the release has one."""
        file = self.manifest["serving"].get("first_layer")
        return None if file is None else self._verified(file)

    def line_model(self) -> bytes | None:
        """Read the model that reads pieces of lines, verified again, if the release has one."""
        file = self.manifest["serving"].get("line")
        return None if file is None else self._verified(file)

    @property
    def line_weights(self) -> tuple[float, ...] | None:
        """How much each feature of a piece of a line says, as `lattice.NAMES`; None: not learnt."""
        weights = self.manifest["calibration"].get("line_weights")
        return None if weights is None else tuple(map(float, weights))

    def _verified(self, file: str) -> bytes:
        content: bytes = (self.path / file).read_bytes()
        if hashlib.sha256(content).hexdigest() != self.manifest["files"][file]["sha256"]:
            raise ReleaseError(f"{file} of release {self.name} changed since it was verified")
        return content


def verify_release(path: Path | str) -> Release:
    """Check that a directory is a whole, unchanged release that this program can use.

    Raises: ReleaseError that says what is wrong.
    """
    path = Path(path).resolve()
    manifest = _read_manifest(path)
    if manifest.get("format") != FORMAT_VERSION:
        raise ReleaseError(
            f"{path} has release format {manifest.get('format')!r}, this program reads "
            f"{FORMAT_VERSION}: use the program's version that made it, or train again"
        )
    name = str(manifest.get("name"))
    if not NAME.fullmatch(name) or name[-8:] != _content_hash(manifest):
        raise ReleaseError(f"the manifest of {path} was changed: it does not match its name {name}")
    try:
        _verify_usable(manifest)
        _verify_files(path, name, manifest["files"])
    except (KeyError, TypeError) as error:
        raise ReleaseError(f"the manifest of {path} lacks or garbles {error}") from error
    return Release(name, path, manifest)


def publish(draft: Path, releases: Path, facts: Mapping[str, Any]) -> Release:
    """Seal the files in `draft` with a manifest and move them to RELEASES/NAME in one step.

    draft: a directory from `unfinished(releases)`.
    facts: what the manifest says besides format, name, files, and normalisation.
    Raises: ReleaseError if what was written does not verify.
    """
    manifest: dict[str, Any] = {
        "format": FORMAT_VERSION,
        "normalise": NORMALISE_VERSION,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **facts,
        "files": {
            name: {"sha256": _sha256(file), "bytes": file.stat().st_size}
            for name, file in _files(draft).items()
        },
    }
    manifest["name"] = (
        f"mnist-cnn-{time.strftime('%Y%m%d', time.gmtime())}-{_content_hash(manifest)}"
    )
    (draft / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    verify_release(draft)
    draft.chmod(0o755)
    return verify_release(draft.rename(releases / manifest["name"]))


@contextmanager
def unfinished(releases: Path) -> Iterator[Path]:
    """Give a directory beside the releases to write one into; it goes if it is not published.

    One that a killed program left behind is no release to anybody, and goes after a day.
    """
    releases.mkdir(parents=True, exist_ok=True)
    for left in releases.glob(f"{UNFINISHED}*"):
        if time.time() - left.stat().st_mtime > A_DAY:
            shutil.rmtree(left, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=releases))
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def newest(releases: Path, inputs: str) -> Release | None:
    """Return the newest release that verifies and was trained from these inputs, if any.

    inputs: the hash from `mnist_model.inputs.training_inputs`.
    """
    found = []
    for path in releases.glob("mnist-cnn-*"):
        try:
            release = verify_release(path)
        except ReleaseError:
            continue
        if release.manifest["training"]["inputs"] == inputs:
            found.append(release)
    return max(found, key=lambda release: str(release.manifest["created"]), default=None)


def _read_manifest(path: Path) -> dict[str, Any]:
    file = path / MANIFEST
    try:
        if file.stat().st_size > LARGEST_MANIFEST:
            raise ReleaseError(f"{file} is too large to be a release's manifest")
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReleaseError(f"{path} is no release: {file}: {error.strerror}") from error
    except ValueError as error:
        raise ReleaseError(f"{file} is no JSON: {error}") from error
    if not isinstance(manifest, dict):
        raise ReleaseError(f"{file} holds no JSON object")
    return manifest


def _verify_usable(manifest: Mapping[str, Any]) -> None:
    if manifest["normalise"] != NORMALISE_VERSION:
        raise ReleaseError(
            f"release {manifest['name']} was trained on pictures of normalisation "
            f"{manifest['normalise']}, this program makes those of {NORMALISE_VERSION}: train again"
        )
    if manifest["serving"]["file"] not in manifest["files"]:
        raise ReleaseError(f"release {manifest['name']} has no serving model: train again")
    for other in (manifest["serving"].get("first_layer"), manifest["serving"].get("line")):
        if other is not None and other not in manifest["files"]:
            raise ReleaseError(f"release {manifest['name']} lacks {other}: train again")
    if not 0 < manifest["calibration"]["temperature"] < math.inf:
        raise ReleaseError(f"release {manifest['name']} has no usable temperature: train again")
    for threshold in ("certain_digit", "certain_line"):
        if not 0 <= manifest["calibration"][threshold] <= 1:
            raise ReleaseError(f"release {manifest['name']} has no usable {threshold}: train again")


def _verify_files(path: Path, name: str, expected: Mapping[str, Mapping[str, Any]]) -> None:
    found = _files(path)
    if missing := sorted(expected.keys() - found.keys()):
        raise ReleaseError(f"release {name} in {path} lacks {', '.join(missing)}")
    if extra := sorted(found.keys() - expected.keys()):
        raise ReleaseError(f"release {name} in {path} has files not its own: {', '.join(extra)}")
    for file, facts in expected.items():
        if _sha256(found[file]) != facts["sha256"]:
            raise ReleaseError(
                f"{file} of release {name} in {path} was changed: its SHA-256 is not the manifest's"
            )


def _files(path: Path) -> dict[str, Path]:
    """Every file but the manifest by its name relative to the release; links are refused."""
    found = {}
    for file in sorted(path.rglob("*")):
        if file.is_symlink() or not (file.is_file() or file.is_dir()):
            raise ReleaseError(f"{file} is no ordinary file")
        if file.is_file() and file != path / MANIFEST:
            found[file.relative_to(path).as_posix()] = file
    return found


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _content_hash(manifest: Mapping[str, Any]) -> str:
    """First 8 hex of the SHA-256 over the manifest without its name, as canonical JSON."""
    content = {key: value for key, value in manifest.items() if key != "name"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:8]
