"""Photographs every state of the page: python -m tests.browser.screenshots DIRECTORY [WHICH …].

WHICH is phone-light, phone-dark, desktop-light or desktop-dark; without it, all of them. A phone
has 390x844 pixels and a desktop 1440x900, both twice as dense. The demo with the newest release
answers; the failures are made by a server in between.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from mnist_api.demo import newest_release
from tests.api.process import demo
from tests.browser.between import Between, between
from tests.browser.chromium import chromium
from tests.browser.drawing import DIGITS, Stroke, draw_with_mouse, encoded, picture
from tests.browser.hands import drawings

SCREENS = {"phone": (390, 844), "desktop": (1440, 900)}
SCHEMES = ("light", "dark")


def by_hand(file: str, name: str, width: float, height: float) -> list[Stroke]:
    """Return a drawing of tests/fixtures/drawings, fitted into the middle part of its sheet.

    width, height: of that part, as shares of the sheet's.
    """
    (drawing,) = [each for each in drawings(file) if each["name"] == name]
    aspect = 1 if file == "digits" else 2.5
    points = [(x, y * aspect) for stroke in drawing["strokes"] for _, x, y, _ in stroke]
    low, high = ([pick(axis) for axis in zip(*points, strict=True)] for pick in (min, max))
    scale = min(width / (high[0] - low[0]), height / (high[1] - low[1]))

    def place(value: float, axis: int) -> float:
        return 0.5 + (value - (low[axis] + high[axis]) / 2) * scale

    return [
        [(place(x, 0), place(y * aspect, 1)) for _, x, y, _ in stroke]
        for stroke in drawing["strokes"]
    ]


def between_four_and_nine(gap: float) -> list[Stroke]:
    """Draw something that is open at the top by `gap`."""
    return [
        [(0.36 + gap, 0.22), (0.32 + gap, 0.42), (0.36 + gap, 0.5), (0.5, 0.53), (0.62, 0.5)],
        [(0.64 - gap, 0.2), (0.64, 0.5), (0.6, 0.84)],
    ]


class Camera:
    """One page on one kind of screen."""

    def __init__(self, page: Page, place: Path, name: str) -> None:
        self.page = page
        self._place = place
        self._name = name

    def draw(self, strokes: Any, state: str = "known") -> None:
        draw_with_mouse(self.page, self.page.locator("#sheet"), strokes, step=0.02)
        self.wait(state)

    def wait(self, state: str) -> None:
        self.page.locator(f'#answer[data-state="{state}"]').wait_for(timeout=60_000)

    def clear(self) -> None:
        self.page.locator("#clear").click()

    def shoot(self, state: str) -> None:
        """Save what is on the screen, after everything has stopped moving."""
        self.page.mouse.move(0, 0)
        self.page.wait_for_timeout(300)
        file = self._place / f"{state}-{self._name}.png"
        self.page.screenshot(path=file, animations="disabled")
        print(file)


def main() -> int:
    """Take all photographs."""
    if len(sys.argv) < 2:
        sys.exit("Say where to: python -m tests.browser.screenshots DIRECTORY [phone-dark …]")
    place, only = Path(sys.argv[1]), sys.argv[2:]
    place.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as kept,
        chromium() as browser,
        demo(newest_release(), FEEDBACK=kept) as server,
        between(server.address) as gate,
    ):
        for camera in cameras(browser, gate, place, only):
            photograph(camera, gate)
    return 0


def cameras(browser: Browser, gate: Between, place: Path, only: list[str]) -> Iterator[Camera]:
    """Open the page once for every screen and scheme, or only for those named."""
    for screen, (width, height) in SCREENS.items():
        for scheme in SCHEMES:
            if only and f"{screen}-{scheme}" not in only:
                continue
            with opened(browser, gate, width, height, scheme) as page:
                yield Camera(page, place, f"{screen}-{scheme}")


@contextmanager
def opened(browser: Browser, gate: Between, width: int, height: int, scheme: Any) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=2
    )
    page = context.new_page()
    page.goto(f"http://{gate.address}/")
    try:
        yield page
    finally:
        context.close()


def photograph(camera: Camera, gate: Between) -> None:
    """Bring the page into one state after the other."""
    page = camera.page
    camera.shoot("empty")
    camera.draw(by_hand("digits", "2 looped 1", 0.7, 0.7))
    camera.shoot("answer")
    page.locator("#mattered").check()
    camera.wait("known")
    camera.shoot("mattered")
    page.locator("#keys button").nth(1).click()
    page.locator("#back").wait_for()
    camera.shoot("corrected")
    for gap in (0.1, 0.11, 0.12, 0.125, 0.13, 0.135):
        camera.clear()
        camera.draw(between_four_and_nine(gap))
        if page.locator("#answer").get_attribute("data-certain") == "false":
            break
    camera.shoot("unsure")
    failures(camera, gate)
    by_keyboard_and_file(camera)
    page.locator("input[value=line]").check()
    camera.shoot("zip-empty")
    camera.draw(by_hand("zip-codes", "94105", 0.88, 0.56))
    camera.shoot("zip-answer")


def failures(camera: Camera, gate: Between) -> None:
    gate.hold()
    camera.page.locator("#predict").click()
    camera.wait("waiting")
    camera.shoot("waiting")
    gate.refuse(503, Retry_After="60")
    gate.release()
    camera.wait("failed")
    camera.shoot("busy")
    gate.work()
    camera.page.reload()
    camera.wait("known")
    gate.refuse(422, reason="blank")
    camera.page.locator("#predict").click()
    camera.wait("failed")
    camera.shoot("refused")
    gate.work()
    camera.page.context.set_offline(True)
    camera.page.locator("#predict").click()
    camera.page.get_by_text("You are offline").wait_for()
    camera.shoot("offline")
    camera.page.context.set_offline(False)
    camera.wait("known")
    camera.clear()


def by_keyboard_and_file(camera: Camera) -> None:
    page = camera.page
    page.locator("#sheet").focus()
    for key in ("Space", *["ArrowRight"] * 10, *["End"] * 6, *["ArrowDown"] * 6):
        page.keyboard.press(key)
    camera.wait("known")
    camera.shoot("keyboard")
    page.keyboard.press("Space")
    page.keyboard.press("Delete")
    content = encoded(picture(DIGITS[6], side=400, pen=26))
    file: Any = {"name": "six.png", "mimeType": "image/png", "buffer": content}
    page.locator("#file").set_input_files(file)
    camera.wait("known")
    camera.shoot("picture")
    camera.clear()


if __name__ == "__main__":
    sys.exit(main())
