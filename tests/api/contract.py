"""Holds every answer of an application against mnist_api/openapi.yaml."""

from __future__ import annotations

import functools
import json
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


def check_answer(method: str, path: str, status: int, media_type: str, body: bytes) -> None:
    """Raise AssertionError or ValidationError when an answer is not what the contract says.

    What the contract does not name (an unknown address, another method) must be a problem.
    """
    place = ["paths", path, "get" if method == "HEAD" else method.lower(), "responses"]
    responses = _part(place)
    if responses is None:
        place = ["components", "responses", "Problem"]
    elif str(status) in responses:
        place.append(str(status))
    else:
        assert status >= 500, f"{method} {path} has no answer {status}"
        place.append("default")
    if reference := _part(place).get("$ref"):
        place = reference.removeprefix("#/").split("/")
    place += ["content", media_type]
    assert _part(place), f"{method} {path} {status} is of type {media_type}"
    if method != "HEAD":
        answer = json.loads(body)
        _validate(answer, [*place, "schema"])
        assert answer.get("status", status) in (status, "alive", "ready")


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
