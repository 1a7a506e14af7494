"""Feedback is kept within bounds, can be taken back, and tells nothing of its sender."""

from __future__ import annotations

import base64
import csv
import io
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from webtest import TestResponse

from mnist_api.feedback.store import FILE, Drawing, FullError, Store, TooManyError
from mnist_api.reader import Reader
from mnist_api.settings import Settings
from mnist_model.feedback import load_feedback
from mnist_model.ink import ink_from_image
from mnist_model.normalise import normalise
from tests.api.conftest import Api
from tests.api.process import HOUSE
from tests.browser.drawing import DIGITS, encoded, picture

SEVEN = picture(DIGITS[7])
DRAWING = Drawing("digit", "1", "7", "mnist-cnn-20260131-1a2b3c4d", b"PNG")
NOON = 20_000 * 86_400 + 43_200


def data_url(image: Image.Image, kind: str = "PNG") -> str:
    return f"data:image/{kind.lower()};base64,{base64.b64encode(encoded(image, kind)).decode()}"


def said(**other: Any) -> dict[str, Any]:
    fields = {"kind": "digit", "said": "1", "right": "7", "release": DRAWING.release}
    return {"image": data_url(SEVEN), **fields, **other}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def taking(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, feedback=tmp_path)


@pytest.fixture
def taker(compose: Callable[..., Api], reader: Reader, taking: Settings) -> Api:
    return compose(reader, taking)


def give(app: Api, address: str = "203.0.113.7", **other: Any) -> TestResponse:
    return app.post_json("/feedback", said(**other), extra_environ={"REMOTE_ADDR": address})


def test_keeps_what_was_drawn_and_nothing_else(taker: Api, store: Store) -> None:
    photograph = Image.new("RGB", (400, 400), (230, 225, 210))
    photograph.paste((20, 30, 90), (60, 60), SEVEN.point(lambda value: 255 - value))
    exif = Image.Exif()
    exif[0x010E] = "at home"
    file = io.BytesIO()
    photograph.save(file, "JPEG", exif=exif, quality=95)
    url = f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
    assert give(taker, image=url).status_code == 201
    [kept] = store.all()
    assert (kept.kind, kept.said, kept.right, kept.release) == ("digit", "1", "7", DRAWING.release)
    again = Image.open(io.BytesIO(kept.picture))
    assert again.mode == "L"
    assert max(again.size) <= 320
    assert again.info.keys() <= {"dpi"}
    before = normalise(ink_from_image(photograph)).astype(int)
    assert np.abs(normalise(ink_from_image(again)).astype(int) - before).mean() < 6


def test_nothing_is_kept_unless_it_is_asked_for(app: Api) -> None:
    answer = give(app)
    assert (answer.status_code, answer.json["reason"]) == (503, "off")
    assert "MNIST_API_FEEDBACK" in answer.json["detail"]
    assert app.delete("/feedback/0123456789abcdef?undo=" + "0" * 32).status_code == 503


def test_version_says_whether_feedback_is_taken(app: Api, taker: Api) -> None:
    assert (app.get("/version").json["feedback"], taker.get("/version").json["feedback"]) == (
        False,
        True,
    )


def test_a_line_is_kept_too(taker: Api, store: Store) -> None:
    sheet = Image.new("L", (560, 280), 255)
    sheet.paste(SEVEN, (0, 0))
    sheet.paste(picture(DIGITS[4]), (280, 0))
    assert give(taker, image=data_url(sheet), kind="line", said="1", right="74").status_code == 201
    assert [kept.right for kept in store.all()] == ["74"]


@pytest.mark.parametrize(
    ("other", "status", "told"),
    [
        ({"right": "12"}, 400, "right must have at most 1 char"),
        ({"right": ""}, 400, "right must match"),
        ({"right": "x"}, 400, "right must match"),
        ({"said": "12"}, 400, "said must have at most 1 char"),
        ({"kind": "word"}, 400, "kind must be digit or line"),
        ({"release": "mine"}, 400, "release must match"),
        ({"who": "me"}, 400, "not 'who'"),
        ({"image": "iVBOR"}, 400, "image must match"),
        ({"image": "data:image/png;base64,iVBOR"}, 400, "no valid base64"),
        ({"image": "data:image/svg+xml;base64,AAAA"}, 415, "is no picture"),
        ({"image": data_url(Image.new("L", (280, 280), 255))}, 422, "Nothing is drawn"),
        ({"image": data_url(Image.new("L", (1200, 900), 255))}, 413, "1200 x 900"),
    ],
)
def test_what_would_not_be_predicted_is_not_kept(
    taker: Api, store: Store, other: dict[str, str], status: int, told: str
) -> None:
    answer = give(taker, **other)
    assert answer.status_code == status
    assert told in answer.json["detail"]
    assert list(store.all()) == []


