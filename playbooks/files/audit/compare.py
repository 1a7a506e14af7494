"""The differences between two nested tables of the same shape, each in one line."""

from __future__ import annotations

from typing import Any

AT_MOST = ", at most"
"""The end of an attribute's name whose number may be lower than declared."""

NAMED = 2
"""Levels in which everything that is found must be declared: kinds, and the objects of each."""


def differences(declared: Any, found: Any, place: tuple[str, ...] = ()) -> list[str]:
    """Say in one line each what is declared and not there, and the other way round.

    Dictionaries are compared key by key; of an object's attributes only those that are declared
    are looked at. Lists are sets.
    """
    where = " ".join(place[:2]) + "".join(f", {part}" for part in place[2:])
    if found is None:
        return [f"{where}: declared, and not there"]
    if isinstance(declared, dict):
        lines: list[str] = []
        for key in declared:
            lines += differences(declared[key], found.get(key), (*place, key))
        if len(place) < NAMED:
            lines += [
                f"{' '.join((*place, key))}: there, and not declared"
                for key in found
                if key not in declared
            ]
        return lines
    if isinstance(declared, list):
        return [
            f"{where}: {one!r} is there, and not declared" for one in _without(found, declared)
        ] + [f"{where}: {one!r} is declared, and not there" for one in _without(declared, found)]
    if place and place[-1].endswith(AT_MOST):
        return [] if float(found) <= float(declared) else [f"{where} {declared}: it is {found}"]
    return [] if str(found) == str(declared) else [f"{where}: {found!r}, not {declared!r}"]


def _without(some: list[Any], others: list[Any]) -> list[Any]:
    return sorted(set(map(str, some)) - set(map(str, others)))
