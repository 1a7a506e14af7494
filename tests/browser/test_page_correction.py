"""That was a …: an answer is corrected by one tap, and that is taken back by another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.between import Between
from tests.browser.conftest import Desk
from tests.browser.drawing import DIGITS, side_by_side

RECEIPT = {"id": "0" * 16, "undo": "f" * 32}


def sent_feedback(desk: Desk) -> list[dict[str, Any]]:
    script = """() => Promise.all(window.sent
        .filter((options) => options?.body?.type === "application/json")
        .map(({ body }) => body.text()))"""
    return [json.loads(text) for text in desk.page.evaluate(script)]


def test_one_tap_corrects_and_another_takes_it_back(desk: Desk, release: Path) -> None:
    desk.draw(DIGITS[7])
    expect(desk.digit).to_have_text("7")
    expect(desk.page.locator("#correction")).to_contain_text("they are kept to train")
    assert sent_feedback(desk) == []
    desk.press("That was a 1")
    expect(desk.digit).to_have_text("1")
    expect(desk.page.locator("#told")).to_contain_text("Thank you")
    (sent,) = sent_feedback(desk)
    image = sent.pop("image")
    assert image.startswith("data:image/png;base64,")
    assert sent == {"kind": "digit", "said": "7", "right": "1", "release": release.name}
    with desk.page.expect_response(lambda answer: answer.request.method == "DELETE") as gone:
        desk.press("Take it back")
    assert gone.value.status == 204
    expect(desk.page.locator("#told")).to_have_text("Taken back.")
    expect(desk.digit).to_have_text("7")


def test_the_last_tap_counts(desk: Desk) -> None:
    desk.draw(DIGITS[7])
    expect(desk.digit).to_have_text("7")
    desk.press("That was a 1")
    expect(desk.page.locator("#told")).to_contain_text("Thank you")
    with desk.page.expect_response(lambda answer: answer.request.method == "DELETE") as gone:
        desk.press("That was a 2")
    assert gone.value.status == 204
    expect(desk.digit).to_have_text("2")
    expect(desk.page.locator("#told")).to_contain_text("Thank you")


def test_a_line_is_corrected_by_writing_what_it_was(desk: Desk) -> None:
    desk.choose("ZIP code")
    desk.draw(side_by_side("170"))
    expect(desk.digit).to_have_text("170")
    field = desk.page.get_by_label("Read wrongly? It was")
    expect(field).to_have_value("170")
    field.fill("1700")
    desk.press("Send")
    expect(desk.digit).to_have_text("1700")
    expect(desk.page.locator("#told")).to_contain_text("Thank you")
    (sent,) = sent_feedback(desk)
    assert (sent["kind"], sent["said"], sent["right"]) == ("line", "170", "1700")


def test_a_new_drawing_is_a_new_question(desk: Desk) -> None:
    desk.draw(DIGITS[7])
    expect(desk.digit).to_have_text("7")
    desk.press("That was a 1")
    expect(desk.page.locator("#told")).to_contain_text("Thank you")
    desk.press("Clear")
    expect(desk.page.locator("#correction")).to_be_hidden()
    desk.draw(DIGITS[3])
    expect(desk.digit).to_have_text("3")
    expect(desk.page.locator("#told")).to_have_text("")
    expect(desk.page.get_by_role("button", name="Take it back")).to_be_hidden()


@pytest.mark.parametrize(
    ("status", "said"),
    [(429, "enough for now"), (503, "not collected here"), (500, "could not be sent")],
)
def test_what_the_server_does_not_take_is_said(
    open_desk: Callable[..., Desk], gate: Between, status: int, said: str
) -> None:
    desk = open_desk(gate.address)
    desk.draw(DIGITS[7])
    expect(desk.digit).to_have_text("7")
    gate.refuse(status)
    desk.press("That was a 1")
    expect(desk.page.locator("#told")).to_contain_text(said)
    expect(desk.page.get_by_role("button", name="Take it back")).to_be_hidden()
