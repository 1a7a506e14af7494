"""Cuts the ink of a line of writing into pieces, each a digit, a part of one, or more than one.

Method: over-segmentation. Ink that hangs together is a component; wide components are cut, in more
places than there are digits, along paths from top to bottom that cross as little ink as possible.
What lies between neighbouring cuts is an atom, and every few consecutive atoms are a piece that
may be a digit. Which pieces are, `line` decides, with a classifier's help.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from mnist_model.components import label_runs
from mnist_model.cuts import HEIGHT, Floats, Labels, paths
from mnist_model.ink import LEAST_CONTRAST, Ink
from mnist_model.normalise import DIGIT_SIDE, FINE, INK, NoDigitError, missing_steps
from mnist_model.placing import part_of, place_all, thickened
from mnist_model.working_size import Where, at_working_size

WIDEST_PIECE = 1.6
"""Widest piece that may be a digit, in heights."""
MOST_ATOMS = 9
"""A digit is cut into at most so many atoms."""
MOST_ATOMS_OF_LINE = 200
"""A line in more atoms is no writing, but noise."""
NARROWEST_CUT = 0.4
"""A component narrower than this, in heights, is not cut."""
SMALLEST_ATOM = 0.008
"""Smallest area of an atom, in squared heights; what is smaller goes to its neighbour."""
ONE_STROKE = 0.075
"""Joints with less than this between them, in heights, are one stroke's."""
SPECK = 0.006
"""A component of a smaller area, in squared heights, is dust."""


class TooManyDigitsError(NoDigitError):
    """There are more pieces of ink than a line of digits can have."""


class Box(NamedTuple):
    """Where something is, in pixels of the picture; right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int


class Pieces(NamedTuple):
    """All pieces of a line that may be digits; n pieces of m atoms."""

    first: Labels
    """(n,) each piece's first atom; atoms are numbered in reading order."""
    stop: Labels
    """(n,) one more than its last atom."""
    box: npt.NDArray[np.float64]
    """(n, 4) left, top, right and bottom, in heights of a digit."""
    gap: npt.NDArray[np.float64]
    """(n,) widest paper inside the piece, along the line, in heights."""
    contact: npt.NDArray[np.float64]
    """(m - 1,) ink that joins the atoms up to and from each boundary, in heights."""
    crossings: npt.NDArray[np.float64]
    """(m - 1,) how many strokes join them: a cut through a loop crosses two."""
    space: npt.NDArray[np.float64]
    """(m - 1,) paper at each boundary, along the line, in heights; negative where they overlap."""
    seen: Ink
    """(n, 28, 28, 2) normalised: the piece, and the ink that is around it."""
    boxes: tuple[Box, ...]
    """Of the pieces, in pixels of the ink given."""

    @property
    def picture(self) -> Ink:
        """(n, 28, 28) the pieces alone."""
        return self.seen[..., 0]

    @property
    def uncut(self) -> npt.NDArray[np.bool_]:
        """(n,) whether no ink was cut at either end of the piece."""
        contact = np.pad(self.contact, 1)
        uncut: npt.NDArray[np.bool_] = (contact[self.first] == 0) & (contact[self.stop] == 0)
        return uncut


def segment(ink: Ink) -> Pieces:
    """Cut the ink of a line.

    ink: uint8 (height, width), 0 paper to 255 ink; any size. Raises: NoInkError, TooMuchInkError,
    TooManyDigitsError, all NoDigitError; TypeError when ink is no such array.
    """
    work, where = at_working_size(ink)
    return pieces_of(work, atoms(work), where)


def atoms(work: Ink) -> Labels:
    """Return which atom each pixel is part of, 1, 2 … in reading order, 0 where there is paper."""
    return _in_order(_cut(work, *_components(work)))


