"""Every way to send a picture, and every form of the answer."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from mnist_api.answers import STYLE
from mnist_api.reader import Reader
from mnist_model.ink import ink_from_image
from mnist_model.normalise import normalise, stages
from mnist_model.saliency import saliency
from tests.api.conftest import Api
from tests.browser.drawing import DIGITS, encoded, picture

SHEET = picture(DIGITS[7])
SEVEN = encoded(SHEET)
JQUERY = "application/x-www-form-urlencoded; charset=UTF-8"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def data_url(content: bytes = SEVEN, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def line(text: str) -> Image.Image:
    sheet = Image.new("L", (150 * len(text), 280), 255)
    for place, digit in enumerate(text):
        sheet.paste(picture(DIGITS[int(digit)], 150, 10), (150 * place, 60))
    return sheet


def image_of(url: str) -> np.ndarray[Any, Any]:
    assert url.startswith("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))


def test_a_page_of_the_tutorial_gets_the_bare_digit(app: Api) -> None:
    url = data_url()
    assert re.search(r"\+.*/.*=$", url), "all characters that a form would change"
    answer = app.post("/predict/", url, headers={"Content-Type": JQUERY, "Accept": "*/*"})
    assert (answer.content_type, answer.text) == ("text/plain", "7")


@pytest.mark.parametrize("media_type", ["", "text/plain", "image/png", "multipart/form-data", "x"])
def test_a_data_url_may_come_as_anything(app: Api, media_type: str) -> None:
    answer = app.post("/predict", data_url(), headers={"Content-Type": media_type})
    assert (answer.content_type, answer.text) == ("text/plain", "7")


def test_a_data_url_may_have_parameters_capitals_and_a_line_break_behind(app: Api) -> None:
    url = data_url().replace("data:image/png;", "DATA:Image/PNG;charset=utf-8;") + "\r\n"
    assert app.predict(url.encode(), "text/plain").text == "7"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/json", "application/json"),
        ("application/json, text/javascript, */*; q=0.01", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
        ("application/*", "application/json"),
        ("*/*", "text/plain"),
        ("text/plain", "text/plain"),
        ("image/png", "text/plain"),
        ("", "text/plain"),
        ("text/html", "text/html"),
        (";;;,", "text/plain"),
    ],
)
def test_a_data_url_is_answered_with_json_if_that_is_named(
    app: Api, accept: str, media_type: str
) -> None:
    headers = {"Content-Type": JQUERY, "Accept": accept}
    assert app.post("/predict", data_url(), headers=headers).content_type == media_type


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/json"),
        ("text/plain", "text/plain"),
        ("text/plain;q=0.5, application/json", "application/json"),
        ("text/*", "text/plain"),
        ("image/webp", "application/json"),
        (BROWSER, "text/html"),
    ],
)
def test_a_picture_is_answered_as_its_sender_prefers(
    app: Api, accept: str, media_type: str
) -> None:
    answer = app.predict(SEVEN, Accept=accept)
    assert answer.content_type == media_type
    assert "7" in answer.text


@pytest.mark.parametrize(
    "image",
    [data_url(), base64.b64encode(SEVEN).decode(), data_url(encoded(SHEET, "JPEG"), "image/jpeg")],
)
def test_json_has_the_picture_as_base64_or_as_a_data_url(app: Api, image: str) -> None:
    assert app.post_json("/predict", {"image": image}).json["digit"] == 7


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "must have image"),
        ({"image": 7}, "image must be of type string"),
        ({"image": ""}, "at least 1 character"),
        ({"image": data_url(), "size": 1}, "not 'size'"),
        (["image"], "must be of type object"),
        ({"image": "not base64!"}, "no valid base64"),
        ({"image": "data:text/html;base64,AA=="}, "is no picture"),
        ({"image": "data:image/png,AA"}, "send one that is"),
    ],
)
def test_other_json_is_refused(app: Api, content: Any, said: str) -> None:
    answer = app.post_json("/predict", content)
    assert answer.status_code in (400, 415)
    assert said in answer.json["detail"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_form_has_the_picture_as_a_file(app: Api, kind: str) -> None:
    files = [("image", f"seven.{kind}", encoded(SHEET, kind), f"image/{kind.lower()}")]
    assert app.post("/predict", upload_files=files).json["digit"] == 7


def test_a_form_may_leave_the_type_open_or_have_a_data_url(app: Api) -> None:
    files = [("image", "seven", SEVEN, "application/octet-stream")]
    assert app.post("/predict", upload_files=files).json["digit"] == 7
    body = b"--b\r\nContent-Disposition: form-data; name=image\r\n\r\n%s\r\n--b--\r\n"
    answer = app.predict(body % data_url().encode(), "multipart/form-data; boundary=b")
    assert answer.json["digit"] == 7


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([("image", "", b"")], "choose a file"),
        ([("picture", "seven.png", SEVEN)], "one field, image"),
        ([("image", "seven.gif", b"GIF89a", "image/gif")], "is of type image/gif"),
        ([("image", "seven.png", encoded(SHEET, "JPEG"), "image/png")], "is a JPEG, but was"),
        ([("image", "seven", b"digit", "application/octet-stream")], "is not PNG or JPEG or WebP"),
    ],
)
def test_other_forms_are_refused(app: Api, files: list[Any], said: str) -> None:
    answer = app.post("/predict", upload_files=files)
    assert answer.status_code in (400, 415)
    assert said in answer.json["detail"]


@pytest.mark.parametrize("body", [b"", b"--c--", b"--b", b"no form at all"])
def test_what_is_no_form_is_refused(app: Api, body: bytes) -> None:
    answer = app.predict(body, "multipart/form-data; boundary=b")
    assert answer.status_code == 400
    assert "form" in answer.json["detail"]


def test_a_form_without_script_gets_a_page(app: Api) -> None:
    files = [("image", "seven.png", SEVEN)]
    headers = {"Accept": BROWSER}
    answer = app.post("/predict?include=normalised", upload_files=files, headers=headers)
    assert "<output>7</output>" in answer.text
    assert 'src="data:image/png;base64,' in answer.text
    assert "<script" not in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert f"<style>{STYLE}</style>" in answer.text


def test_a_form_that_fails_gets_a_page_too(app: Api) -> None:
    answer = app.post("/predict", upload_files=[("image", "", b"")], headers={"Accept": BROWSER})
    assert (answer.status_code, answer.content_type) == (400, "text/html")
    assert "choose a file" in answer.text


def test_a_page_shows_nothing_of_what_was_sent_as_html(app: Api) -> None:
    headers = {"Content-Type": "<script>alert(1)</script>", "Accept": "text/html"}
    answer = app.post("/predict", b"x", headers=headers)
    assert answer.status_code == 415
    assert "<script" not in answer.text
    assert "&lt;script" in answer.text


def test_says_what_else_it_could_be_and_whether_it_is_certain(app: Api, reader: Reader) -> None:
    answers = [app.predict(encoded(blend)).json for blend in between(1, 7)]
    assert {answer["certain"] for answer in answers} == {True, False}
    for answer in answers:
        assert answer["certain"] == (answer["confidence"] >= reader.release.certain_digit)
        others = answer["alternatives"]
        shown = [other["confidence"] for other in others]
        assert shown == sorted(shown, reverse=True)
        assert all(0.01 <= one <= answer["confidence"] for one in shown)
        assert answer["digit"] not in [other["digit"] for other in others]
        left = sorted(answer["probabilities"], reverse=True)[1 : 1 + len(others)]
        assert shown == left
    assert any(answer["alternatives"] for answer in answers)


def between(one: int, other: int) -> list[Image.Image]:
    """Digits halfway between two, from clear to anything."""
    pictures = [picture(DIGITS[digit]) for digit in (one, other)]
    faint = [Image.eval(sheet, lambda value: 255 - (255 - value) // 3) for sheet in pictures]
    both = [np.minimum(np.asarray(pictures[0]), np.asarray(sheet)) for sheet in (*pictures, *faint)]
    noise = np.random.default_rng(0).integers(0, 256, (12, 12), np.uint8)
    blocks = Image.fromarray(noise).resize((200, 200), Image.Resampling.BILINEAR)
    noisy = ImageOps.expand(blocks.point(lambda value: 255 if value < 150 else 0), 40, 255)
    return [*map(Image.fromarray, both), noisy]


def test_shows_what_the_network_saw(app: Api) -> None:
    answer = app.post("/predict?include=normalised", SEVEN, headers={"Content-Type": "image/png"})
    seen = normalise(ink_from_image(SHEET))
    assert np.array_equal(image_of(answer.json["normalised"]), seen)
    assert "saliency" not in answer.json


def test_shows_where_the_pixels_mattered_and_every_stage(app: Api, reader: Reader) -> None:
    answer = app.post(
        "/predict?include=saliency,stages", SEVEN, headers={"Content-Type": "image/png"}
    ).json
    ink = ink_from_image(SHEET)
    mattered = saliency(normalise(ink), reader._classifier)
    assert np.abs(image_of(answer["saliency"]) / 255 - mattered).max() < 0.01
    assert np.array_equal(image_of(answer["stages"]["crop"]), stages(ink).crop)
    assert np.array_equal(image_of(answer["stages"]["fitted"]), stages(ink).fitted)
    assert np.array_equal(image_of(answer["stages"]["normalised"]), stages(ink).picture)
    maps = reader._classifier.first_layer(stages(ink).picture)
    assert len(answer["stages"]["filters"]) == (0 if maps is None else maps.shape[2])
    for url in answer["stages"]["filters"]:
        assert image_of(url).shape == maps.shape[:2]


@pytest.mark.parametrize("text", ["7", "10", "94305"])
def test_reads_a_line(app: Api, text: str) -> None:
    sheet = line(text)
    answer = app.post("/read", encoded(sheet), headers={"Content-Type": "image/png"}).json
    assert answer["text"] == text
    assert [str(one["digit"]) for one in answer["digits"]] == list(text)
    for place, one in enumerate(answer["digits"]):
        box = one["box"]
        assert 150 * place <= box["left"] < box["right"] <= 150 * (place + 1)
        assert 60 <= box["top"] < box["bottom"] <= 210
        assert np.asarray(sheet)[box["top"] : box["bottom"], box["left"] : box["right"]].min() < 64


def test_a_line_is_read_with_its_length_and_pictures(app: Api) -> None:
    path = "/read?length=5&include=normalised"
    answer = app.post(path, encoded(line("94305")), headers={"Content-Type": "image/png"}).json
    assert answer["text"] == "94305"
    assert [image_of(one["normalised"]).shape for one in answer["digits"]] == [(28, 28)] * 5


def test_a_line_may_be_plain_text(app: Api) -> None:
    headers = {"Content-Type": "image/png", "Accept": "text/plain"}
    assert app.post("/read", encoded(line("40")), headers=headers).text == "40"
    assert app.post("/read", data_url(encoded(line("40")))).text == "40"


@pytest.mark.parametrize("path", ["/predict", "/read"])
@pytest.mark.parametrize(
    ("colours", "reason"), [(("white", "white"), "blank"), (("white", "black"), "all-ink")]
)
def test_says_why_there_is_no_digit(
    app: Api, path: str, colours: tuple[str, str], reason: str
) -> None:
    sheet = Image.new("L", (280, 280), colours[0])
    sheet.paste(colours[1], (30, 30, 250, 250))
    answer = app.post(path, encoded(sheet), headers={"Content-Type": "image/png"})
    assert answer.status_code == 422
    assert answer.json["reason"] == reason


def test_says_that_there_are_too_many_digits(app: Api) -> None:
    sheet = line("7" * 25).reduce(3)
    answer = app.post("/read", encoded(sheet), headers={"Content-Type": "image/png"})
    assert answer.status_code == 422
    assert answer.json["reason"] == "too-many-digits"
    assert answer.json["limit"] == {"name": "digits", "most": 20}


def test_tells_its_version(app: Api, reader: Reader) -> None:
    answer = app.get("/version").json
    manifest = reader.release.manifest
    assert answer["feedback"] is False
    assert answer["release"]["name"] == reader.release.name
    assert answer["release"]["accuracy"] == manifest["accuracy"]["test"]["accuracy"]
    assert answer["release"]["files"].keys() == manifest["files"].keys()
    assert app.head("/version").body == b""


def test_shows_its_contract_as_a_page_that_loads_nothing(app: Api) -> None:
    answer = app.get("/docs")
    for said in ("POST /predict", "DELETE /feedback/{id}", "all-ink", 'id="Answer"'):
        assert said in answer.text
    links = re.findall(r'(?:href|src)="([^"]*)"', answer.text)
    assert all(link.startswith("#") or link == "openapi.yaml" for link in links)
    anchors = set(re.findall(r'id="([^"]*)"', answer.text))
    assert {link[1:] for link in links if link.startswith("#")} <= anchors
    assert "<script" not in answer.text
    assert "style-src 'sha256-" in answer.headers["Content-Security-Policy"]


def test_gives_its_contract_as_a_file(app: Api) -> None:
    assert app.get("/openapi.yaml").text.startswith("---\nopenapi: 3.1.0")


def test_the_answer_tells_how_long_it_took(app: Api) -> None:
    assert 0 < app.predict(SEVEN).json["milliseconds"] < 60_000
    assert json.loads(app.predict(SEVEN).body)["milliseconds"] > 0
