"""For everyone: keyboard, screen readers, languages, sizes, motion, touch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Desk
from tests.browser.drawing import DIGITS, side_by_side

FOCUS_ORDER = [
    "Digit",
    "Sheet to draw on, empty",
    "Undo",
    "Redo",
    "Medium",
    "Open a picture",
    "Clear",
    "Read",
]


def test_everything_is_reached_by_the_keyboard_in_its_order(desk: Desk) -> None:
    name = "document.activeElement.ariaLabel ?? document.activeElement.closest('label')?.innerText"
    found = []
    for _ in FOCUS_ORDER:
        desk.page.keyboard.press("Tab")
        found.append(desk.page.evaluate(f"({name}) || document.activeElement.innerText").strip())
    assert found == FOCUS_ORDER


def test_a_digit_is_drawn_and_read_with_the_keyboard_alone(desk: Desk) -> None:
    keyboard = desk.page.keyboard
    for _ in range(2):
        keyboard.press("Tab")
    expect(desk.sheet).to_be_focused()
    keyboard.press("ArrowLeft")
    desk.says("9, 7")
    keyboard.press("Space")
    desk.says("Pen down at 9, 7")
    for key, times in (("ArrowRight", 10), ("End", 6), ("ArrowDown", 9)):
        for _ in range(times):
            keyboard.press(key)
    expect(desk.page.locator("#mark")).to_have_class("down")
    keyboard.press("Space")
    expect(desk.digit).to_have_text("7")
    desk.says("This is a 7")
    expect(desk.sheet).to_have_accessible_name("Sheet to draw on, with 1 stroke")
    with desk.page.expect_response("**/api/predict*"):
        keyboard.press("Enter")
    keyboard.press("Delete")
    desk.is_in("none")
    assert desk.inked() == 0
    keyboard.press("Control+z")
    expect(desk.digit).to_have_text("7")


def test_the_mode_and_the_answer_are_used_with_the_keyboard(desk: Desk) -> None:
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("ArrowRight")
    expect(desk.page.get_by_role("radio", name="ZIP code")).to_be_checked()
    desk.draw(side_by_side("17"))
    expect(desk.digit).to_have_text("17")
    desk.page.get_by_role("button", name="Digit 1: 1").focus()
    desk.page.keyboard.press("Enter")
    expect(desk.bars.nth(1)).to_have_class("row most")


def test_a_pen_that_is_down_is_lifted_when_the_focus_leaves(desk: Desk) -> None:
    desk.sheet.focus()
    desk.page.keyboard.press("Space")
    for _ in range(12):
        desk.page.keyboard.press("ArrowDown")
    desk.page.keyboard.press("Tab")
    expect(desk.page.locator("#mark")).not_to_have_class("down")
    desk.is_in("known")


def test_screen_readers_know_what_is_what(desk: Desk) -> None:
    sheet = desk.page.get_by_role("application", name="Sheet to draw on, empty")
    description = sheet.evaluate(
        "sheet => document.getElementById(sheet.getAttribute('aria-describedby')).textContent"
    )
    assert description.startswith("By keyboard: the arrow keys")
    expect(desk.page.get_by_role("radiogroup", name="What to draw")).to_be_visible()
    expect(desk.page.get_by_role("region", name="Answer")).to_be_visible()
    desk.draw(DIGITS[7])
    expect(desk.page.locator("#status")).to_have_attribute("role", "status")
    desk.says("This is a 7, ")
    expect(desk.page.get_by_role("button", name="That was an 8")).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "title", "read", "answer"),
    [
        ("en-GB", "Draw a digit", "Read", "This is a 7, "),
        ("de-AT", "Zeichnen Sie eine Ziffer", "Lesen", "Das ist eine 7, "),
        ("fr-CA", "Dessinez un chiffre", "Lire", "un 7, "),
        ("is-IS", "Draw a digit", "Read", "This is a 7, "),
    ],
)
def test_the_page_speaks_the_visitor_s_language(
    open_desk: Callable[..., Desk], locale: str, title: str, read: str, answer: str
) -> None:
    desk = open_desk(locale=locale)
    expect(desk.page.get_by_role("heading", level=1)).to_have_text(title)
    expect(desk.page).to_have_title(title)
    assert desk.page.evaluate("document.documentElement.lang") in ("en", "de", "fr")
    desk.draw(DIGITS[7])
    desk.says(answer)
    with desk.page.expect_response("**/api/predict*"):
        desk.press(read)


SIZES = [(320, 568), (390, 844), (844, 390), (768, 1024), (1440, 900), (3840, 2160)]
# German has the longest words.
SCREENS = [(*size, "de") for size in SIZES] + [
    (*size, locale) for size in (SIZES[0], SIZES[4]) for locale in ("en", "fr")
]


@pytest.mark.parametrize(("width", "height", "locale"), SCREENS)
def test_every_screen_holds_the_page(
    open_desk: Callable[..., Desk], width: int, height: int, locale: str
) -> None:
    desk = open_desk(viewport={"width": width, "height": height}, locale=locale)
    for value, strokes in (("digit", DIGITS[7]), ("line", side_by_side("17"))):
        desk.page.locator(f"input[value={value}]").check()
        desk.draw(strokes)
        desk.is_in("known")
        assert desk.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        small = desk.page.evaluate(
            """() => [...document.querySelectorAll("button, .choice label, .icon, .switch, #right")]
                .map((each) => [each.id || each.className, each.getBoundingClientRect()])
                .filter(([, { width }]) => width)
                .filter(([, { width, height }]) => Math.min(width, height) < 43.9)
                .map(([name, { width, height }]) => `${name} ${width} x ${height}`)"""
        )
        assert small == [], "a finger needs 44 pixels"
        sheet = desk.sheet.bounding_box()
        assert sheet is not None
        assert sheet["y"] + sheet["height"] <= height, "all of the sheet is on the screen"


def test_at_200_percent_nothing_is_lost(open_desk: Callable[..., Desk]) -> None:
    # Zooming a window of 1280 x 800 to 200% leaves 640 x 400 pixels of CSS, twice as dense.
    desk = open_desk(viewport={"width": 640, "height": 400}, device_scale_factor=2)
    desk.draw(DIGITS[7])
    expect(desk.digit).to_have_text("7")
    assert desk.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    for part in ("Clear", "Read", "That was a 1"):
        desk.page.get_by_role("button", name=part, exact=True).scroll_into_view_if_needed()
        expect(desk.page.get_by_role("button", name=part, exact=True)).to_be_in_viewport()


def test_reduced_motion_writes_nothing(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(reduced_motion="reduce")
    desk.draw(DIGITS[7])
    expect(desk.digit).to_have_text("7")
    moving = "document.getAnimations().filter(({ animationName }) => animationName === 'write')"
    assert desk.page.evaluate(f"{moving}.length") == 0
