"""The page in a real browser, in front of the real API."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from mnist_model.ink import ink_from_image
from tests.api.process import HOUSE, Server, demo
from tests.browser.chromium import launch
from tests.browser.conftest import Desk
from tests.browser.drawing import DIGITS, draw_with_finger

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
ANSWER = {
    "digit": 3,
    "confidence": 0.9,
    "probabilities": [0.0, 0.0, 0.1, 0.9, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    "release": "mnist-cnn-20260101-00000000",
}


def test_a_drawn_seven_is_read_when_the_pen_is_lifted(desk: Desk, release: Path) -> None:
    desk.draw(DIGITS[7])
    expect(desk.digit).to_have_text("7")
    desk.says("This is a 7, ")
    expect(desk.page.locator("#release")).to_have_text(release.name)
    bars = desk.page.get_by_role("list", name="How probable").get_by_role("listitem")
    expect(bars).to_have_count(10)
    assert re.fullmatch(r"7\s*(9\d|100)%", bars.nth(7).inner_text())
    assert all(bars.nth(digit).inner_text().startswith(str(digit)) for digit in range(10))


def test_every_digit_is_read(desk: Desk) -> None:
    for digit, strokes in DIGITS.items():
        desk.draw(strokes)
        expect(desk.digit).to_have_text(str(digit))
        desk.press("Clear")
        desk.says("Draw with")


def test_the_button_reads_the_drawing_again(desk: Desk) -> None:
    desk.draw(DIGITS[5])
    expect(desk.digit).to_have_text("5")
    before = len(desk.predictions)
    with desk.page.expect_response("**/api/predict"):
        desk.press("Predict")
    expect(desk.digit).to_have_text("5")
    assert len(desk.predictions) == before + 1


def test_clear_takes_everything_away(desk: Desk) -> None:
    assert desk.inked() == 0
    desk.draw(DIGITS[2])
    expect(desk.digit).to_have_text("2")
    assert desk.inked() > 1000
    desk.press("Clear")
    assert desk.inked() == 0
    desk.is_in("none")
    expect(desk.digit).to_be_empty()
    expect(desk.sheet).to_have_accessible_name("Sheet to draw on, empty")


def test_an_empty_sheet_is_never_sent(desk: Desk) -> None:
    desk.press("Predict")
    desk.says("The sheet is empty")
    desk.draw(DIGITS[1])
    expect(desk.digit).to_have_text("1")
    desk.press("Clear")
    desk.press("Predict")
    desk.says("The sheet is empty")
    assert len(desk.predictions) == 1


def test_a_right_click_draws_nothing(desk: Desk) -> None:
    desk.sheet.click(button="right")
    assert desk.inked() == 0
    assert desk.predictions == []


def test_a_tap_is_a_dot(desk: Desk) -> None:
    desk.sheet.click()
    assert desk.inked() > 100


def test_a_finger_draws_and_does_not_scroll(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(viewport={"width": 320, "height": 568}, has_touch=True, is_mobile=True)
    height = desk.page.evaluate("document.documentElement.scrollHeight")
    assert height > 600, "there is something to scroll"
    draw_with_finger(desk.page, desk.sheet, DIGITS[1])
    expect(desk.digit).to_have_text("1")
    assert desk.page.evaluate("scrollY") == 0


def test_a_second_finger_draws_nothing(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(viewport=PHONE, has_touch=True, is_mobile=True)
    box = desk.sheet.bounding_box()
    assert box is not None
    session = desk.page.context.new_cdp_session(desk.page)

    def touch(kind: str, *places: float) -> None:
        middle = box["y"] + box["height"] / 2
        points = [
            {"x": box["x"] + box["width"] * x, "y": middle, "id": i} for i, x in enumerate(places)
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 0.2)
    touch("touchMove", 0.3)
    alone = desk.inked()
    touch("touchStart", 0.3, 0.7)
    touch("touchMove", 0.3, 0.9)
    assert desk.inked() == alone
    touch("touchMove", 0.4, 0.9)
    assert desk.inked() > alone
    touch("touchEnd")
    expect(desk.sheet).to_have_accessible_name("Sheet to draw on, with 1 stroke")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("density", [1, 3])
def test_what_is_sent_does_not_depend_on_the_screen(
    open_desk: Callable[..., Desk], scheme: str, density: int
) -> None:
    desk = open_desk(viewport=PHONE, device_scale_factor=density, color_scheme=scheme)
    desk.draw(DIGITS[4])
    expect(desk.digit).to_have_text("4")
    request = desk.predictions[-1]
    assert request.url == f"{desk.origin}/api/predict"
    assert request.headers["content-type"] == "image/png"
    sent = desk.sent()
    assert (sent.format, sent.size) == ("PNG", (280, 280))
    assert sent.convert("L").getpixel((0, 0)) == 255
    assert 0.02 < (ink_from_image(sent) > 127).mean() < 0.2


@pytest.mark.parametrize("density", [1, 2, 2.75])
def test_lines_are_crisp_on_every_screen(open_desk: Callable[..., Desk], density: float) -> None:
    desk = open_desk(viewport=PHONE, device_scale_factor=density)
    wide, css = desk.sheet.evaluate("canvas => [canvas.width, canvas.clientWidth]")
    assert abs(wide - css * density) <= 1


def test_the_drawing_outlives_a_turn_of_the_phone(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(viewport=PHONE)
    desk.draw(DIGITS[6])
    expect(desk.digit).to_have_text("6")
    before = desk.inked() / desk.sheet.evaluate("canvas => canvas.width ** 2")
    desk.page.set_viewport_size({"width": 844, "height": 390})
    after = desk.inked() / desk.sheet.evaluate("canvas => canvas.width ** 2")
    assert after == pytest.approx(before, rel=0.1)
    desk.press("Predict")
    desk.is_in("known")
    expect(desk.digit).to_have_text("6")


def test_an_older_answer_never_replaces_a_newer_one(desk: Desk) -> None:
    held = desk.hold()
    desk.draw(DIGITS[1])
    desk.is_in("waiting")
    assert len(held) == 1
    desk.press("Clear")
    desk.is_in("none")
    desk.let_through()
    desk.draw(DIGITS[7])
    expect(desk.digit).to_have_text("7")
    given_up = desk.page.evaluate("window.sent.map(({ signal }) => signal.aborted)")
    assert given_up == [True, False]


def test_waiting_is_shown_only_when_it_is_long(desk: Desk) -> None:
    held = desk.hold()
    desk.draw(DIGITS[3])
    desk.is_in("waiting")
    desk.says("Reading")
    held[0].fulfill(status=200, content_type="application/json", body=json.dumps(ANSWER))
    desk.is_in("known")
    desk.says("This is a 3, 90% sure.")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "could not open the picture"),
        (413, "too large to send"),
        (415, "could not open the picture"),
        (422, "No digit could be made out"),
        (429, "too much to do"),
        (500, "no proper answer"),
        (502, "not there at the moment"),
        (503, "not there at the moment"),
        (504, "not there at the moment"),
    ],
)
def test_every_refusal_has_its_words(desk: Desk, status: int, said: str) -> None:
    desk.page.route("**/api/predict", lambda route: route.fulfill(status=status))
    desk.draw(DIGITS[8])
    desk.complains(said)
    expect(desk.digit).to_be_empty()
    assert desk.inked() > 1000, "the drawing stays"
    desk.let_through()
    desk.press("Predict")
    expect(desk.digit).to_have_text("8")
    expect(desk.page.get_by_role("alert")).to_have_text("")


@pytest.mark.parametrize("body", ["", "no JSON", "{}", "null"])
def test_an_answer_that_is_none_is_a_failure(desk: Desk, body: str) -> None:
    desk.page.route("**/api/predict", lambda route: route.fulfill(status=200, body=body))
    desk.draw(DIGITS[8])
    desk.complains("no proper answer")


def test_a_server_that_is_gone_and_comes_back(
    open_desk: Callable[..., Desk], release: Path
) -> None:
    with demo(release) as first:
        desk = open_desk(first.address)
        desk.draw(DIGITS[9])
        expect(desk.digit).to_have_text("9")
        assert first.stop() == 0
    desk.press("Predict")
    desk.complains("The server cannot be reached")
    assert desk.inked() > 1000
    with demo(release, LISTEN=first.address):
        desk.press("Predict")
        expect(desk.digit).to_have_text("9")


def test_offline_waits_and_then_reads_by_itself(desk: Desk) -> None:
    desk.page.context.set_offline(True)
    desk.draw(DIGITS[0])
    desk.complains("You are offline")
    desk.page.context.set_offline(False)
    expect(desk.digit).to_have_text("0")


def test_everything_is_reached_by_the_keyboard(desk: Desk) -> None:
    desk.draw(DIGITS[3])
    expect(desk.digit).to_have_text("3")
    desk.page.keyboard.press("Tab")
    expect(desk.page.get_by_role("button", name="Clear")).to_be_focused()
    desk.page.keyboard.press("Tab")
    expect(desk.page.get_by_role("button", name="Predict")).to_be_focused()
    with desk.page.expect_response("**/api/predict"):
        desk.page.keyboard.press("Enter")
    desk.page.keyboard.press("Shift+Tab")
    desk.page.keyboard.press("Space")
    desk.is_in("none")


def test_the_page_says_what_it_needs_without_javascript(browser: Browser, server: Server) -> None:
    # Playwright's own switch would leave <noscript> out.
    with closing(launch(browser.browser_type, "--blink-settings=scriptEnabled=false")) as bare:
        page = bare.new_page()
        page.goto(f"http://{server.address}/")
        box = page.locator("css=noscript p").bounding_box()
        assert box is not None
        assert box["height"] > 20


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "viewport",
    [PHONE, DESKTOP, {"width": 320, "height": 568}, {"width": 844, "height": 390}],
    ids=str,
)
def test_every_state_fits_every_screen(
    open_desk: Callable[..., Desk], viewport: dict[str, int], scheme: str
) -> None:
    """Leaves a photograph of each state in artifacts/screenshots/, to be looked at."""
    desk = open_desk(viewport=viewport, color_scheme=scheme, device_scale_factor=2)
    place = HOUSE / "artifacts" / "screenshots"

    def photograph(state: str) -> None:
        time.sleep(0.3)  # until the bars have moved
        name = f"{viewport['width']}x{viewport['height']}-{scheme}-{state}.png"
        desk.page.screenshot(path=place / name)
        assert desk.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        for button in ("Clear", "Predict"):
            box = desk.page.get_by_role("button", name=button).bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 44
            assert box["y"] + box["height"] <= viewport["height"]

    photograph("empty")
    desk.draw(DIGITS[7])
    desk.is_in("known")
    photograph("answer")
    held = desk.hold()
    desk.press("Predict")
    desk.is_in("waiting")
    photograph("waiting")
    held[0].abort()
    desk.is_in("failed")
    photograph("failed")
    desk.press("Clear")
    desk.press("Predict")
    photograph("nothing-drawn")
