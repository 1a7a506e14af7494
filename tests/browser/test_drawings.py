"""What people draw is read: every drawing of tests/fixtures/drawings, drawn with a pen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.process import Server
from tests.browser.hands import Drawing, drawings, read_all
from tests.fixtures.drawings import make
from tests.fixtures.drawings.styles import STYLES


@pytest.mark.usefixtures("browser")
@pytest.mark.parametrize(("name", "most_wrong"), [("digits", 0.03), ("zip-codes", 0.1)])
def test_nearly_all_are_read(server: Server, name: str, most_wrong: float) -> None:
    """At least 97% of the digits, and 90% of the ZIP codes, each as a whole."""
    some = drawings(name)
    read = read_all(f"http://{server.address}", some, "line" if name == "zip-codes" else "digit")
    wrong = [
        f"{drawing['name']} as {answer.shown}"
        for drawing, answer in zip(some, read, strict=True)
        if answer.shown != drawing["text"]
    ]
    print(f"{len(some) - len(wrong)} of {len(some)} {name} read; not: {wrong}")
    assert len(wrong) <= most_wrong * len(some), wrong
    assert all(
        answer.shown == str(answer.said.get("text", answer.said.get("digit"))) for answer in read
    )


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