def test_a_picture_that_is_no_drawing_is_not_kept(taker: Api, store: Store) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (700, 1400), np.uint8)
    lined = np.where(np.arange(1400) // 40 % 2, 255, noise).astype(np.uint8)
    answer = give(taker, image=data_url(Image.fromarray(lined)), kind="line", right="1" * 18)
    assert (answer.status_code, answer.json["limit"]["name"]) == (413, "feedback-picture-bytes")
    assert list(store.all()) == []


def test_only_json_is_feedback(taker: Api) -> None:
    answer = taker.post("/feedback", encoded(SEVEN), headers={"Content-Type": "image/png"})
    assert answer.status_code == 415


def test_is_taken_back_with_its_token_only_once(taker: Api, store: Store) -> None:
    kept = give(taker).json
    for path in (f"{kept['id']}?undo={'0' * 32}", f"{'0' * 16}?undo={kept['undo']}"):
        assert taker.delete(f"/feedback/{path}").status_code == 404
    assert len(list(store.all())) == 1
    assert taker.delete(f"/feedback/{kept['id']}?undo={kept['undo']}").status_code == 204
    assert list(store.all()) == []
    assert taker.delete(f"/feedback/{kept['id']}?undo={kept['undo']}").status_code == 404


@pytest.mark.parametrize("query", ["", "?undo=", "?undo=me", "?token=" + "0" * 32])
def test_a_token_must_be_one(taker: Api, query: str) -> None:
    assert taker.delete(f"/feedback/0123456789abcdef{query}").status_code == 400


def test_is_never_served_back(taker: Api) -> None:
    kept = give(taker).json
    for path in (
        "/feedback",
        f"/feedback/{kept['id']}",
        f"/feedback/{kept['id']}?undo={kept['undo']}",
    ):
        assert taker.get(path).status_code == 405


def test_a_client_may_send_so_much_a_day(
    compose: Callable[..., Api], reader: Reader, taking: Settings
) -> None:
    app = compose(reader, replace(taking, feedback_per_client=2))
    first = give(app).json
    app.delete(f"/feedback/{first['id']}?undo={first['undo']}")
    assert [give(app).status_code for _ in range(3)] == [201, 429, 429]
    answer = give(app)
    assert answer.json["limit"] == {"name": "feedback-per-client", "most": 2}
    assert 0 < int(answer.headers["Retry-After"]) <= 86_400
    assert give(app, address="203.0.113.8").status_code == 201


def test_a_client_is_whom_a_trusted_proxy_names(
    compose: Callable[..., Api], reader: Reader, taking: Settings
) -> None:
    trusted = (ip_network("10.0.0.0/8"),)
    app = compose(reader, replace(taking, feedback_per_client=1, trusted_proxies=trusted))

    def through(proxy: str, forwarded: str) -> int:
        environ = {"REMOTE_ADDR": proxy, "HTTP_X_FORWARDED_FOR": forwarded}
        return int(app.post_json("/feedback", said(), extra_environ=environ).status_code)

    assert through("10.1.2.3", "203.0.113.7") == 201
    assert through("10.1.2.4", "198.51.100.1, 203.0.113.7") == 429, "what comes before is invented"
    assert through("10.1.2.3", "203.0.113.8") == 201
    assert through("192.0.2.1", "203.0.113.9") == 201, "that one is not trusted"
    assert through("192.0.2.1", "203.0.113.10") == 429
    assert through("10.1.2.3", "2001:db8:1:2::3") == 201
    assert through("10.1.2.3", "2001:db8:1:2:ffff::4") == 429, "one household"


def test_no_address_is_stored_and_a_hash_means_nothing_tomorrow(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOON)
    for address in ("203.0.113.7", "203.0.113.7", "203.0.113.8"):
        store.add(DRAWING, address)
    monkeypatch.setattr(time, "time", lambda: NOON + 86_400)
    store.add(DRAWING, "203.0.113.7")
    *today, tomorrow = (kept.client for kept in store.all())
    assert sorted(Counter(today).values()) == [1, 2]
    assert tomorrow not in today
    assert b"203.0.113" not in b"".join(file.read_bytes() for file in store.directory.iterdir())
    with sqlite3.connect(store.directory / FILE) as connection:
        assert len(connection.execute("SELECT * FROM keys").fetchall()) == 1
        assert len(connection.execute("SELECT * FROM clients").fetchall()) == 1


def test_is_bounded_in_drawings_and_in_bytes(tmp_path: Path) -> None:
    few = Store(tmp_path, most_drawings=2)
    few.add(DRAWING, "a")
    few.add(DRAWING, "b")
    with pytest.raises(FullError) as caught:
        few.add(DRAWING, "c")
    assert (caught.value.name, caught.value.most) == ("feedback-drawings", 2)
    small = Store(tmp_path, most_bytes=8)
    with pytest.raises(FullError) as caught:
        small.add(DRAWING, "c")
    assert (caught.value.name, caught.value.most) == ("feedback-bytes", 8)


def test_a_full_store_says_so(
    compose: Callable[..., Api], reader: Reader, taking: Settings
) -> None:
    app = compose(reader, replace(taking, feedback_drawings=1))
    give(app)
    answer = give(app, address="203.0.113.9")
    assert (answer.status_code, answer.json["reason"]) == (503, "full")
    assert answer.json["limit"] == {"name": "feedback-drawings", "most": 1}


def test_a_store_that_does_not_work_says_so(taker: Api, store: Store) -> None:
    (store.directory / FILE).write_bytes(b"no database at all" * 100)
    answer = give(taker)
    assert answer.status_code == 503
    assert "send it again" in answer.json["detail"]


def test_an_hour_later_it_cannot_be_taken_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOON)
    name, token = store.add(DRAWING, "a")
    monkeypatch.setattr(time, "time", lambda: NOON + 3601)
    assert not store.undo(name, token)
    monkeypatch.setattr(time, "time", lambda: NOON + 3600)
    assert store.undo(name, token)


