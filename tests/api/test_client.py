"""The client, against the demo as a person would use it, and against services that fail."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from PIL import Image

from mnist_api.client import Client, ClientError, RefusedError, UnreachableError
from tests.api.process import HOUSE, Server, demo
from tests.browser.drawing import DIGITS, encoded, picture

SEVEN = encoded(picture(DIGITS[7]))
Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture(scope="module")
def door(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with demo(release, FEEDBACK=tmp_path_factory.mktemp("feedback")) as server:
        yield server


@pytest.fixture(scope="module")
def url(door: Server) -> str:
    return f"http://{door.address}/api"


@pytest.fixture
def drawings(tmp_path: Path) -> Path:
    for digit in (3, 7):
        (tmp_path / f"{digit}.png").write_bytes(encoded(picture(DIGITS[digit])))
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "8.jpeg").write_bytes(encoded(picture(DIGITS[8]), "JPEG"))
    (tmp_path / "notes.txt").write_text("no picture", encoding="utf-8")
    return tmp_path


@contextmanager
def service(*answers: Answer) -> Iterator[tuple[str, list[str]]]:
    """Give one answer after another; what was asked comes in the list."""
    left, asked = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, body = left.pop(0)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


GOOD = json.dumps(
    {
        "digit": 7,
        "confidence": 0.9,
        "probabilities": [0.01] * 10,
        "certain": True,
        "alternatives": [{"digit": 1, "confidence": 0.05}],
        "release": "mnist-cnn-20260131-1a2b3c4d",
        "milliseconds": 1.5,
    }
).encode()
BUSY: Answer = (503, {"Retry-After": "2"}, b'{"detail": "There is more to do than can be done."}')


def test_reads_a_digit(url: str) -> None:
    read = Client(url).predict(SEVEN, include=["normalised", "saliency"])
    assert (read.digit, read.text, read.certain) == (7, "7", True)
    assert read.confidence == read.probabilities[7]
    for file in (read.normalised, read.saliency):
        assert file is not None
        assert Image.open(io.BytesIO(file)).size == (28, 28)


def test_reads_a_line_with_boxes(url: str, tmp_path: Path) -> None:
    sheet = Image.new("L", (560, 280), 255)
    sheet.paste(picture(DIGITS[7]), (0, 0))
    sheet.paste(picture(DIGITS[4]), (280, 0))
    file = tmp_path / "line.webp"
    sheet.save(file, lossless=True)
    read = Client(url).read(file, length=2)
    assert read.text == "74"
    assert read.digits[0].box.right <= 280 <= read.digits[1].box.left


def test_gives_feedback_and_takes_it_back(url: str) -> None:
    asked = Client(url)
    receipt = asked.give_feedback(SEVEN, asked.predict(SEVEN), "1")
    asked.undo_feedback(receipt)
    with pytest.raises(RefusedError, match="cannot be taken back") as caught:
        asked.undo_feedback(receipt)
    assert caught.value.status == 404
    assert asked.version()["feedback"] is True


def test_says_why_a_picture_is_refused(url: str) -> None:
    with pytest.raises(RefusedError, match="Nothing is drawn") as caught:
        Client(url).predict(encoded(Image.new("L", (100, 100), 255)))
    assert (caught.value.status, caught.value.reason) == (422, "blank")
    with pytest.raises(RefusedError) as caught:
        Client(url).predict(b"GIF89a")
    assert caught.value.limit is not None
    assert "image/png" in caught.value.limit["allowed"]
    with pytest.raises(ClientError, match="cannot be read"):
        Client(url).predict(Path("/no/such/picture.png"))


def test_tries_again_when_it_is_told_to() -> None:
    waited: list[float] = []
    late = (429, {"Retry-After": "3"}, b"{}")
    with service(BUSY, late, (200, {}, GOOD)) as (address, asked):
        read = Client(address, sleep=waited.append).predict(SEVEN)
    assert read.alternatives == ((1, 0.05),)
    assert waited == [2, 3]
    assert asked == ["/predict"] * 3


def test_does_not_wait_longer_than_its_patience() -> None:
    waited: list[float] = []
    with service(BUSY, BUSY) as (address, asked):
        with pytest.raises(RefusedError, match="more to do") as caught:
            Client(address, patience=1, sleep=waited.append).predict(SEVEN)
        assert (caught.value.status, waited, len(asked)) == (503, [], 1)


def test_does_not_try_again_what_will_not_pass() -> None:
    with (
        service((422, {"Retry-After": "1"}, b'{"detail": "No."}')) as (address, asked),
        pytest.raises(RefusedError, match="No"),
    ):
        Client(address).predict(SEVEN)
    assert len(asked) == 1


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"\xff"])
def test_another_service_is_not_taken_for_the_api(body: bytes) -> None:
    with (
        service((200, {}, body)) as (address, _),
        pytest.raises(UnreachableError, match="is the address right"),
    ):
        Client(address).predict(SEVEN)


@pytest.mark.parametrize("address", ["ftp://host/api", "host/api", "http:///api", ""])
def test_an_address_must_be_one(address: str) -> None:
    with pytest.raises(UnreachableError, match="write it as"):
        Client(address)


def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mnist_api.client", *arguments]
    done = subprocess.run(
        command, cwd=HOUSE, input=stdin, capture_output=True, timeout=60, check=False
    )
    output, errors = done.stdout.decode(), done.stderr.decode()
    return subprocess.CompletedProcess(command, done.returncode, output, errors)


def test_the_command_reads_files_and_folders(url: str, drawings: Path) -> None:
    done = run("--url", url, str(drawings / "7.png"), str(drawings))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    rows = [row.split() for row in done.stdout.splitlines()]
    assert [row[1] for row in rows] == ["7", "3", "7", "8"]
    assert all(row[2].endswith("%") for row in rows)


def test_the_command_reads_standard_input_as_json_lines(url: str) -> None:
    done = run("--url", url, "--json", "-", stdin=SEVEN)
    assert json.loads(done.stdout)["digit"] == 7
    assert json.loads(done.stdout)["picture"] == "-"


def test_the_command_reads_lines(url: str, drawings: Path) -> None:
    done = run("--url", url, "--read", "--length", "1", "--json", str(drawings / "3.png"))
    assert json.loads(done.stdout)["text"] == "3"


def test_the_command_goes_on_after_a_picture_that_cannot_be_read(url: str, drawings: Path) -> None:
    (drawings / "0.png").write_bytes(encoded(Image.new("L", (50, 50), 255)))
    done = run("--url", url, str(drawings))
    assert done.returncode == 1
    assert "Nothing is drawn" in done.stdout.splitlines()[0]
    assert len(done.stdout.splitlines()) == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--length", "5", "x.png"], "--length is for --read"),
        ([str(HOUSE / "requirements")], "there is no picture"),
        (["--url", "nowhere", "x.png"], "write it as http://HOST/api"),
        (["--url", "http://127.0.0.1:9/api", str(HOUSE / "README.md")], "Nobody answers at"),
    ],
)
def test_the_command_says_what_is_wrong(arguments: list[str], said: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
