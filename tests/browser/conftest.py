from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Request, Route, expect

from mnist_api.demo import RELEASES, newest_release
from tests.api.process import Server, demo
from tests.browser.between import Between, between
from tests.browser.drawing import Stroke, draw_with_mouse


@pytest.fixture(scope="session")
def release() -> Path:
    return newest_release(RELEASES[1:])


@pytest.fixture(scope="session")
def server(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    kept = tmp_path_factory.mktemp("feedback")
    with demo(release, FEEDBACK=kept, FEEDBACK_PER_CLIENT=1000) as server:
        yield server


expect.set_options(timeout=15_000)

READING = re.compile(r"/api/(predict|read)\b")

KEEP_SENT = """
window.sent = [];
const send = window.fetch;
window.fetch = (address, options) => {
  window.sent.push(options);
  return send(address, options);
};
"""


class Desk:
    """The page in a browser tab, and what went over the wire and wrong while it was open."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.origin = origin
        self.requests: list[Request] = []
        self.errors: list[str] = []
        page.on("request", self._request)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._console)
        page.add_init_script(KEEP_SENT)
        page.goto(f"{origin}/")

    def _request(self, request: Request) -> None:
        self.requests.append(request)

    def _console(self, message: Any) -> None:
        # Chromium reports every failed request here; what the page does of it is tested.
        expected = message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and not expected:
            self.errors.append(message.text)

    @property
    def sheet(self) -> Locator:
        return self.page.locator("#sheet")

    @property
    def digit(self) -> Locator:
        """What was read: a digit, or a line of them."""
        return self.page.locator("#digit")

    @property
    def predictions(self) -> list[Request]:
        return [request for request in self.requests if request.method == "POST"]

    @property
    def bars(self) -> Locator:
        return self.page.locator("#bars").get_by_role("listitem")

    def choose(self, label: str) -> None:
        """Choose a mode or a pen."""
        self.page.get_by_role("radio", name=label).check()

    def hold(self) -> list[Route]:
        """Let no prediction through from now on; returns the list of those that come."""
        held: list[Route] = []

        def keep(route: Route) -> None:
            held.append(route)

        self.page.route(READING, keep)
        return held

    def let_through(self) -> None:
        self.page.unroute(READING)

    def draw(self, strokes: list[Stroke]) -> None:
        draw_with_mouse(self.page, self.sheet, strokes)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def says(self, text: str) -> None:
        """Check what a screen reader is told."""
        expect(self.page.locator("#status")).to_contain_text(text)

    def complains(self, text: str) -> None:
        expect(self.page.get_by_role("alert")).to_contain_text(text)

    def is_in(self, state: str) -> None:
        expect(self.page.locator("#answer")).to_have_attribute("data-state", state)

    def inked(self) -> int:
        """Count the pixels of the sheet on screen that are drawn on."""
        # Two frames later everything is painted.
        script = """canvas => new Promise(resolve => requestAnimationFrame(() =>
            requestAnimationFrame(() => {
                const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
                copy.drawImage(canvas, 0, 0);
                const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
                resolve(data.filter((value, i) => i % 4 === 3 && value > 127).length);
            })))"""
        return int(self.sheet.evaluate(script))

    def sent(self) -> Image.Image:
        """Return the picture that was sent last (the browser's log leaves bodies out)."""
        script = """async () => {
            const { body } = window.sent.findLast((options) => options?.method === "POST");
            const bytes = await body.arrayBuffer();
            return Array.from(new Uint8Array(bytes));
        }"""
        return Image.open(io.BytesIO(bytes(self.page.evaluate(script))))


@pytest.fixture
def gate(server: Server) -> Iterator[Between]:
    """Stand between browser and demo."""
    with between(server.address) as gate:
        yield gate


@pytest.fixture
def open_desk(browser: Browser, server: Server) -> Iterator[Callable[..., Desk]]:
    """Open the page; options go to the browser (viewport, has_touch, color_scheme …)."""
    desks = []
    with ExitStack() as stack:

        def open_page(address: str = server.address, **options: Any) -> Desk:
            context = stack.enter_context(browser.new_context(**options))
            context.set_default_timeout(15_000)
            desks.append(Desk(context.new_page(), f"http://{address}"))
            return desks[-1]

        yield open_page
    for desk in desks:
        assert desk.errors == []
        origins = {f"{urlsplit(request.url).netloc}" for request in desk.requests}
        assert origins == {urlsplit(desk.origin).netloc}, "the page asked somebody else"


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    return open_desk()
