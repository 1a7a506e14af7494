"""The pictures of a release's report/, as small PNGs. Imports Matplotlib."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from mnist_model.evaluate import Labels, confusion

Pictures = npt.NDArray[np.uint8]
MOST_MISREAD = 100
History = Mapping[str, Sequence[float]]
"""Per epoch: loss, accuracy, val_loss, val_accuracy."""


def write_report(
    directory: Path, history: History, pictures: Pictures, labels: Labels, read: Labels
) -> None:
    """Write learning-curves.png, confusion.png and misread.png.

    pictures, labels, read: the test set's pictures (n, 28, 28), digits, and what was read.
    """
    directory.mkdir()
    learning_curves(history).savefig(directory / "learning-curves.png", dpi=80)
    confusion_matrix(labels, read).savefig(directory / "confusion.png", dpi=80)
    misread(pictures, labels, read).savefig(directory / "misread.png", dpi=80)


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


def misread(pictures: Pictures, labels: Labels, read: Labels) -> Figure:
    """Draw the misread digits, at most 100, each with what it is and what was read."""
    wrong = np.flatnonzero(labels != read)
    shown = wrong[:MOST_MISREAD]
    titles = [f"{labels[index]} → {read[index]}" for index in shown]
    figure = gallery(pictures[shown], titles)
    figure.suptitle(f"{len(wrong)} of {len(labels):,} misread: is → read as", size=9)
    return figure


def gallery(pictures: Pictures, titles: Sequence[str], columns: int = 10) -> Figure:
    """Draw pictures (n, height, width) in rows, ink dark on light, each under its title."""
    rows = max(1, -(-len(pictures) // columns))
    figure = Figure(figsize=(columns * 0.75, rows * 0.95 + 0.4), layout="constrained")
    places = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in places:
        axes.set_axis_off()
    for axes, picture, title in zip(places, pictures, titles, strict=False):
        axes.imshow(picture, cmap="gray_r", vmin=0, vmax=255)
        axes.set_title(title, size=8, pad=2)
    return figure
