"""Checks a value against a schema of the contract: the part of JSON Schema 2020-12 that it uses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]

TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
}
ANNOTATIONS = {"description", "title", "format", "contentMediaType", "$ref", "then"}
"""Keywords that constrain nothing here, or are looked at together with another."""


class MismatchError(ValueError):
    """A value is not what its schema says; the text says which part of it, and how it must be."""


def check(value: Any, schema: Schema, root: Schema, name: str = "the body") -> None:
    """Raise MismatchError when a value, as from json.loads, does not match.

    root: the document that `$ref`s point into. Raises KeyError for a keyword that is not known, so
    that a contract never says more than is checked.
    """
    if "$ref" in schema:
        check(value, resolve(schema, root), root, name)
    for keyword, wanted in schema.items():
        if keyword in ANNOTATIONS:
            continue
        if keyword in WHOLE:
            WHOLE[keyword](value, wanted, schema, root, name)
        elif sentence := SIMPLE[keyword](value, wanted):
            raise MismatchError(f"{name} must {sentence}")


def resolve(part: Schema, root: Schema) -> Schema:
    """Return what a `$ref` points at, or the part itself if it has none."""
    found: Any = part
    while "$ref" in found:
        reference, found = found["$ref"], root
        for key in reference.removeprefix("#/").split("/"):
            found = found[key.replace("~1", "/").replace("~0", "~")]
    return dict(found)


def _type(value: Any, wanted: str) -> str:
    return "" if TYPES[wanted](value) else f"be of type {wanted}"


def _enum(value: Any, wanted: Sequence[Any]) -> str:
    known = any(type(value) is type(one) and value == one for one in wanted)
    return "" if known else f"be {' or '.join(map(str, wanted))}"


def _bound(
    kind: type | tuple[type, ...], size: Callable[[Any], Any], least: bool, what: str
) -> Any:
    def sentence(value: Any, wanted: Any) -> str:
        if not isinstance(value, kind) or isinstance(value, bool):
            return ""
        met = size(value) >= wanted if least else size(value) <= wanted
        return "" if met else what.format(wanted)

    return sentence


def _pattern(value: Any, wanted: str) -> str:
    # A schema's $ is the very end; Python's also stands before a last line break.
    exact = re.sub(r"\$$", r"\\Z", wanted)
    matches = not isinstance(value, str) or re.search(exact, value)
    return "" if matches else f"match {wanted}"


SIMPLE: dict[str, Callable[[Any, Any], str]] = {
    "type": _type,
    "enum": _enum,
    "const": lambda value, wanted: _enum(value, [wanted]),
    "pattern": _pattern,
    "minimum": _bound((int, float), lambda value: value, True, "be at least {}"),
    "maximum": _bound((int, float), lambda value: value, False, "be at most {}"),
    "minLength": _bound(str, len, True, "have at least {} characters"),
    "maxLength": _bound(str, len, False, "have at most {} characters"),
    "minItems": _bound(list, len, True, "have at least {} values"),
    "maxItems": _bound(list, len, False, "have at most {} values"),
}
"""Keywords that look at a value alone; they return what it must, or nothing."""


def _required(value: Any, wanted: Sequence[str], _: Schema, __: Schema, name: str) -> None:
    missing = [key for key in wanted if key not in value] if isinstance(value, dict) else []
    if missing:
        raise MismatchError(f"{name} must have {' and '.join(missing)}")


def _properties(value: Any, wanted: Schema, _: Schema, root: Schema, __: str) -> None:
    for key, schema in wanted.items() if isinstance(value, dict) else ():
        if key in value:
            check(value[key], schema, root, key)


def _closed(value: Any, wanted: bool, schema: Schema, _: Schema, name: str) -> None:
    known = schema["properties"]
    if wanted is False and isinstance(value, dict) and (more := value.keys() - known):
        raise MismatchError(f"{name} must have {' and '.join(known)}, not {min(more)[:40]!r}")


def _items(value: Any, wanted: Schema, _: Schema, root: Schema, name: str) -> None:
    for item in value if isinstance(value, list) else ():
        check(item, wanted, root, name)


def _if(value: Any, wanted: Schema, schema: Schema, root: Schema, name: str) -> None:
    try:
        check(value, wanted, root, name)
    except MismatchError:
        return
    check(value, schema["then"], root, name)


WHOLE: dict[str, Callable[[Any, Any, Schema, Schema, str], None]] = {
    "required": _required,
    "properties": _properties,
    "additionalProperties": _closed,
    "items": _items,
    "if": _if,
}
"""Keywords that look into a value; they raise."""
