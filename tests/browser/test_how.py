"""How it works: the page that shows the road of the visitor's own digit."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.api.process import HOUSE, Server
from tests.browser.answers import RELEASE, SURE, UNSURE, VERSION, answer
from tests.browser.drawing import DIGITS, draw_with_mouse

PICTURES = ("crop", "fitted", "normalised")
Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    """Open a path of the page; options go to the browser."""
    errors: list[str] = []
    with ExitStack() as stack:

        def open_page(path: str = "/how.html", **options: Any) -> Page:
            given = {"locale": "en", "service_workers": "block", **options}
            context = stack.enter_context(browser.new_context(**given))
            context.set_default_timeout(15_000)
            page = context.new_page()
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.goto(f"http://{server.address}{path}")
            return page

        yield open_page
    assert errors == []


def draw(page: Page, digit: int) -> None:
    draw_with_mouse(page, page.locator("#sheet"), DIGITS[digit])


def width(picture: Locator) -> int:
    """Return how many pixels a picture has in a row, once it is there."""
    expect(picture).to_be_visible()
    return int(
        picture.evaluate("async image => { await image.decode(); return image.naturalWidth; }")
    )


def test_the_digit_from_the_first_page_goes_its_road(visit: Visit) -> None:
    """By the API's own answer."""
    page = visit("/")
    draw(page, 7)
    expect(page.locator("#digit")).to_have_text("7")
    page.get_by_role("link", name="How it works").click()
    expect(page.locator("#said")).to_contain_text("This is a 7, ")
    expect(page.locator("#sheet")).to_have_accessible_name("Sheet to draw on, with 1 stroke")
    widths = {name: width(page.locator(f"#{name}")) for name in PICTURES}
    assert widths["crop"] > 28
    assert widths["fitted"] <= 20
    assert widths["normalised"] == 28
    bars = page.get_by_role("list", name="How probable").get_by_role("listitem")
    expect(bars).to_have_count(10)
    assert re.fullmatch(r"7\s*(9\d|100)%", bars.nth(7).inner_text())
    expect(page.locator("#seen")).to_be_visible()
    expect(page.locator("#reader")).to_contain_text("of the test digits")
    for image in page.locator("#filters img").all():
        assert width(image) > 1


def test_a_digit_drawn_here_is_on_the_first_page_too(visit: Visit) -> None:
    page = visit()
    draw(page, 3)
    expect(page.locator("#said")).to_contain_text("This is a 3, ")
    page.get_by_role("link", name="Back to drawing").first.click()
    expect(page.locator("#digit")).to_have_text("3")


def test_the_first_layer_s_answers_are_shown_where_there_are_any(visit: Visit) -> None:
    page = visit()
    answer(page, "predict", SURE)
    draw(page, 5)
    images = page.locator("#filters img")
    expect(images).to_have_count(len(SURE["stages"]["filters"]))
    assert width(images.first) == 26
    answer(page, "predict", {**SURE, "stages": {**SURE["stages"], "filters": []}})
    draw(page, 5)
    expect(page.get_by_role("heading", name="Filters")).to_be_hidden()


def test_not_sure_names_the_others(visit: Visit) -> None:
    page = visit()
    answer(page, "predict", UNSURE)
    draw(page, 5)
    expect(page.locator("#said")).to_have_text("Not sure: 5 (48%), 3 (45%), or 8 (7%).")
    expect(page.locator("#status")).to_have_text("Not sure: 5 (48%), 3 (45%), or 8 (7%).")


def test_an_empty_sheet_asks_nothing(visit: Visit) -> None:
    asked: list[str] = []
    page = visit()
    page.on("request", lambda request: asked.append(request.method))
    expect(page.locator("#said")).to_contain_text("Draw with")
    for name in PICTURES:
        expect(page.locator(f"#{name}")).to_be_hidden()
    draw(page, 1)
    expect(page.locator("#normalised")).to_be_visible()
    before = asked.count("POST")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#normalised")).to_be_hidden()
    expect(page.locator("#sheet")).to_have_accessible_name("Sheet to draw on, empty")
    assert asked.count("POST") == before


def test_a_failure_is_said_and_passes_by_itself(visit: Visit) -> None:
    page = visit()
    page.route(
        "**/api/predict*", lambda route: route.fulfill(status=503, headers={"Retry-After": "1"})
    )
    draw(page, 5)
    expect(page.get_by_role("alert")).to_contain_text("The reader is not there at the moment.")
    expect(page.locator("#normalised")).to_be_hidden()
    answer(page, "predict", SURE)
    expect(page.locator("#normalised")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_empty()


def test_it_is_drawn_with_the_keyboard(visit: Visit) -> None:
    page = visit()
    page.locator("#sheet").focus()
    for key in ["Space", *["ArrowDown"] * 14, "Space"]:
        page.keyboard.press(key)
    expect(page.locator("#said")).to_contain_text("1")
    expect(page.locator("#normalised")).to_be_visible()
    page.keyboard.press("Delete")
    expect(page.locator("#normalised")).to_be_hidden()


@pytest.mark.parametrize("language", ["de", "fr"])
def test_it_speaks_other_languages(visit: Visit, language: str) -> None:
    texts = """() => Object.fromEntries(
        [["word", "textContent"], ["label", "ariaLabel"], ["alt", "alt"]].flatMap(([kind, where]) =>
            [...document.querySelectorAll(`[data-${kind}]`)].map((each) =>
                [each.dataset[kind], each[where]])))"""
    english = visit().evaluate(texts)
    page = visit(locale=f"{language}-CH")
    answer(page, "version", VERSION)
    page.reload()
    other = page.evaluate(texts)
    same = {name for name, text in english.items() if other[name] == text}
    assert same <= {"fittedTitle", "normalisedTitle", "releaseTitle"}, "numbers, and a loan word"
    assert page.title() == other["howTitle"] != "How it works"
    assert page.locator("html").get_attribute("lang") == language
    expect(page.locator("#reader")).to_contain_text(RELEASE)


def test_without_javascript_the_words_are_there(visit: Visit) -> None:
    page = visit(java_script_enabled=False)
    expect(page.get_by_role("heading", name="Filters")).to_be_visible()
    expect(page.locator("#release")).to_have_text("Release")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(390, 844), (1440, 900), (320, 568)], ids=str)
def test_it_fits_every_screen(visit: Visit, size: tuple[int, int], scheme: str) -> None:
    """Leaves photographs in artifacts/screenshots/, to be looked at."""
    page = visit(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    answer(page, "version", VERSION)
    page.reload()
    place = HOUSE / "artifacts" / "screenshots"
    for state in ("empty", "drawn"):
        if state == "drawn":
            draw(page, 5)
            expect(page.locator("#normalised")).to_be_visible()
            time.sleep(0.3)  # until the bars have moved
        name = f"{size[0]}x{size[1]}-{scheme}-how-{state}.png"
        page.screenshot(path=place / name, full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        for control in page.locator("button, .back").all():
            box = control.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 44
