"""The page in a real browser, in front of the real API: what is drawn is read and shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from mnist_model.ink import ink_from_image
from tests.api.process import Server
from tests.browser.between import Between
from tests.browser.chromium import launch
from tests.browser.conftest import READING, Desk
from tests.browser.drawing import DIGITS, draw_with_finger, encoded, picture, side_by_side

PHONE = {"width": 390, "height": 844}
ANSWER: dict[str, Any] = {
    "digit": 3,
    "confidence": 0.5,
    "probabilities": [0.0, 0.0, 0.12, 0.5, 0.0, 0.08, 0.0, 0.0, 0.3, 0.0],
    "certain": False,
    "alternatives": [
        {"digit": 8, "confidence": 0.3},
        {"digit": 2, "confidence": 0.12},
        {"digit": 5, "confidence": 0.08},
    ],
    "release": "mnist-cnn-20260101-00000000",
    "milliseconds": 1.5,
}


def test_a_drawn_seven_is_read_when_the_pen_is_lifted(desk: Desk, release: Path) -> None:
    desk.draw(DIGITS[7])
    expect(desk.digit).to_have_text("7")
    desk.says("This is a 7, ")
    expect(desk.page.locator("#time")).to_have_text(re.compile(r"Read in \d+ ms\."))
    expect(desk.bars).to_have_count(10)
    assert re.fullmatch(r"7\s*(9\d|100)%", desk.bars.nth(7).inner_text())
    assert all(desk.bars.nth(digit).inner_text().startswith(str(digit)) for digit in range(10))
    expect(desk.page.locator("#release")).to_have_text(release.name)
    expect(desk.page.locator("#accuracy")).to_contain_text("95% interval")


def test_every_digit_is_read(desk: Desk) -> None:
    for digit, strokes in DIGITS.items():
        desk.draw(strokes)
        expect(desk.digit).to_have_text(str(digit))
        desk.press("Clear")
        desk.is_in("none")


def test_it_is_read_while_it_is_drawn(desk: Desk) -> None:
    box = desk.sheet.bounding_box()
    assert box is not None
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in DIGITS[1][0]]
    desk.page.mouse.move(*points[0])
    desk.page.mouse.down()
    for point in points[1:]:
        desk.page.mouse.move(*point, steps=10)
    expect(desk.digit).to_have_text("1")
    assert desk.page.locator("#status").text_content() == "", "only what is finished is said aloud"
    desk.page.mouse.up()
    desk.says("This is a 1, ")


def test_the_button_reads_the_drawing_again(desk: Desk) -> None:
    desk.draw(DIGITS[5])
    expect(desk.digit).to_have_text("5")
    with desk.page.expect_response(READING):
        desk.press("Read")
    expect(desk.digit).to_have_text("5")


def test_an_empty_sheet_is_never_sent(desk: Desk) -> None:
    desk.press("Read")
    desk.says("The sheet is empty")
    desk.draw(DIGITS[1])
    desk.is_in("known")
    before = len(desk.predictions)
    desk.press("Clear")
    desk.press("Read")
    desk.says("The sheet is empty")
    desk.choose("ZIP code")
    desk.press("Read")
    desk.says("The sheet is empty")
    assert len(desk.predictions) == before


def test_what_is_not_certain_is_said_with_the_alternatives(
    open_desk: Callable[..., Desk], gate: Between
) -> None:
    gate.reply(ANSWER)
    desk = open_desk(gate.address)
    desk.draw(DIGITS[3])
    desk.says("Not sure: 3 (50%), 8 (30%), 2 (12%), or 5 (8%).")
    expect(desk.page.locator("#answer")).to_have_attribute("data-certain", "false")
    assert desk.digit.locator(".other").count() == 3


def test_the_network_s_picture_and_what_mattered_in_it_are_shown(desk: Desk) -> None:
    desk.draw(DIGITS[4])
    desk.is_in("known")

    def colours() -> set[tuple[int, int, int]]:
        expect(desk.page.get_by_role("img", name="What the network saw")).to_be_visible()
        data = desk.page.locator("#seen").evaluate(
            """canvas => {
                const copy = new OffscreenCanvas(28, 28).getContext("2d");
                copy.drawImage(canvas, 0, 0);
                return Array.from(copy.getImageData(0, 0, 28, 28).data);
            }"""
        )
        return {tuple(data[i : i + 3]) for i in range(0, len(data), 4)}

    grey = colours()
    assert len(grey) > 20
    assert all(red == green == blue for red, green, blue in grey)
    with desk.page.expect_response(re.compile("saliency")):
        desk.page.get_by_role("switch", name="What mattered").check()
    for _ in range(100):
        if any(red > blue for red, _, blue in colours()):
            break
        desk.page.wait_for_timeout(50)
    else:
        pytest.fail("nothing glows")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("density", [1, 3])
def test_what_is_sent_does_not_depend_on_the_screen(
    open_desk: Callable[..., Desk], scheme: str, density: int
) -> None:
    desk = open_desk(viewport=PHONE, device_scale_factor=density, color_scheme=scheme)
    desk.draw(DIGITS[4])
    expect(desk.digit).to_have_text("4")
    assert desk.predictions[-1].headers["content-type"] == "image/png"
    sent = desk.sent()
    assert (sent.format, sent.size) == ("PNG", (280, 280))
    assert sent.convert("L").getpixel((0, 0)) == 255
    assert 0.02 < (ink_from_image(sent) > 127).mean() < 0.2


def test_a_zip_code_is_read_with_a_box_over_each_digit(desk: Desk) -> None:
    desk.choose("ZIP code")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Write a ZIP code")
    desk.draw(side_by_side("94170"))
    desk.says("This says 94170, ")  # of the finished drawing: until then boxes come and go
    expect(desk.digit).to_have_text("94170")
    boxes = desk.page.locator("#boxes .box")
    expect(boxes).to_have_count(5)
    assert re.fullmatch(r"4 \d+%", boxes.nth(1).inner_text())
    sheet, box = desk.sheet.bounding_box(), boxes.nth(1).bounding_box()
    assert sheet is not None
    assert box is not None
    middle = (box["x"] + box["width"] / 2 - sheet["x"]) / sheet["width"]
    assert middle == pytest.approx(0.3, abs=0.04)
    assert "length=5" in desk.predictions[-1].url
    assert desk.sent().size == (700, 280)
    desk.page.get_by_role("button", name="Digit 4: 7").click()
    expect(desk.bars.nth(7)).to_have_class("row most")
    expect(boxes.nth(3)).to_have_class("box looked")


def test_fewer_digits_than_boxes_are_read_without_a_hint(desk: Desk) -> None:
    desk.choose("ZIP code")
    desk.draw(side_by_side("417"))
    desk.says("This says 417, ")
    expect(desk.digit).to_have_text("417")
    assert "length" not in desk.predictions[-1].url


def test_both_sheets_are_kept_when_the_mode_changes(desk: Desk) -> None:
    desk.draw(DIGITS[2])
    expect(desk.digit).to_have_text("2")
    desk.choose("ZIP code")
    expect(desk.digit).to_be_empty()
    assert desk.inked() == 0
    desk.draw(side_by_side("10"))
    expect(desk.digit).to_have_text("10")
    desk.choose("Digit")
    expect(desk.digit).to_have_text("2")


@pytest.mark.parametrize("way", ["choose", "paste", "drop"])
def test_a_picture_is_read_instead_of_a_drawing(desk: Desk, way: str) -> None:
    content = encoded(picture(DIGITS[6], side=1500, pen=100))
    if way == "choose":
        file: Any = {"name": "six.png", "mimeType": "image/png", "buffer": content}
        desk.page.get_by_label("Open a picture").set_input_files(file)
    else:
        desk.page.evaluate(
            """([way, bytes]) => {
                const data = new DataTransfer();
                const file = new File([new Uint8Array(bytes)], "six.png", { type: "image/png" });
                data.items.add(file);
                dispatchEvent(way === "drop"
                    ? new DragEvent("drop", { dataTransfer: data, cancelable: true })
                    : Object.assign(new Event("paste"), { clipboardData: data }));
            }""",
            [way, list(content)],
        )
    expect(desk.digit).to_have_text("6")
    width, height = desk.sent().size
    assert width * height <= 1_000_000
    expect(desk.sheet).to_have_accessible_name("Sheet to draw on, with a picture")
    assert desk.inked() > 1000
    desk.press("Undo")
    desk.is_in("none")


def test_a_file_that_is_no_picture_is_refused_in_words(desk: Desk) -> None:
    file: Any = {"name": "six.png", "mimeType": "image/png", "buffer": b"six"}
    desk.page.get_by_label("Open a picture").set_input_files(file)
    desk.complains("This file is no picture")
    assert desk.predictions == []


def test_a_finger_draws_and_does_not_scroll(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(viewport={"width": 320, "height": 568}, has_touch=True, is_mobile=True)
    height = desk.page.evaluate("document.documentElement.scrollHeight")
    assert height > 600, "there is something to scroll"
    draw_with_finger(desk.page, desk.sheet, DIGITS[1])
    expect(desk.digit).to_have_text("1")
    assert desk.page.evaluate("scrollY") == 0


def test_without_javascript_a_picture_is_sent_by_a_plain_form(
    browser: Browser, server: Server
) -> None:
    # Playwright's own switch would leave <noscript> out.
    with closing(launch(browser.browser_type, "--blink-settings=scriptEnabled=false")) as bare:
        page = bare.new_page()
        page.goto(f"http://{server.address}/")
        expect(page.locator("css=noscript p").first).to_contain_text("needs JavaScript")
        expect(page.locator("#sheet")).to_be_hidden()
        seven: Any = {
            "name": "seven.png",
            "mimeType": "image/png",
            "buffer": encoded(picture(DIGITS[7])),
        }
        page.locator("input[name=image]").set_input_files(seven)
        page.locator("noscript button").click()
        page.wait_for_url("**/api/predict")
        expect(page.locator("body")).to_contain_text("7")


def test_no_text_is_missing_in_any_language(browser: Browser, server: Server) -> None:
    page = browser.new_page()
    page.goto(f"http://{server.address}/")
    keys = page.evaluate(
        """async () => {
            const { texts } = await import("/app/words.js");
            const inPage = [...document.querySelectorAll("[data-word], [data-label]")].flatMap(
                ({ dataset }) => [dataset.word, dataset.label].filter(Boolean));
            const { en, de, fr } = texts;
            const [english, german, french] = [en, de, fr].map(
                ({ problems, ...rest }) => [...Object.keys(rest), ...Object.keys(problems)]);
            return { english, german, french, inPage };
        }"""
    )
    page.close()
    english = {key for key in keys["english"] if not key.endswith("8")} | set(keys["inPage"])
    assert english == set(keys["german"]) == set(keys["french"])