def _components(work: Ink) -> tuple[Labels, int]:
    """Label every pixel of a component 1, 2 …, faint edges too; dust and paper are 0."""
    runs = label_runs(work >= INK)
    area = np.bincount(runs.component, weights=runs.stop - runs.start)
    kept = area >= min(SPECK * HEIGHT * HEIGHT, area.max())
    number = np.where(kept, kept.cumsum(), 0)[runs.component]
    label = np.zeros(work.shape, np.int64)
    flat = label.reshape(-1)
    length = runs.stop - runs.start
    start = np.repeat(runs.row * work.shape[1] + runs.start - length.cumsum() + length, length)
    flat[start + np.arange(length.sum())] = np.repeat(number, length)
    return label, int(kept.sum())


def _cut(work: Ink, label: Labels, count: int) -> Labels:
    """Cut wide components; returns a label for each atom, not in order."""
    columns = np.nonzero(label)[1]
    owner = label[label > 0]
    left = np.full(count + 1, work.shape[1])
    right = np.zeros(count + 1, np.int64)
    np.minimum.at(left, owner, columns)
    np.maximum.at(right, owner, columns)
    wide = right - left + 1 > NARROWEST_CUT * HEIGHT
    if not wide.any():
        return label
    darkness: Floats = np.where(wide[label], work, 0).astype(np.float32) / np.float32(255)
    found = paths(darkness)
    beyond = (np.arange(work.shape[1])[:, np.newaxis] >= found[:, np.newaxis, :]).sum(axis=2)
    atom = np.where(
        wide[label], label * (found.shape[1] + 1) + beyond, label * (found.shape[1] + 1)
    )
    atom[label == 0] = 0
    names, atom = np.unique(atom, return_inverse=True)
    return _without_crumbs(atom.reshape(label.shape) + int(names[0] > 0))  # 0 stays paper


def _without_crumbs(atom: Labels) -> Labels:
    """Give each tiny atom to the neighbour that it touches most."""
    count = int(atom.max()) + 1
    area = np.bincount(atom.ravel(), minlength=count)
    contact = _contacts(atom, count)
    target = np.arange(count)
    for crumb in np.flatnonzero(area < SMALLEST_ATOM * HEIGHT * HEIGHT):
        if crumb and contact[crumb, 1:].any():
            target[crumb] = 1 + contact[crumb, 1:].argmax()
    return target[target][atom]


def _contacts(atom: Labels, count: int) -> npt.NDArray[np.int64]:
    """How many pixels of each atom touch how many of each other; symmetric (count, count)."""
    pairs = np.concatenate(
        [
            (one * count + other)[one != other]
            for one, other in (
                (atom[:, :-1], atom[:, 1:]),
                (atom[:-1], atom[1:]),
            )
        ]
    )
    table = np.bincount(pairs, minlength=count * count).reshape(count, count)
    table = table + table.T
    table[0] = table[:, 0] = 0
    return table


def _in_order(atom: Labels) -> Labels:
    """Number the atoms 1, 2 … in reading order, by the middle of their ink; paper stays 0."""
    columns = np.nonzero(atom)[1]
    owner = atom[atom > 0]
    area = np.bincount(owner)
    middle = np.bincount(owner, weights=columns) / np.maximum(area, 1)
    present = np.flatnonzero(area)
    order = present[np.argsort(middle[present], kind="stable")]
    number = np.zeros(len(area), np.int64)
    number[order] = np.arange(1, len(order) + 1)
    return number[atom]


