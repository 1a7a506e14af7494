"""The pictures of a release's report/, as small PNGs. Imports Matplotlib."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mnist_model.classify import softmax
from mnist_model.evaluate import Evaluation
from mnist_model.metrics import (
    Labels,
    RiskCoverage,
    Scores,
    confusion,
    coverage_at,
    digits,
    interval95,
    reliability,
)

Pictures = npt.NDArray[np.uint8]
MOST_MISREAD = 120
DOTS = 80
History = Mapping[str, Sequence[float]]
"""Per epoch: loss, accuracy, val_loss, val_accuracy."""


def write_report(
    directory: Path, history: History, pictures: Pictures, labels: Labels, evaluation: Evaluation
) -> None:
    """Write learning-curves, confusion, misread, reliability and risk-coverage, each a .png.

    pictures, labels: the test set's pictures (n, 28, 28) and digits, of which `evaluation` is.
    """
    results = evaluation.results
    before = softmax(evaluation.logits)
    after = softmax(evaluation.logits, results["calibration"]["temperature"])
    line = results["certain"]["line"]
    figures = {
        "learning-curves": learning_curves(history),
        "confusion": confusion_matrix(labels, digits(after)),
        "misread": misread(pictures, labels, after),
        "reliability": reliability_diagram(before, after, labels),
        "risk-coverage": risk_coverage_curve(evaluation.curve, line["threshold"]),
    }
    directory.mkdir()
    for name, figure in figures.items():
        figure.savefig(directory / f"{name}.png", dpi=DOTS)


def learning_curves(history: History) -> Figure:
    """Draw loss and error over the epochs, for training and validation."""
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    epochs = range(1, len(history["loss"]) + 1)
    loss, error = figure.subplots(1, 2)
    for axes, name, title in ((loss, "loss", "cross-entropy"), (error, "accuracy", "error")):
        for prefix, label in (("", "training (varied)"), ("val_", "validation")):
            values = np.array(history[prefix + name])
            axes.plot(epochs, values if name == "loss" else 1 - values, "o-", label=label, ms=3)
        axes.set(title=title, xlabel="epoch", yscale="log")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3, which="both")
        axes.legend()
    return figure


def confusion_matrix(labels: Labels, read: Labels) -> Figure:
    """Draw how often each digit was read as each other; the diagonal is left white."""
    matrix = confusion(labels, read)
    wrong = matrix.astype(float)
    np.fill_diagonal(wrong, 0)
    figure = Figure(figsize=(5.5, 5), layout="constrained")
    axes = figure.subplots()
    axes.imshow(wrong, cmap="Reds")
    for (row, column), count in np.ndenumerate(matrix):
        dark = wrong[row, column] > wrong.max() / 2
        if count:
            colour = "white" if dark else "black"
            axes.text(column, row, str(count), ha="center", va="center", size=8, color=colour)
    axes.set(xticks=range(10), yticks=range(10), xlabel="read as", ylabel="is")
    return figure


def misread(pictures: Pictures, labels: Labels, probabilities: Scores) -> Figure:
    """Draw all misread digits, the surest mistakes first; of more than 120, these.

    Each has above it what it is, what was read, and how sure the network was of that.
    """
    read, confidence = digits(probabilities), probabilities.max(axis=1)
    wrong = np.flatnonzero(labels != read)
    shown = wrong[np.argsort(-confidence[wrong], kind="stable")][:MOST_MISREAD]
    titles = [f"{labels[at]} → {read[at]}\n{confidence[at]:.0%}" for at in shown]
    figure = gallery(pictures[shown], titles)
    part = "all" if len(shown) == len(wrong) else f"the {len(shown)} surest"
    told = f"{len(wrong)} of {len(labels):,} misread, {part}: is → read as, and how surely"
    figure.suptitle(told, size=9)
    return figure


def reliability_diagram(before: Scores, after: Scores, labels: Labels) -> Figure:
    """Draw how often answers of each confidence are right, before and after calibration.

    On the diagonal confidences mean what they say. Bars are 95% intervals; the label of a point is
    how many answers it stands for.
    """
    figure = Figure(figsize=(8, 4), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    titles = ("before calibration", "after calibration")
    for axes, title, probabilities in zip(panels, titles, (before, after), strict=True):
        groups = reliability(probabilities, labels)
        right = np.rint(groups.accuracy * groups.answers).astype(int)
        ends = [
            interval95(*pair) for pair in zip(right.tolist(), groups.answers.tolist(), strict=True)
        ]
        low, high = np.array(ends).T
        reach = [np.maximum(groups.accuracy - low, 0), np.maximum(high - groups.accuracy, 0)]
        axes.plot([0, 1], [0, 1], color="grey", lw=1, ls="--")
        axes.errorbar(groups.confidence, groups.accuracy, yerr=reach, fmt="o", ms=4, capsize=2)
        for x, y, count in zip(groups.confidence, groups.accuracy, groups.answers, strict=True):
            axes.annotate(f"{count:,}", (x, y), (3, -9), textcoords="offset points", size=6)
        axes.set(title=title, xlabel="confidence", xlim=(0, 1.15), ylim=(0, 1.05))
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("share right")
    return figure


def risk_coverage_curve(curve: RiskCoverage, threshold: float, risk: float = 0.01) -> Figure:
    """Draw what share of the strings read is wrong, by how many are read, the surest first.

    threshold: the release's, marked where it falls; risk: where the dotted line is.
    """
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.step(curve.coverage, curve.risk, where="post")
    axes.axhline(risk, color="grey", ls=":", lw=1)
    most = coverage_at(curve, risk)
    axes.plot([most], [risk], "o", color="tab:green", label=f"{most:.1%} read at {risk:.0%} wrong")
    certain = np.flatnonzero(curve.threshold >= threshold)
    if certain.size:
        x, y = curve.coverage[certain[-1]], curve.risk[certain[-1]]
        told = f"called certain (from {threshold:.3f} on): {x:.1%} read, {y:.2%} wrong"
        axes.plot([x], [y], "s", color="tab:red", label=told)
    top = max(2.5 * risk, float(curve.risk[-1]) * 1.1)
    axes.set(xlabel="share of strings read", ylabel="share of these wrong", xlim=(0, 1.01))
    axes.set(ylim=(0, top), title="five-digit strings, mixed spacing")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", fontsize=8)
    return figure


def gallery(pictures: Pictures, titles: Sequence[str], columns: int = 10) -> Figure:
    """Draw pictures (n, height, width) in rows, ink dark on light, each under its title."""
    rows = max(1, -(-len(pictures) // columns))
    height = 1.1 if any("\n" in title for title in titles) else 0.95
    figure = Figure(figsize=(columns * 0.75, rows * height + 0.4), layout="constrained")
    places = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in places:
        axes.set_axis_off()
    for axes, picture, title in zip(places, pictures, titles, strict=False):
        axes.imshow(picture, cmap="gray_r", vmin=0, vmax=255)
        axes.set_title(title, size=8, pad=2)
    return figure
