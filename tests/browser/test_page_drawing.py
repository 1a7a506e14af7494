"""Drawing: what the hand does is on the sheet, and stays there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Desk
from tests.browser.drawing import DIGITS, side_by_side

PHONE = {"width": 390, "height": 844}


def strokes(desk: Desk, count: int) -> None:
    said = {0: "empty", 1: "with 1 stroke"}.get(count, f"with {count} strokes")
    expect(desk.sheet).to_have_accessible_name(f"Sheet to draw on, {said}")


def share_inked(desk: Desk) -> float:
    return desk.inked() / float(desk.sheet.evaluate("canvas => canvas.width * canvas.height"))


def test_clear_takes_everything_away(desk: Desk) -> None:
    assert desk.inked() == 0
    desk.draw(DIGITS[2])
    expect(desk.digit).to_have_text("2")
    assert desk.inked() > 1000
    desk.press("Clear")
    assert desk.inked() == 0
    desk.is_in("none")
    expect(desk.digit).to_be_empty()
    strokes(desk, 0)


def test_strokes_are_undone_and_redone_one_by_one(desk: Desk) -> None:
    desk.draw(DIGITS[4])
    strokes(desk, 2)
    both = desk.inked()
    desk.press("Undo")
    strokes(desk, 1)
    assert 0 < desk.inked() < both
    desk.press("Redo")
    expect(desk.digit).to_have_text("4")
    assert desk.inked() == both
    desk.press("Clear")
    desk.page.keyboard.press("Control+z")
    strokes(desk, 2)
    for _ in range(3):
        desk.page.keyboard.press("Control+z")
    strokes(desk, 0)
    desk.page.keyboard.press("Control+Shift+z")
    desk.page.keyboard.press("Control+y")
    strokes(desk, 2)
    desk.press("Undo")
    desk.draw([[(0.5, 0.1), (0.5, 0.9)]])
    expect(desk.page.get_by_role("button", name="Redo")).to_have_attribute("aria-disabled", "true")


def test_everything_is_there_after_a_reload(desk: Desk) -> None:
    desk.choose("ZIP code")
    desk.draw(side_by_side("17"))
    expect(desk.digit).to_have_text("17")
    before = desk.inked()
    desk.choose("Digit")
    desk.draw(DIGITS[5])
    expect(desk.digit).to_have_text("5")
    desk.choose("Broad")
    desk.choose("ZIP code")
    desk.page.reload()
    expect(desk.digit).to_have_text("17")
    assert desk.inked() == before
    expect(desk.page.get_by_role("radio", name="Broad")).to_be_checked()
    desk.press("Undo")
    strokes(desk, 1)
    desk.choose("Digit")
    expect(desk.digit).to_have_text("5")


def test_the_drawing_outlives_a_turn_of_the_phone(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(viewport=PHONE)
    desk.draw(DIGITS[6])
    expect(desk.digit).to_have_text("6")
    before = share_inked(desk)
    desk.page.set_viewport_size({"width": 844, "height": 390})
    assert share_inked(desk) == pytest.approx(before, rel=0.1)
    desk.press("Read")
    expect(desk.digit).to_have_text("6")


@pytest.mark.parametrize("density", [1, 2, 2.75])
def test_lines_are_crisp_on_every_screen(open_desk: Callable[..., Desk], density: float) -> None:
    desk = open_desk(viewport=PHONE, device_scale_factor=density)
    wide, css = desk.sheet.evaluate("canvas => [canvas.width, canvas.clientWidth]")
    assert abs(wide - css * density) <= 1


def test_pens_draw_lines_of_their_width(desk: Desk) -> None:
    inked = []
    for pen in ("Fine", "Medium", "Broad"):
        desk.choose(pen)
        desk.draw(DIGITS[1])
        inked.append(desk.inked())
        desk.press("Clear")
    assert inked[0] < inked[1] * 0.8 < inked[2] * 0.64


def test_a_pen_s_pressure_makes_the_line_wider(desk: Desk) -> None:
    session = desk.page.context.new_cdp_session(desk.page)
    box = desk.sheet.bounding_box()
    assert box is not None

    def draw(pressure: float) -> int:
        for step in range(12):
            kind = {0: "mousePressed", 11: "mouseReleased"}.get(step, "mouseMoved")
            event = {
                "type": kind,
                "x": box["x"] + box["width"] * (0.2 + 0.05 * step),
                "y": box["y"] + box["height"] / 2,
                "button": "left",
                "buttons": 1,
                "clickCount": 1,
                "pointerType": "pen",
                "force": pressure,
            }
            session.send("Input.dispatchMouseEvent", event)
        inked = desk.inked()
        desk.press("Clear")
        return inked

    assert draw(0.1) * 1.3 < draw(0.9)


def test_a_quick_hand_s_line_is_smooth(desk: Desk) -> None:
    """Points far apart, on a circle: the line comes closer to it than their polygon does."""
    box = desk.sheet.bounding_box()
    assert box is not None
    # What the browser saw between two frames comes with the event, and none of it is lost.
    desk.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    desk.page.mouse.down()
    sent = desk.sheet.evaluate(
        """canvas => {
            const { left, top, width, height } = canvas.getBoundingClientRect();
            const at = (turn) => ({
                clientX: left + width * (0.5 + 0.3 * Math.sin(turn)),
                clientY: top + height * (0.5 - 0.3 * Math.cos(turn)),
                pointerId: 1, buttons: 1, bubbles: true });
            const some = Array.from({ length: 24 }, (_, i) =>
                new PointerEvent("pointermove", at(((i + 1) / 12) * Math.PI)));
            const event = new PointerEvent("pointermove",
                { ...at(2 * Math.PI), coalescedEvents: some });
            canvas.dispatchEvent(event);
            return event.getCoalescedEvents().length;
        }"""
    )
    desk.page.mouse.up()
    assert sent == 24
    # All around the circle there is ink at its distance from the middle.
    found = desk.sheet.evaluate(
        """canvas => new Promise(resolve => setTimeout(() => {
            const { width } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, width);
            const inked = (turn) => {
                const x = Math.round(width * (0.5 + 0.3 * Math.sin(turn)));
                const y = Math.round(width * (0.5 - 0.3 * Math.cos(turn)));
                return data[(y * width + x) * 4 + 3] > 127;
            };
            resolve(Array.from({ length: 90 }, (_, i) => inked((i / 45) * Math.PI))
                .filter(Boolean).length);
        }, 200))"""
    )
    assert found == 90


def test_a_right_click_draws_nothing(desk: Desk) -> None:
    desk.sheet.click(button="right")
    assert desk.inked() == 0
    assert desk.predictions == []


def test_a_tap_is_a_dot(desk: Desk) -> None:
    desk.sheet.click()
    assert desk.inked() > 100


def test_a_second_finger_draws_nothing(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(viewport=PHONE, has_touch=True, is_mobile=True)
    box = desk.sheet.bounding_box()
    assert box is not None
    session = desk.page.context.new_cdp_session(desk.page)

    def touch(kind: str, *places: float) -> None:
        middle = box["y"] + box["height"] / 2
        points = [
            {"x": box["x"] + box["width"] * x, "y": middle, "id": i} for i, x in enumerate(places)
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 0.2)
    touch("touchMove", 0.3)
    alone = desk.inked()
    touch("touchStart", 0.3, 0.7)
    touch("touchMove", 0.3, 0.9)
    assert desk.inked() == alone
    touch("touchMove", 0.4, 0.9)
    assert desk.inked() > alone
    touch("touchEnd")
    strokes(desk, 1)
