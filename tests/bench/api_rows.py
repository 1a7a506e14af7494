"""What bench_api measures of each stack, and how it is shown."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.stacks import STACKS

CONNECTIONS = (1, 16, 64)
TUTORIAL, *_ = STACKS
OURS = "this API"


@dataclass
class Row:
    """What was measured of a stack.

    by: connections to requests/s, p50 and p99 in ms, failures, processor seconds of a request.
    """

    name: str
    processes: int
    start_seconds: float = 0.0
    memory: float = 0.0
    by: dict[int, dict[str, float]] = field(default_factory=dict)

    def best(self) -> float:
        """Return the most requests per second over any number of connections."""
        return max(one["rate"] for one in self.by.values())


def median(rows: list[Row]) -> Row:
    """Return the median of each figure, over rows of one stack; what failed is added up."""
    middle = statistics.median
    by = {
        connections: {key: middle(row.by[connections][key] for row in rows) for key in one}
        for connections, one in rows[0].by.items()
    }
    for connections, one in by.items():
        one["failed"] = sum(row.by[connections]["failed"] for row in rows)
    start = middle(row.start_seconds for row in rows)
    return Row(rows[0].name, rows[0].processes, start, middle(row.memory for row in rows), by)


def table(rows: list[Row]) -> str:
    """Return what was measured in Markdown, ratios first if the tutorial's stack is among it."""
    base = next((row.best() for row in rows if row.name == TUTORIAL), None)
    head = "| stack | times the tutorial | requests/s at 1, 16, 64 | p50 ms | p99 ms | failed "
    head += "| processor ms a request, at 16 | memory MiB | start to first answer s |\n"
    head += "|---|---|---|---|---|---|---|---|---|"
    lines = [head]
    for row in rows:
        each = [row.by[connections] for connections in CONNECTIONS]
        cells = [
            row.name,
            f"{row.best() / base:.1f}" if base else "-",
            ", ".join(f"{one['rate']:.0f}" for one in each),
            ", ".join(f"{one['p50']:.1f}" for one in each),
            ", ".join(f"{one['p99']:.1f}" for one in each),
            f"{sum(one['failed'] for one in each):.0f}",
            f"{row.by[16]['processor'] * 1000:.2f}",
            f"{row.memory:.0f}",
            f"{row.start_seconds:.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", *peers(rows)])


def peers(rows: list[Row]) -> list[str]:
    """Compare this API with the best of the others that has as many processes."""
    said = []
    for count in (1, 2):
        if pair := beside_best_peer(rows, count):
            mine, best = pair
            ratio = mine.best() / best.best()
            said.append(f"{mine.name}: {ratio:.2f} times the best peer ({best.name}).")
    return said


def beside_best_peer(rows: list[Row], count: int) -> tuple[Row, Row] | None:
    """Return this API with so many processes and the best of the others; None if one is missing."""
    mine = [row for row in rows if row.name == OURS + (f" ({count})" if count > 1 else "")]
    others = [row for row in rows if OURS not in row.name and row.processes == count]
    return (mine[0], max(others, key=Row.best)) if mine and others else None


def plot(rows: list[Row], file: Path) -> None:
    """Draw requests per second of every stack, on a logarithmic scale."""
    import matplotlib as mpl  # noqa: PLC0415 - takes a second, and only a report needs it

    mpl.use("agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(8, 0.6 * len(rows) + 1.2), layout="constrained")
    names = [row.name for row in reversed(rows)]
    values = [row.best() for row in reversed(rows)]
    colours = ["#1f6f54" if OURS in name else "#8a8f98" for name in names]
    bars = axes.barh(names, values, color=colours)
    axes.bar_label(bars, [f"{value:.0f}" for value in values], padding=4)
    axes.set_xscale("log")
    axes.set_xlabel("requests per second, best of 1, 16 and 64 connections")
    axes.margins(x=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=120)