def test_many_write_at_once(store: Store) -> None:
    bounded = replace(store, most_drawings=30, most_per_client=5)

    def add(number: int) -> int:
        try:
            bounded.add(DRAWING, f"client {number % 10}")
        except (TooManyError, FullError):
            return 0
        return 1

    with ThreadPoolExecutor(8) as threads:
        kept = sum(threads.map(add, range(60)))
    assert kept == len(list(store.all())) == 30


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mnist_api.feedback", *arguments]
    return subprocess.run(
        command, cwd=HOUSE, capture_output=True, text=True, timeout=60, check=False
    )


def test_an_export_is_reviewed_and_then_learnt_from(
    taker: Api, store: Store, tmp_path: Path
) -> None:
    for digit in (7, 4, 2):
        give(taker, image=data_url(picture(DIGITS[digit])), right=str(digit))
    target = tmp_path / "export"
    done = run("export", str(target), "--store", str(tmp_path), "--clear")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("3 drawings in ")
    assert list(store.all()) == []
    with (target / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["label"] for row in rows) == ["2", "4", "7"]
    assert {row["reviewed"] for row in rows} == {""}
    assert {row["kind"] for row in rows} == {"digit"}
    assert all(len(row["client"]) == 16 and row["created"].endswith("Z") for row in rows)
    for row in rows:
        row["reviewed"] = "no" if row["label"] == "4" else "yes"
    with (target / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    learnt = load_feedback(target)
    assert sorted(learnt.labels.tolist()) == [2, 7]
    seven = learnt.pictures[learnt.labels.tolist().index(7)].astype(int)
    assert np.abs(seven - normalise(ink_from_image(SEVEN))).mean() < 3


def test_an_export_overwrites_no_review_and_needs_a_store(store: Store, tmp_path: Path) -> None:
    store.add(DRAWING, "a")
    target = tmp_path / "export"
    assert run("export", str(target), "--store", str(tmp_path)).returncode == 0
    again = run("export", str(target), "--store", str(tmp_path), "--clear")
    assert again.returncode == 1
    assert "name a new directory" in again.stderr
    assert len(list(store.all())) == 1
    nowhere = run("export", str(tmp_path / "other"), "--store", str(target))
    assert nowhere.returncode == 1
    assert "MNIST_API_FEEDBACK" in nowhere.stderr
    assert run("export", str(target)).returncode == 2
