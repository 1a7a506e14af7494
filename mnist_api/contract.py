"""The contract at run time: what is at which address, and what a request may say.

`openapi.yaml` is the only place that says so. A query is checked, and a JSON body by `check_body`,
before a view sees it; the tests hold every answer against the contract. A whole validator in each
request costs more than all else that a request does (docs/api.md has the figures).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import yaml

from mnist_api import schema
from mnist_api.problems import Problem

FILE = Path(__file__).with_name("openapi.yaml")
METHODS = ("get", "post", "put", "patch", "delete")
MOST_PARAMETERS = 8
"""In a query; far more than any address has."""


class Operation(NamedTuple):
    """A method at an address; `query` is the schema of each parameter that a query may have."""

    name: str
    path: str
    method: str
    query: Mapping[str, schema.Schema]
    required: frozenset[str]
    body: schema.Schema | None
    """Of a JSON body."""
    tags: tuple[str, ...]


@functools.cache
def document() -> dict[str, Any]:
    """Read the contract."""
    with FILE.open(encoding="utf-8") as file:
        # The C loader takes a tenth of the time; every wheel of PyYAML has it.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        content: dict[str, Any] = yaml.load(file, loader)  # noqa: S506 - both are safe loaders
    return content


@functools.cache
def operations() -> tuple[Operation, ...]:
    """Return everything that can be asked, in the contract's order."""
    return tuple(
        _operation(path, method, facts)
        for path, methods in document()["paths"].items()
        for method, facts in methods.items()
        if method in METHODS
    )


def check_query(query: str, operation: Operation) -> dict[str, Any]:
    """Return the parameters of a query; raise Problem 400 when the contract has no such ones."""
    if not query and not operation.required:
        return {}
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS, errors="replace"
        )
    except ValueError:
        limit = {"name": "query-parameters", "most": MOST_PARAMETERS}
        raise Problem(
            400, f"Send at most {MOST_PARAMETERS} query parameters.", limit=limit
        ) from None
    known = ", ".join(operation.query) or "none"
    found: dict[str, Any] = {}
    for name, text in pairs:
        if name not in operation.query:
            limit = {"name": "query", "allowed": list(operation.query)}
            detail = f"This address has no query parameter {name[:40]!r}; it has {known}."
            raise Problem(400, detail, limit=limit)
        if name in found:
            raise Problem(400, f"The query parameter {name} is given twice; give it once.")
        found[name] = _checked(name, text, operation.query[name])
    if missing := sorted(operation.required - found.keys()):
        raise Problem(400, f"The query parameter {missing[0]} is missing; add it.")
    return found


def check_body(content: Any, operation: Operation) -> None:
    """Raise Problem 400 when the content of a JSON body is not what the contract says."""
    try:
        schema.check(content, operation.body or {}, document())
    except schema.MismatchError as mismatch:
        raise Problem(400, f"This is no valid request: {mismatch}; correct it.") from None


def _operation(path: str, method: str, facts: Mapping[str, Any]) -> Operation:
    parameters = [schema.resolve(one, document()) for one in facts.get("parameters", ())]
    query = {one["name"]: one for one in parameters if one["in"] == "query"}
    body = schema.resolve(facts.get("requestBody", {}), document()).get("content", {})
    return Operation(
        facts["operationId"],
        path,
        method.upper(),
        {name: one["schema"] for name, one in query.items()},
        frozenset(name for name, one in query.items() if one.get("required")),
        body.get("application/json", {}).get("schema"),
        tuple(facts.get("tags", ())),
    )


def _checked(name: str, text: str, wanted: schema.Schema) -> Any:
    wanted = schema.resolve(wanted, document())
    value: Any = text
    if wanted["type"] == "integer" and re.fullmatch(r"-?[0-9]{1,9}", text):
        value = int(text)
    elif wanted["type"] == "array":
        value = text.split(",")
    try:
        schema.check(value, wanted, document(), name)
    except schema.MismatchError as mismatch:
        limit = {"name": f"query-{name}"}
        if allowed := wanted.get("items", {}).get("enum"):
            limit["allowed"] = allowed
        elif "maximum" in wanted:
            limit["most"] = wanted["maximum"]
        detail = f"The query parameter {mismatch}; {text[:40]!r} does not work."
        raise Problem(400, detail, limit=limit) from None
    return value
