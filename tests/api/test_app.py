"""The application as a client sees it. Every answer is held against the contract (conftest)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image, ImageOps

from mnist_api.reader import Reader
from mnist_api.settings import Settings
from mnist_api.views import Life
from tests.api.conftest import Api
from tests.browser.drawing import DIGITS, encoded, picture

SEVEN = encoded(picture(DIGITS[7]))


@pytest.mark.parametrize("digit", DIGITS)
def test_reads_every_digit(app: Api, digit: int, reader: Reader) -> None:
    answer = app.predict(encoded(picture(DIGITS[digit])))
    assert answer.status_code == 200
    assert answer.json["digit"] == digit
    assert answer.json["confidence"] == answer.json["probabilities"][digit] > 0.5
    assert sum(answer.json["probabilities"]) == pytest.approx(1, abs=1e-4)
    assert answer.json["release"] == reader.release.name


def test_reads_a_jpeg(app: Api) -> None:
    body = encoded(picture(DIGITS[3]), "JPEG")
    assert app.predict(body, "image/jpeg").json["digit"] == 3


def test_reads_a_small_digit_in_a_corner_and_in_other_colours(app: Api) -> None:
    sheet = Image.new("RGB", (400, 300), (20, 30, 90))
    small = ImageOps.colorize(picture(DIGITS[7], 90, 6), (255, 210, 0), (20, 30, 90))
    sheet.paste(small, (300, 5))
    assert app.predict(encoded(sheet)).json["digit"] == 7


@pytest.mark.parametrize(
    ("media_type", "said"),
    [
        ("", "but none was given"),
        ("text/plain", "not text/plain"),
        ("image/gif", "not image/gif"),
        ("application/x-www-form-urlencoded", "image/png, image/jpeg, image/webp"),
    ],
)
def test_refuses_other_types(app: Api, media_type: str, said: str) -> None:
    answer = app.predict(SEVEN, media_type)
    assert answer.status_code == 415
    assert said in answer.json["detail"]


def test_media_type_may_have_parameters_and_capitals(app: Api) -> None:
    assert app.predict(SEVEN, "Image/PNG; name=seven.png").json["digit"] == 7


def test_refuses_a_content_encoding(app: Api) -> None:
    assert app.predict(SEVEN, **{"Content-Encoding": "gzip"}).status_code == 415


def test_refuses_an_empty_body(app: Api) -> None:
    answer = app.predict(b"")
    assert answer.status_code == 400
    assert "no picture" in answer.json["detail"]


def test_refuses_what_is_declared_wrongly(app: Api) -> None:
    answer = app.predict(SEVEN, "image/jpeg")
    assert answer.status_code == 415
    assert "send it with Content-Type image/png" in answer.json["detail"]


def test_refuses_a_large_upload_before_it_looks_at_it(
    compose: Callable[..., Api], reader: Reader, settings: Settings
) -> None:
    small = Settings(settings.release, max_body_bytes=1024)
    app = compose(reader, small)
    answer = app.predict(b"\x89PNG\r\n\x1a\n" + bytes(1024))
    assert answer.status_code == 413
    assert "at most 1024 bytes" in answer.json["detail"]
    assert answer.json["limit"] == {"name": "body-bytes", "most": 1024}


@pytest.mark.parametrize("colour", ["white", "black", (0, 0, 0, 0)])
def test_an_empty_sheet_is_no_digit(app: Api, colour: Any) -> None:
    answer = app.predict(encoded(Image.new("RGBA", (280, 280), colour)))
    assert answer.status_code == 422
    assert "draw a digit" in answer.json["detail"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_predict_answers_post_only(app: Api, method: str) -> None:
    answer = app.request("/predict", method=method)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_answers_get_and_head_only(app: Api, path: str) -> None:
    answer = app.request(path, method="POST", body=b"")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/", "/nothing", "/predict/more", "/read/", "/healthz/"])
def test_an_unknown_address_names_the_known_ones(app: Api, path: str) -> None:
    answer = app.get(path)
    assert answer.status_code == 404
    assert "there is at /predict, /predict/, /read, " in answer.json["detail"]


def test_an_address_that_is_no_utf_8_is_refused(app: Api) -> None:
    assert app.get("/%ff").status_code == 400


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_head_says_what_get_says_without_a_body(app: Api, path: str) -> None:
    got, headed = app.get(path), app.head(path)
    assert headed.status_code == got.status_code == 200
    assert headed.body == b""
    assert headed.headers["Content-Length"] == str(len(got.body))


def test_is_ready_only_after_a_prediction_and_until_it_stops(
    compose: Callable[..., Api], reader: Reader, life: Life
) -> None:
    cold = Reader(reader.release)
    app = compose(cold)
    answer = app.get("/readyz")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json["release"] == reader.release.name
    cold.warm_up()
    assert app.get("/readyz").json == {"status": "ready", "release": reader.release.name}
    for ending in ("leaving", "draining"):
        setattr(life, ending, True)
        answer = app.head("/readyz")
        assert answer.status_code == 503
        setattr(life, ending, False)
    assert app.get("/healthz").json == {"status": "alive"}
    assert app.predict(SEVEN).status_code == 200, "what is under way is still answered"


def test_a_fault_is_a_problem_that_tells_nothing_but_the_log(
    compose: Callable[..., Api], reader: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("the secret cause")

    app = compose(SimpleNamespace(read=broken, warm=True, release=reader.release))
    answer = app.predict(SEVEN, **{"X-Request-Id": "abc-1"})
    assert answer.status_code == 500
    assert answer.json["request"] == answer.headers["X-Request-Id"] == "abc-1"
    assert "secret" not in answer.text
    assert "the secret cause" in caplog.text


def test_a_request_id_that_could_forge_a_log_line_is_replaced(app: Api) -> None:
    answer = app.get("/healthz", headers={"X-Request-Id": 'a", "status": 200'})
    assert answer.headers["X-Request-Id"].isalnum()


def test_the_log_has_one_line_a_request_and_nothing_of_the_picture(
    app: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    app.predict(SEVEN)
    app.get("/readyz")
    [record] = [record for record in caplog.records if record.name == "mnist_api.logs"]
    fields = record.fields  # type: ignore[attr-defined]
    assert fields.pop("milliseconds") > 0
    assert fields.pop("request")
    assert fields == {"method": "POST", "path": "/predict", "status": 200, "bytes": len(SEVEN)}


def test_many_threads_read_what_was_sent_to_them(app: Api) -> None:
    bodies = {digit: encoded(picture(strokes)) for digit, strokes in DIGITS.items()}
    sent = [digit for _ in range(8) for digit in DIGITS]
    with ThreadPoolExecutor(8) as threads:
        read = list(threads.map(lambda digit: app.predict(bodies[digit]).json["digit"], sent))
    assert read == sent


def test_the_answer_is_small_and_plain_json(app: Api) -> None:
    answer = app.predict(SEVEN)
    assert answer.content_type == "application/json"
    assert len(answer.body) < 400
    assert list(json.loads(answer.body)) == [
        "digit",
        "confidence",
        "probabilities",
        "certain",
        "alternatives",
        "release",
        "milliseconds",
    ]
