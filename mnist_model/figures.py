"""The figures of an evaluation as Markdown tables, the same on the terminal, in card and docs."""

from collections.abc import Iterable, Mapping
from typing import Any

Share = Mapping[str, Any]


def table(results: Mapping[str, Any]) -> str:
    """Return the results of `evaluate.evaluate` as Markdown for people."""
    parts = (_overview, _strings, _certain, _per_digit, _corruptions)
    note = (
        ""
        if results["effort"] == "full"
        else "**A quick look at few pictures: see the intervals.**\n\n"
    )
    return note + "\n\n".join(part(results) for part in parts) + "\n"


def _overview(results: Mapping[str, Any]) -> str:
    calibration, others = results["calibration"], results["other_writers"]
    coverage, strings = results["coverage"], results["strings"]
    count = f"{calibration['count']:,}"
    before, after = (f"{calibration[key]:.2%}" for key in ("ece_before", "ece_after"))
    skipped = ["0", "**SKIPPED: scikit-learn is not installed**", ""]
    error = f"expected calibration error (before temperature: {before})"
    return _markdown(
        ["measure", "n", "right", "95% interval", "goal", "tutorial"],
        [
            ["MNIST test", *_cells(results["test"]), "99.70%", "98.93%"],
            [
                "the same digits anywhere on a 280x280 canvas",
                *_cells(results["canvas"]),
                "99.5%",
                "58%",
            ],
            [
                "scikit-learn's digits, other writers",
                *(_cells(others) if others else skipped),
                "97%",
                "84 to 88%",
            ],
            ["corrupted digits, mean of all kinds", *_cells(results["corruptions"]), "", ""],
            ["strings of five digits, apart", *_cells(strings["apart"]["strings"]), "98%", ""],
            ["the same, touching", *_cells(strings["touching"]["strings"]), "90%", ""],
            ["the same, mixed spacing", *_cells(strings["mixed"]["strings"]), "", ""],
            [
                f"mixed strings that can be read with at most {coverage['risk']:.0%} of them wrong",
                *_cells(coverage),
                "90%",
                "",
            ],
            [error, count, after, "", "0.5%", ""],
        ],
    )


def _strings(results: Mapping[str, Any]) -> str:
    return "Strings of five digits, told that there are five:\n\n" + _markdown(
        ["spacing", "n", "strings right", "95% interval", "digits right"],
        [
            [spacing, *_cells(found["strings"]), f"{found['digits']['accuracy']:.2%}"]
            for spacing, found in results["strings"].items()
        ],
    )


def _certain(results: Mapping[str, Any]) -> str:
    titles = {
        "digit": "digits: a third each plain, on a canvas, corrupted",
        "line": "strings of five digits, mixed spacing",
    }
    rows = []
    for key, found in results["certain"].items():
        right = found["right_of_certain"]
        held = [f"{right['count']:,}", *_cells(right)[1:]] if right else ["0", "-", "-"]
        rows.append(
            [
                titles[key],
                f"{found['certain']['count']:,}",
                f"{found['threshold']:.4f}",
                f"{found['certain']['accuracy']:.1%}",
                *held,
            ]
        )
    head = ["of", "n", "confidence from", "called certain", "n", "of these right", "95% interval"]
    return "What is called certain:\n\n" + _markdown(head, rows)


def _per_digit(results: Mapping[str, Any]) -> str:
    return "MNIST test, per digit:\n\n" + _markdown(
        ["digit", "n", "right", "95% interval"],
        [[str(digit), *_cells(each)] for digit, each in enumerate(results["test"]["per_digit"])],
    )


def _corruptions(results: Mapping[str, Any]) -> str:
    each = results["corruptions"]["each"].items()
    return "Corruptions, the project's own (`mnist_model/corrupt.py`):\n\n" + _markdown(
        ["kind", "n", "right", "95% interval"], [[name, *_cells(found)] for name, found in each]
    )


def _cells(result: Share) -> list[str]:
    low, high = result["interval95"]
    return [f"{result['count']:,}", f"{result['accuracy']:.2%}", f"{low:.2%} to {high:.2%}"]


def _markdown(head: list[str], rows: Iterable[list[str]]) -> str:
    """Lay out a table so that it is one in plain text too."""
    cells = [head, *rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
