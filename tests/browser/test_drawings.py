"""What people draw is read: every drawing of tests/fixtures/drawings, drawn with a pen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.process import Server
from tests.browser.hands import Drawing, drawings, read_all
from tests.fixtures.drawings import make
from tests.fixtures.drawings.styles import STYLES


@pytest.mark.usefixtures("browser")
def test_97_of_100_digits_are_read(server: Server) -> None:
    some = drawings("digits")
    read = read_all(f"http://{server.address}", some)
    wrong = [
        f"{drawing['name']} as {answer.shown}"
        for drawing, answer in zip(some, read, strict=True)
        if answer.shown != drawing["text"]
    ]
    assert len(wrong) <= 0.03 * len(some), wrong
    assert all(answer.shown == str(answer.said["digit"]) for answer in read)


def test_there_are_enough_drawings_of_every_kind() -> None:
    digits, zip_codes = drawings("digits"), drawings("zip-codes")
    assert len(digits) >= 100
    assert len(zip_codes) >= 20
    styles = {(drawing["text"], drawing["style"]) for drawing in digits}
    assert styles == {(text, style) for text, all_styles in STYLES.items() for style in all_styles}
    sizes = [_height(drawing) for drawing in digits]
    assert min(sizes) < 0.4
    assert max(sizes) > 0.7
    assert {len(drawing["text"]) for drawing in zip_codes} == {5}


@pytest.mark.parametrize(("name", "height"), [("digits", 1.0), ("zip-codes", make.ZIP_HEIGHT)])
def test_every_drawing_lies_on_its_sheet(name: str, height: float) -> None:
    for drawing in drawings(name):
        for stroke in drawing["strokes"]:
            times = [point[0] for point in stroke]
            assert times == sorted(times)
            assert all(0 < x < 1 and 0 < y < height and 0 < p < 1 for _, x, y, p in stroke)


def test_the_drawings_are_what_their_program_makes() -> None:
    for name, made in (("digits", make.digits()), ("zip-codes", make.zip_codes())):
        kept = drawings(name)
        assert [drawing["name"] for drawing in made] == [drawing["name"] for drawing in kept]
        assert _numbers(made) == pytest.approx(_numbers(kept), abs=1.1e-4)


def _height(drawing: Drawing) -> float:
    ys = [y for stroke in drawing["strokes"] for _, _, y, _ in stroke]
    return float(max(ys) - min(ys))


def _numbers(some: list[dict[str, Any]]) -> list[float]:
    """Return every point's place and pressure; times are whole milliseconds, and may round."""
    strokes = [stroke for drawing in some for stroke in drawing["strokes"]]
    return [float(number) for stroke in strokes for point in stroke for number in point[1:]]
