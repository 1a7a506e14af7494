"""Cuts the ink of a line of writing into pieces, each of them part of a digit or a digit."""

from typing import NamedTuple


class Box(NamedTuple):
    """Where something is, in pixels of the picture; right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int