def pieces_of(work: Ink, atom: Labels, where: Where) -> Pieces:
    """Return all pieces of a working picture's atoms. Raises: TooManyDigitsError."""
    count = int(atom.max())
    if count > MOST_ATOMS_OF_LINE:
        raise TooManyDigitsError("the ink is in too many pieces for a line of digits: draw it anew")
    rows, columns = np.nonzero(atom)
    owner = atom[rows, columns] - 1
    box = np.empty((4, count), np.int64)  # left, top, right, bottom
    box[:2], box[2:] = 1 << 30, 0
    for side, values in ((0, columns), (1, rows)):
        np.minimum.at(box[side], owner, values)
        np.maximum.at(box[side + 2], owner, values + 1)
    contact, crossings = _joints(atom, count)
    farthest = np.maximum.accumulate(box[2])
    nearest = np.minimum.accumulate(box[0][::-1])[::-1]
    space = (nearest[1:] - farthest[:-1]) / HEIGHT
    edged = _with_edges(work, atom)
    first, stop, boxes = _spans(box)
    spans = zip(first, stop, boxes, strict=True)
    parts = (part_of(work, edged, (start, end), box) for start, end, box in spans)
    inner = [max([0.0, *space[a : b - 1]]) for a, b in zip(first, stop, strict=True)]
    return Pieces(
        np.array(first),
        np.array(stop),
        np.array(boxes) / HEIGHT,
        np.array(inner),
        contact,
        crossings,
        space,
        place_all(map(thickened, parts) if _is_thin(work) else parts),
        tuple(_original(one, where) for one in boxes),
    )


def _spans(
    box: npt.NDArray[np.int64],
) -> tuple[list[int], list[int], list[tuple[int, int, int, int]]]:
    """Return each piece's first atom, one more than its last, and its box.

    box: (4, atoms), left, top, right and bottom.
    """
    count = box.shape[1]
    first, stop, boxes = [], [], []
    for start in range(count):
        for end in range(start + 1, min(start + MOST_ATOMS, count) + 1):
            left, top = box[:2, start:end].min(axis=1).tolist()
            right, bottom = box[2:, start:end].max(axis=1).tolist()
            if end > start + 1 and right - left > WIDEST_PIECE * HEIGHT:
                break
            first.append(start)
            stop.append(end)
            boxes.append((left, top, right, bottom))
    return first, stop, boxes


def _joints(atom: Labels, count: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return `contact` and `crossings` of Pieces; atoms are numbered 1 to count."""
    low, high, row = [], [], []
    for one, other in ((atom[:, :-1], atom[:, 1:]), (atom[:-1], atom[1:])):
        rows, columns = np.nonzero((one != other) & (one > 0) & (other > 0))
        pair = one[rows, columns], other[rows, columns]
        low.append(np.minimum(*pair))
        high.append(np.maximum(*pair))
        row.append(rows)
    order = np.argsort(np.concatenate(row), kind="stable")
    lows, highs, places = (np.concatenate(part)[order] for part in (low, high, row))
    found = np.zeros((2, max(count - 1, 0)))
    for boundary in range(1, count):
        across = places[(lows <= boundary) & (highs > boundary)]
        if across.size:
            found[0, boundary - 1] = len(across) / HEIGHT
            found[1, boundary - 1] = 1 + np.count_nonzero(np.diff(across) > ONE_STROKE * HEIGHT)
    return found[0], found[1]


def _with_edges(work: Ink, atom: Labels) -> npt.NDArray[np.uint8]:
    """Give the faint pixels around an atom to it, so that its edges stay smooth."""
    label = atom.clip(0, 255).astype(np.uint8)
    around = np.array(Image.fromarray(label).filter(ImageFilter.MaxFilter(3)))
    return np.where((label == 0) & (work >= LEAST_CONTRAST), around, label)


def _is_thin(work: Ink) -> bool:
    return missing_steps(work, FINE * DIGIT_SIDE / HEIGHT) > 0


def _original(box: tuple[int, int, int, int], where: Where) -> Box:
    """The box in pixels of the ink given, not empty and inside it."""
    left, top, right, bottom = (float(side) * where.scale for side in box)
    width, height = where.size
    x, y = (
        min(max(int(start), 0), most - 1)
        for start, most in ((where.left + left, width), (where.top + top, height))
    )
    return Box(
        x,
        y,
        min(max(math.ceil(where.left + right), x + 1), width),
        min(max(math.ceil(where.top + bottom), y + 1), height),
    )
