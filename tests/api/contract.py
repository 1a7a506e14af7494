"""Holds every answer of an application against mnist_api/openapi.yaml, by JSON Schema's own rules.

Not by mnist_api/contract.py: what answers must not be what checks.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

import mnist_api

CONTRACT = Path(mnist_api.__file__).parent / "openapi.yaml"


@functools.cache
def contract() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    validate(document)
    return document


def check_answer(method: str, path: str, status: int, media_type: str | None, body: bytes) -> None:
    """Raise AssertionError or ValidationError when an answer is not what the contract says.

    What the contract does not name (an unknown address, another method) must be a problem.
    """
    place = _response(method, path, status)
    if "content" not in _part(place):
        assert not body
        return
    place += ["content", str(media_type)]
    assert _part(place), f"{method} {path} {status} is of type {media_type}"
    if method == "HEAD":
        assert not body
        return
    answer = json.loads(body) if str(media_type).endswith("json") else body.decode()
    _validate(answer, [*place, "schema"])
    if media_type == "application/problem+json":
        assert answer["status"] == status


def check_headers(method: str, path: str, status: int, headers: Mapping[str, str]) -> None:
    """Raise the same when an answer lacks a header that the contract promises."""
    for name, header in _part(_response(method, path, status)).get("headers", {}).items():
        assert name in headers, f"{method} {path} {status} has no {name}"
        schema = _part([*header["$ref"].removeprefix("#/").split("/"), "schema"])
        value = int(headers[name]) if schema["type"] == "integer" else headers[name]
        OAS31Validator(schema).validate(value)


def _response(method: str, path: str, status: int) -> list[str]:
    """Return the place in the contract of what it says about an answer."""
    place = ["paths", _template(path), "get" if method == "HEAD" else method.lower(), "responses"]
    responses = _part(place)
    if responses is None:
        return ["components", "responses", "Problem"]
    if str(status) in responses:
        place.append(str(status))
    else:
        assert status >= 500 or status in (405, 408, 411, 431), f"{method} {path} has no {status}"
        place.append("default")
    if reference := _part(place).get("$ref"):
        return list(reference.removeprefix("#/").split("/"))
    return place


def _template(path: str) -> str:
    """Return the contract's address that a path is one of, or the path itself."""
    if path in contract()["paths"]:
        return path
    for template in contract()["paths"]:
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path):
            return str(template)
    return path


def _part(place: list[str]) -> Any:
    found: Any = contract()
    for key in place:
        found = found.get(key) if found else None
    return found


def _validate(answer: Any, place: list[str]) -> None:
    document = Resource.from_contents(contract(), default_specification=DRAFT202012)
    registry = Registry().with_resource("urn:contract", document)
    pointer = "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in place)
    OAS31Validator({"$ref": f"urn:contract#{pointer}"}, registry=registry).validate(answer)
