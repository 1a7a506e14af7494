"""Draws the drawings of tests/fixtures/drawings on the page, with a pen, in a Chromium of its own.

Points go to the browser as fast as it takes them, without waiting for each: they arrive several a
frame, as those of a quick hand on a fast screen do, and a thousand of them take a second.
"""

from __future__ import annotations

import asyncio
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from playwright.async_api import CDPSession, Page, async_playwright

from tests.api.process import HOUSE
from tests.browser.chromium import FLAGS, PROGRAM

Drawing = dict[str, Any]
"""{name, text, height, style, hand, strokes}: see tests/fixtures/drawings/make.py."""

KEEP_ANSWERS = """
window.answers = [];
const send = window.fetch;
window.fetch = async (address, options) => {
  const answer = { address: String(address) };
  if (options?.method === "POST") window.answers.push(answer);
  const response = await send(address, options);
  if (response.headers.get("Content-Type")?.includes("json")) {
    answer.content = await response.clone().json();
  }
  return response;
};
// Presses the button, and resolves to what the API says to it.
window.ask = async () => {
  const before = window.answers.length;
  document.getElementById("predict").click();
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 4));
    const last = window.answers.at(-1);
    if (window.answers.length > before && last.content) return last.content;
  }
};
"""


@dataclass(frozen=True)
class Read:
    """What the page made of a drawing: what the API said, what it shows, how many strokes."""

    said: dict[str, Any]
    shown: str


def drawings(name: str) -> list[Drawing]:
    """Return the drawings of a file, `digits` or `zip-codes`."""
    file = HOUSE / "tests" / "fixtures" / "drawings" / f"{name}.json"
    listed: list[Drawing] = json.loads(file.read_text(encoding="utf-8"))
    return listed


def read_all(origin: str, some: list[Drawing], mode: str) -> list[Read]:
    """Draw one after another on one page and return what was read; mode: `digit` or `line`."""
    # Playwright's other half, which the rest of the tests use, has this thread.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _read_all(origin, some, mode)).result()


async def _read_all(origin: str, some: list[Drawing], mode: str) -> list[Read]:
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=PROGRAM, args=flags)
        page = await browser.new_page(viewport={"width": 1000, "height": 1000})
        page.set_default_timeout(15_000)
        await page.add_init_script(KEEP_ANSWERS)
        await page.goto(f"{origin}/")
        await page.locator(f"input[name=mode][value={mode}]").check()
        session = await page.context.new_cdp_session(page)
        read = []
        for drawing in some:
            await _draw(page, session, drawing)
            said = await asyncio.wait_for(page.evaluate("ask()"), 15)
            shown = await page.locator("#digit").text_content()
            read.append(Read(said, "".join((shown or "").split())))
            await page.evaluate("document.getElementById('clear').click()")
        await browser.close()
        return read


async def _draw(page: Page, session: CDPSession, drawing: Drawing) -> None:
    sheet = await page.locator("#sheet").bounding_box()
    assert sheet is not None, "the sheet is not on the screen"
    last: Any = None
    # In the middle of the sheet's height, should the sheet be of another shape.
    below = (sheet["height"] / sheet["width"] - drawing["height"]) / 2
    for stroke in drawing["strokes"]:
        for place, (_, x, y, pressure) in enumerate(stroke):
            at = {
                "x": sheet["x"] + x * sheet["width"],
                "y": sheet["y"] + (y + below) * sheet["width"],
            }
            _send(session, "mouseMoved" if place else "mousePressed", at, pressure)
        last = _send(session, "mouseReleased", at, 0)
    await last


def _send(session: CDPSession, kind: str, at: dict[str, float], pressure: float) -> Any:
    event = {
        **at,
        "type": kind,
        "button": "left",
        "buttons": 0 if kind == "mouseReleased" else 1,
        "clickCount": 1,
        "pointerType": "pen",
        "force": pressure,
    }
    return asyncio.ensure_future(session.send("Input.dispatchMouseEvent", event))
