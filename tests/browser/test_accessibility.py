"""axe finds nothing to complain of, in any state, light or dark, in any language."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api.process import Server
from tests.browser.answers import LINE, SURE, UNSURE, VERSION, answer
from tests.browser.drawing import DIGITS, draw_with_mouse

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
LANGUAGES = ["en", "de", "fr"]
SCHEMES = ["light", "dark"]


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.exists():
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say("axe-core is missing; requirements/setup.sh test installs it")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(params=[(lang, scheme) for lang in LANGUAGES for scheme in SCHEMES], ids="-".join)
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    language, scheme = request.param
    with ExitStack() as stack:
        context = stack.enter_context(
            browser.new_context(
                locale=language,
                color_scheme=scheme,
                reduced_motion="reduce",
                service_workers="block",
            )
        )
        context.set_default_timeout(15_000)
        page = context.new_page()
        answer(page, "version", VERSION)
        answer(page, "predict", SURE)
        answer(page, "read", LINE)
        yield page


def check(page: Page, axe: str, state: str) -> None:
    """Run every rule of axe, its recommendations too."""
    page.evaluate(axe)
    found: list[dict[str, Any]] = page.evaluate(
        "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)"
    )
    said = [
        f"{state}: {rule['id']}: {rule['help']}: {node['html'][:200]} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]
    assert said == [], "\n".join(said)


def test_drawing_and_answers(page: Page, server: Server, axe: str) -> None:
    page.goto(f"http://{server.address}/")
    expect(page.locator("#accuracy")).not_to_be_empty()
    assert page.locator("html").get_attribute("lang") in LANGUAGES
    state = page.locator("#answer")
    check(page, axe, "empty")
    draw_with_mouse(page, page.locator("#sheet"), DIGITS[5])
    expect(state).to_have_attribute("data-state", "known")
    expect(page.locator("#correction")).to_be_visible()
    check(page, axe, "answer")
    answer(page, "feedback", {"id": "1", "undo": "2"}, 201)
    page.locator(".key").nth(3).click()
    expect(page.locator("#told")).not_to_be_empty()
    check(page, axe, "corrected")
    answer(page, "predict", UNSURE)
    page.locator("#predict").click()
    expect(state).to_have_attribute("data-certain", "false")
    check(page, axe, "unsure")
    answer(page, "predict", {"status": 503}, 503)
    page.locator("#predict").click()
    expect(state).to_have_attribute("data-state", "failed")
    check(page, axe, "failed")
    page.unroute("**/api/predict*")
    page.route("**/api/predict*", lambda _: None)
    page.locator("#predict").click()
    expect(state).to_have_attribute("data-state", "waiting")
    check(page, axe, "waiting")


def test_zip_codes(page: Page, server: Server, axe: str) -> None:
    page.goto(f"http://{server.address}/")
    page.locator("input[name=mode][value=line]").check()
    check(page, axe, "empty line")
    draw_with_mouse(page, page.locator("#sheet"), DIGITS[5])
    expect(page.locator("#answer")).to_have_attribute("data-state", "known")
    expect(page.locator("#correction")).to_be_visible()
    check(page, axe, "line")


def test_how_it_works(page: Page, server: Server, axe: str) -> None:
    page.goto(f"http://{server.address}/how.html")
    expect(page.locator("#reader")).not_to_be_empty()
    check(page, axe, "how, empty")
    draw_with_mouse(page, page.locator("#sheet"), DIGITS[5])
    expect(page.locator("#normalised")).to_be_visible()
    check(page, axe, "how")
    answer(page, "predict", {"status": 503}, 503)
    draw_with_mouse(page, page.locator("#sheet"), DIGITS[5])
    expect(page.get_by_role("alert")).not_to_be_empty()
    check(page, axe, "how, failed")
