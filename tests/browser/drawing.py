"""Digits as strokes, and hands to draw them with: in a browser by mouse or finger, or as a picture.

A stroke is a list of points (x, y), both from 0 (left, top) to 1 (right, bottom) of the sheet.
"""

from __future__ import annotations

import io
import itertools
import math
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Locator, Page

Point = tuple[float, float]
Stroke = list[Point]


def _arc(centre: Point, radii: Point, start: float, stop: float) -> Stroke:
    """Points on an ellipse from one angle to another, in degrees: 0 is right, 90 is down."""
    steps = max(4, round(abs(stop - start) / 12))
    angles = [math.radians(start + (stop - start) * step / steps) for step in range(steps + 1)]
    return [
        (centre[0] + radii[0] * math.cos(angle), centre[1] + radii[1] * math.sin(angle))
        for angle in angles
    ]


DIGITS: dict[int, list[Stroke]] = {
    0: [_arc((0.5, 0.5), (0.2, 0.32), -90, 270)],
    1: [[(0.42, 0.3), (0.54, 0.18), (0.54, 0.82)]],
    2: [
        [
            *_arc((0.5, 0.36), (0.2, 0.18), 190, 380),
            (0.5, 0.62),
            (0.3, 0.82),
            (0.74, 0.82),
        ]
    ],
    3: [
        [
            *_arc((0.47, 0.34), (0.19, 0.16), 200, 440),
            *_arc((0.47, 0.66), (0.21, 0.17), -80, 150),
        ]
    ],
    4: [[(0.38, 0.18), (0.28, 0.56), (0.74, 0.56)], [(0.62, 0.2), (0.6, 0.86)]],
    5: [
        [(0.37, 0.2), (0.34, 0.46), *_arc((0.47, 0.62), (0.22, 0.19), -120, 150)],
        [(0.37, 0.2), (0.68, 0.19)],
    ],
    6: [[(0.62, 0.16), (0.46, 0.28), (0.37, 0.5), *_arc((0.5, 0.66), (0.16, 0.17), 190, 550)]],
    7: [[(0.28, 0.24), (0.72, 0.22), (0.6, 0.5), (0.46, 0.82)]],
    8: [[*_arc((0.5, 0.34), (0.15, 0.16), 90, 450), *_arc((0.5, 0.67), (0.18, 0.17), -90, 270)]],
    9: [[*_arc((0.5, 0.36), (0.16, 0.18), 0, -360), (0.64, 0.55), (0.56, 0.84)]],
}
"""Every digit as a person might write it."""


def side_by_side(digits: str, places: int = 5, aspect: float = 2.5) -> list[Stroke]:
    """Write digits into the first of a wide sheet's places, each as high as most of it."""
    return [
        [
            ((place + 0.5) / places + (x - 0.5) * 0.7 / aspect, 0.5 + (y - 0.5) * 0.8)
            for x, y in stroke
        ]
        for place, digit in enumerate(digits)
        for stroke in DIGITS[int(digit)]
    ]


def picture(strokes: list[Stroke], side: int = 280, pen: int = 18) -> Image.Image:
    """Draw strokes in black on white; side and pen in pixels."""
    sheet = Image.new("L", (side, side), 255)
    draw = ImageDraw.Draw(sheet)
    for stroke in strokes:
        points = [(x * side, y * side) for x, y in stroke]
        draw.line(points, fill=0, width=pen, joint="curve")
        for x, y in (points[0], points[-1]):
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=0)
    return sheet


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    """Return an image as a file."""
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def draw_with_mouse(page: Page, sheet: Locator, strokes: list[Stroke], step: float = 0.08) -> None:
    """Draw with the left button, a move about every `step` of the sheet, as a hand does."""
    for first, *others in _on_screen(sheet, strokes, step):
        page.mouse.move(*first)
        page.mouse.down()
        for point in others:
            page.mouse.move(*point)
        page.mouse.up()


def draw_with_finger(page: Page, sheet: Locator, strokes: list[Stroke]) -> None:
    """Draw with one finger; the page must have a touch screen (has_touch)."""
    session = page.context.new_cdp_session(page)
    for first, *others in _on_screen(sheet, strokes):
        _touch(session, "touchStart", first)
        for point in others:
            _touch(session, "touchMove", point)
        _touch(session, "touchEnd")
    session.detach()


def _touch(session: CDPSession, kind: str, *points: Point) -> None:
    touches = [{"x": x, "y": y} for x, y in points]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def _on_screen(sheet: Locator, strokes: list[Stroke], step: float = 0.08) -> list[Stroke]:
    """Return the strokes in pixels of the window, with a point about every `step` of the sheet.

    The browser takes a point a frame: more of them make a slower hand, not a better line.
    """
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    assert box is not None, "the sheet is not on the screen"
    return [
        [
            (box["x"] + x * box["width"], box["y"] + y * box["height"])
            for x, y in _fine(stroke, step)
        ]
        for stroke in strokes
    ]


def _fine(stroke: Stroke, step: float) -> Stroke:
    far = [stroke[0]]
    for point in stroke[1:]:
        if point == stroke[-1] or math.dist(far[-1], point) >= step:
            far.append(point)
    fine = far[:1]
    for start, stop in itertools.pairwise(far):
        parts = max(1, math.ceil(math.dist(start, stop) / step))
        fine += [
            (
                start[0] + (stop[0] - start[0]) * part / parts,
                start[1] + (stop[1] - start[1]) * part / parts,
            )
            for part in range(1, parts + 1)
        ]
    return fine
