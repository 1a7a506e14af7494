"""Pieces of lines, with what they are: for a network to learn which of them are whole digits."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_model.lattice import best_row
from mnist_model.normalise import INK
from mnist_model.segment import Pieces, atoms, pieces_of
from mnist_model.strings import Line, compose
from mnist_model.working_size import at_working_size

NO_DIGIT = 10
WHOLE, CUT = 0.8, 0.65
"""A piece that shares more than WHOLE of its ink with a digit is it, less than CUT is none."""
LEAST = 0.4
"""On the best way through a line, a piece is the digit with which it shares more than this: where
strokes cross, no cut gives each digit its own ink, and what is around tells the rest."""


def line_pieces(
    pictures: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8], seed: int, lines: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return the pieces that `segment` cuts `lines` composed strings into, and what they are.

    Returns: uint8 (n, 28, 28, 2), as `Pieces.seen`; uint8 (n,), 0 to 9 or NO_DIGIT. Pieces of
    which it is hard to say are left out.
    """
    found = [pieces_and_truth(line) for line in compose(pictures, labels, seed, "mixed", 5, lines)]
    kept = [truth >= 0 for _, truth in found]
    return (
        np.concatenate([pieces.seen[keep] for (pieces, _), keep in zip(found, kept, strict=True)]),
        np.concatenate([truth[keep] for (_, truth), keep in zip(found, kept, strict=True)]).astype(
            np.uint8
        ),
    )


def pieces_and_truth(line: Line) -> tuple[Pieces, npt.NDArray[np.int64]]:
    """Return a composed string's pieces and their digits, NO_DIGIT, or -1 for hard to say."""
    work, where = at_working_size(line.ink)
    atom = atoms(work)
    pieces = pieces_of(work, atom, where)
    area, whole = _shares(line, atom, where.left, where.top, where.scale)
    sums = np.concatenate([np.zeros((1, area.shape[1])), area.cumsum(axis=0)])
    inside = sums[pieces.stop] - sums[pieces.first]
    ink = inside.sum(axis=1, keepdims=True)
    shared = inside / (ink + whole - inside)
    best = shared[:, 1:].argmax(axis=1)
    share = shared[:, 1:].max(axis=1)
    digits = np.array([int(digit) for digit in line.text])
    truth = np.where(share > WHOLE, digits[best], np.where(share < CUT, NO_DIGIT, -1))
    chosen = best_row(pieces, shared[:, 1:])
    for piece, digit, one in zip(chosen, digits, shared[chosen, 1:].diagonal(), strict=False):
        if one > LEAST:
            truth[piece] = digit
    return pieces, truth


def _shares(
    line: Line, atom: npt.NDArray[np.int64], left: float, top: float, scale: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the pixels that each atom has of each digit (and paper), and all of each digit's."""
    size = atom.shape[::-1]
    box = (left, top, left + size[0] * scale, top + size[1] * scale)
    owner = np.where(line.ink >= INK, line.owner, 0).astype(np.uint8)
    grid = Image.fromarray(owner).transform(size, Image.Transform.EXTENT, box)
    owned = np.array(grid).astype(np.int64)
    count = len(line.text) + 1
    number = (atom * count + owned).ravel()
    table = np.bincount(number, minlength=(int(atom.max()) + 1) * count).astype(np.float64)
    table = table.reshape(-1, count)
    return table[1:], table.sum(axis=0)
