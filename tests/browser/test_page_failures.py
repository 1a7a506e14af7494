"""When things go wrong: every failure is a real one, has its own words, and passes by itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.api.process import demo
from tests.browser.between import Between
from tests.browser.conftest import Desk
from tests.browser.drawing import DIGITS, encoded, picture, side_by_side
from tests.browser.test_page import ANSWER


@pytest.fixture
def gated(open_desk: Callable[..., Desk], gate: Between) -> Desk:
    """Open the page with the gate before the server."""
    return open_desk(gate.address)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (429, "too much to do"),
        (500, "no proper answer"),
        (502, "not there at the moment"),
        (503, "not there at the moment"),
        (504, "not there at the moment"),
    ],
)
def test_a_failure_that_passes_is_retried_by_itself(
    gated: Desk, gate: Between, status: int, said: str
) -> None:
    gate.refuse(status)
    gated.draw(DIGITS[8])
    gated.complains(said)
    gated.complains("Your drawing stays.")
    expect(gated.page.locator("#retry")).to_contain_text("Next try in")
    expect(gated.digit).to_be_empty()
    assert gated.inked() > 1000
    gate.work()
    expect(gated.digit).to_have_text("8")
    expect(gated.page.get_by_role("alert")).to_have_text("")
    expect(gated.page.locator("#retry")).to_have_text("")


@pytest.mark.parametrize("status", [429, 503])
def test_it_waits_as_long_as_the_server_says(gated: Desk, gate: Between, status: int) -> None:
    gate.refuse(status, Retry_After="3")
    gated.draw(DIGITS[8])
    expect(gated.page.locator("#retry")).to_have_text("Next try in 3 s.")
    gate.work()
    before = len(gate.asked)
    gated.draw(DIGITS[1])
    gated.press("Read")
    expect(gated.page.locator("#retry")).to_have_text("Next try in 2 s.")
    assert len(gate.asked) == before, "told to wait, it waits"
    gated.is_in("known")
    assert len(gate.asked) > before


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        (400, None, "could not open the picture"),
        (413, None, "too large to send"),
        (415, None, "could not open the picture"),
        (422, "blank", "No digit could be made out"),
        (422, "all-ink", "Nearly all of the sheet is ink"),
        (422, "too-many-digits", "too many digits"),
    ],
)
def test_a_refusal_has_its_words_and_is_not_repeated(
    gated: Desk, gate: Between, status: int, reason: str | None, said: str
) -> None:
    gate.refuse(status, **({"reason": reason} if reason else {}))
    gated.draw(DIGITS[8])
    gated.complains(said)
    expect(gated.page.locator("#retry")).to_have_text("")
    assert gated.inked() > 1000, "the drawing stays"
    gate.work()
    gated.press("Read")
    expect(gated.digit).to_have_text("8")


def test_a_picture_of_nothing_is_refused_by_the_api(desk: Desk) -> None:
    file: Any = {"name": "0.png", "mimeType": "image/png", "buffer": encoded(picture([]))}
    desk.page.get_by_label("Open a picture").set_input_files(file)
    desk.complains("No digit could be made out")


def test_more_digits_than_the_api_reads(desk: Desk) -> None:
    desk.choose("ZIP code")
    desk.choose("Fine")
    turns = [2 * math.pi * step / 8 for step in range(9)]
    desk.draw(
        [
            [(0.04 + 0.04 * i + 0.011 * math.cos(a), 0.5 + 0.05 * math.sin(a)) for a in turns]
            for i in range(24)
        ]
    )
    desk.complains("too many digits")


def test_a_drawing_that_is_too_large_for_the_server(
    open_desk: Callable[..., Desk], release: Path
) -> None:
    with demo(release, MAX_BODY_BYTES=1024) as small:
        desk = open_desk(small.address)
        desk.draw(DIGITS[8])
        desk.complains("too large to send")
        assert desk.inked() > 1000


@pytest.mark.parametrize("body", [b"", b"no JSON", b"{}", b"null"])
def test_an_answer_that_is_none_is_a_failure(gated: Desk, gate: Between, body: bytes) -> None:
    gate.reply(body)
    gated.draw(DIGITS[8])
    gated.complains("no proper answer")


def test_a_server_that_hangs_up(gated: Desk, gate: Between) -> None:
    gate.hang_up()
    gated.draw(DIGITS[7])
    gated.complains("The server cannot be reached")
    gate.work()
    expect(gated.digit).to_have_text("7")


def test_a_server_that_is_stopped_and_comes_back(
    open_desk: Callable[..., Desk], release: Path
) -> None:
    with demo(release) as first:
        desk = open_desk(first.address)
        desk.draw(DIGITS[9])
        expect(desk.digit).to_have_text("9")
        assert first.stop() == 0
    desk.press("Read")
    desk.complains("The server cannot be reached. Your drawing stays.")
    assert desk.inked() > 1000
    with demo(release, LISTEN=first.address):
        expect(desk.digit).to_have_text("9", timeout=40_000)


def test_offline_waits_and_then_reads_by_itself(desk: Desk) -> None:
    # Chromium itself complains of a service worker that it is still fetching then.
    desk.page.evaluate("async () => { await navigator.serviceWorker.ready; }")
    desk.page.context.set_offline(True)
    desk.draw(DIGITS[0])
    desk.complains("You are offline")
    desk.page.context.set_offline(False)
    expect(desk.digit).to_have_text("0")


def test_waiting_is_shown_only_when_it_is_long(gated: Desk, gate: Between) -> None:
    gated.page.evaluate(
        """() => {
            window.states = [];
            const answer = document.getElementById("answer");
            new MutationObserver(() => window.states.push(answer.dataset.state))
                .observe(answer, { attributes: true, attributeFilter: ["data-state"] });
        }"""
    )
    gated.draw(DIGITS[3])
    gated.is_in("known")
    assert "waiting" not in gated.page.evaluate("window.states")
    gate.hold()
    gated.press("Read")
    gated.is_in("waiting")
    gated.says("Reading")
    gate.work()
    gated.is_in("known")


def test_a_server_that_takes_too_long_is_asked_again(gated: Desk, gate: Between) -> None:
    gate.hold()
    gated.draw(DIGITS[3])
    gated.complains("The server takes too long")
    gate.work()
    expect(gated.digit).to_have_text("3")


def test_an_older_answer_never_replaces_a_newer_one(gated: Desk, gate: Between) -> None:
    gate.hold()
    gated.draw(DIGITS[1])
    gated.is_in("waiting")
    gated.press("Clear")
    gated.is_in("none")
    gate.reply(ANSWER)
    gate.work()
    gated.draw(DIGITS[7])
    expect(gated.digit).to_have_text("7")
    posts = "window.sent.filter((o) => o?.method === 'POST').map(({ signal }) => signal.aborted)"
    aborted = gated.page.evaluate(posts)
    assert aborted[0]
    assert not aborted[-1]


def test_a_failure_in_zip_mode_is_gone_in_digit_mode(gated: Desk, gate: Between) -> None:
    gate.refuse(502)
    gated.choose("ZIP code")
    gated.draw(side_by_side("1"))
    gated.complains("not there at the moment")
    gated.choose("Digit")
    gated.is_in("none")
    expect(gated.page.get_by_role("alert")).to_have_text("")
