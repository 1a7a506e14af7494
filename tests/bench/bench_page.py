"""The page's figures, from the browser's performance trace: python -m tests.bench.bench_page [n].

| figure | from | to | goal |
|---|---|---|---|
| pen up to answer | the pen is lifted | the frame that shows the answer | p50 60 ms, p95 150 ms |
| frames while drawing | 60 points in every frame | the next frame | 60 a second |

The demo serves page and API. A point in time is when the browser's trace says that the event was
handled, or that the frame was drawn.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
from typing import Any

from playwright.sync_api import CDPSession, Page

from mnist_api.demo import newest_release
from tests.api.process import demo
from tests.bench.harness import measured_on
from tests.browser.chromium import chromium
from tests.browser.drawing import DIGITS, draw_with_mouse

CATEGORIES = [
    "blink.user_timing",
    "devtools.timeline",
    "disabled-by-default-devtools.timeline.frame",
    "devtools.timeline.frame",
]
DRAWN_SECONDS = 5
MARK_ANSWERS = """() => {
    const answer = document.getElementById("digit");
    new MutationObserver(() => {
        const { state } = document.getElementById("answer").dataset;
        if (state === "known") performance.mark("answer");
    }).observe(answer, { childList: true });
    document.getElementById("sheet").addEventListener(
        "pointerup", () => performance.mark("pen up"), { capture: true });
}"""
ANSWERED = """() => {
    const [up, shown] = ["pen up", "answer"].map(name => performance.getEntriesByName(name).at(-1));
    return shown?.startTime > up.startTime;
}"""
# 60 points in each frame, on a spiral over the whole sheet.
DRAW = """seconds => new Promise(resolve => {
    const sheet = document.getElementById("sheet");
    const { left, top, width, height } = sheet.getBoundingClientRect();
    let drawn = 0;
    const point = () => {
        const turn = drawn++ / 90;
        const radius = 0.1 + 0.3 * Math.abs(Math.sin(turn / 23));
        return new PointerEvent("pointermove", { pointerId: 1, bubbles: true, buttons: 1,
            clientX: left + width * (0.5 + radius * Math.cos(turn)),
            clientY: top + height * (0.5 + radius * Math.sin(turn)) });
    };
    const start = performance.now();
    const frame = (now) => {
        if (now - start > seconds * 1000) {
            performance.mark("drawn");
            resolve(drawn);
            return;
        }
        const coalescedEvents = Array.from({ length: 60 }, point);
        const { clientX, clientY } = coalescedEvents.at(-1);
        sheet.dispatchEvent(new PointerEvent("pointermove",
            { pointerId: 1, bubbles: true, buttons: 1, clientX, clientY, coalescedEvents }));
        requestAnimationFrame(frame);
    };
    performance.mark("drawing");
    requestAnimationFrame(frame);
})"""


class Trace:
    """Records what the browser does, event by event."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session
        self._events: list[dict[str, Any]] = []
        self._done = False
        session.on("Tracing.dataCollected", lambda data: self._events.extend(data["value"]))
        session.on("Tracing.tracingComplete", self._complete)

    def _complete(self, _: Any) -> None:
        self._done = True

    def start(self) -> None:
        self._events.clear()
        self._done = False
        config = {"includedCategories": CATEGORIES, "recordMode": "recordUntilFull"}
        self._session.send("Tracing.start", {"traceConfig": config})

    def stop(self, page: Page) -> list[dict[str, Any]]:
        """Return the events in the order of their time (`ts`, in microseconds)."""
        self._session.send("Tracing.end")
        while not self._done:
            page.wait_for_timeout(50)
        return sorted(self._events, key=lambda event: event["ts"])


def main() -> int:
    """Measure, print a table; 1 if a goal is missed."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with demo(newest_release()) as server, chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"http://{server.address}/")
        page.evaluate(MARK_ANSWERS)
        trace = Trace(page.context.new_cdp_session(page))
        waits = [wait for _ in range(count) for wait in answer_times(page, trace)]
        points, frames = frame_times(page, trace)
    print(header())
    print("| figure | n | p50 | p95 | max | goal |\n|---|---|---|---|---|---|")
    wait = row("pen up to answer", waits, "p50 60 ms, p95 150 ms")
    frame = row(f"frame while {points} points are drawn", frames, "16.7 ms")
    rate = 1000 * len(frames) / sum(frames)
    late = sum(each > 25 for each in frames)
    print(f"\n{rate:.1f} frames a second, {late} of {len(frames)} frames late (over 25 ms)")
    return int(wait[0] > 60 or wait[1] > 150 or frame[0] > 17)


def answer_times(page: Page, trace: Trace) -> list[float]:
    """Draw a digit; return the milliseconds from pen up to the answer's frame, of each stroke."""
    trace.start()
    sheet = page.locator("#sheet")
    draw_with_mouse(page, sheet, DIGITS[7])
    page.wait_for_function(ANSWERED)
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 300)))")
    events = trace.stop(page)
    page.locator("#clear").click()
    up = [event["ts"] for event in events if event["name"] == "pen up"]
    waits = []
    for lifted in up:
        shown = next(e["ts"] for e in events if e["name"] == "answer" and e["ts"] > lifted)
        drawn = next(e["ts"] for e in events if e["name"] == "DrawFrame" and e["ts"] > shown)
        waits.append((drawn - lifted) / 1000)
    return waits


def frame_times(page: Page, trace: Trace) -> tuple[int, list[float]]:
    """Draw for some seconds; return how many points, and the milliseconds between frames."""
    box = page.locator("#sheet").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2)
    page.mouse.down()
    trace.start()
    points = int(page.evaluate(DRAW, DRAWN_SECONDS))
    events = trace.stop(page)
    page.mouse.up()
    start = next(event["ts"] for event in events if event["name"] == "drawing")
    stop = next(event["ts"] for event in events if event["name"] == "drawn")
    drawn = [e["ts"] for e in events if e["name"] == "DrawFrame" and start < e["ts"] < stop]
    return points, [(b - a) / 1000 for a, b in itertools.pairwise(drawn)]


def row(name: str, values: list[float], goal: str) -> tuple[float, float]:
    """Print one line of the table; return its p50 and p95."""
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    middle, late = statistics.median(values), cuts[-1]
    figures = " | ".join(f"{value:.1f} ms" for value in (middle, late, max(values)))
    print(f"| {name} | {len(values)} | {figures} | {goal} |")
    return middle, late


def header() -> str:
    return f"{measured_on()}, load {os.getloadavg()[0]:.1f}\n"


if __name__ == "__main__":
    sys.exit(main())
