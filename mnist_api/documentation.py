"""The contract as a page for people: plain HTML made from openapi.yaml, without any script."""

from __future__ import annotations

import functools
import html
from collections.abc import Iterator, Mapping
from typing import Any

from pyramid.request import Request
from pyramid.response import Response

from mnist_api import answers, contract, schema
from mnist_api.contract import Operation

YAML = "application/yaml"
Part = Mapping[str, Any]


def show(_: Request, __: Operation, ___: dict[str, Any]) -> Response:
    """Answer with the page."""
    return answers.page(contract.document()["info"]["title"], _page())


def contract_file(_: Request, __: Operation, ___: dict[str, Any]) -> Response:
    """Answer with the contract itself."""
    return Response(body=contract.FILE.read_bytes(), content_type=YAML)


@functools.cache
def _page() -> str:
    document = contract.document()
    lines = [f"<p>{_text(document['info']['description'])}</p>"]
    lines.append('<p>The contract as a file: <a href="openapi.yaml">openapi.yaml</a></p>')
    for tag in document["tags"]:
        lines.append(f"<h2>{_text(tag['name'])}</h2>\n<p>{_text(tag['description'])}</p>")
        for operation in contract.operations():
            if tag["name"] in operation.tags:
                facts = document["paths"][operation.path][operation.method.lower()]
                lines.extend(_operation(operation, facts))
    lines.append("<h2>schemas</h2>")
    for name, facts in document["components"]["schemas"].items():
        lines.append(f'<h3 id="{name}">{name}</h3>\n{_schema(facts)}')
    return "\n".join(lines)


def _operation(operation: Operation, facts: Part) -> Iterator[str]:
    address = f"{operation.method} {operation.path}"
    yield f'<h3 id="{operation.name}"><code>{_text(address)}</code></h3>'
    yield f"<p><strong>{_text(facts['summary'])}</strong> {_text(facts.get('description', ''))}</p>"
    root = contract.document()
    for parameter in (schema.resolve(one, root) for one in facts.get("parameters", ())):
        needed = "must be given" if parameter.get("required") else "may be given"
        where = f"<code>{_text(parameter['name'])}</code> ({parameter['in']}, {needed})"
        yield f"<p>{where}: {_text(parameter.get('description', ''))}</p>"
        yield _schema(parameter["schema"])
    if "requestBody" in facts:
        body = schema.resolve(facts["requestBody"], root)
        yield f"<p>Body: {_text(body.get('description', ''))}</p>"
        yield _contents(body["content"])
    for status, part in facts["responses"].items():
        answer = schema.resolve(part, root)
        yield f"<p><code>{status}</code> {_text(answer['description'])}</p>"
        yield _contents(answer.get("content", {}))


def _contents(contents: Mapping[str, Part]) -> str:
    items = [
        f"<li><code>{_text(kind)}</code> {_schema(facts.get('schema', {}))}</li>"
        for kind, facts in contents.items()
    ]
    return f"<ul>{''.join(items)}</ul>" if items else ""


def _schema(facts: Part) -> str:
    """Say in words what a schema asks for."""
    said = []
    for keyword, value in facts.items():
        if keyword == "$ref":
            name = value.rpartition("/")[2]
            said.append(f'<a href="#{name}">{name}</a>')
        elif keyword == "description":
            said.append(_text(value))
        elif keyword == "properties":
            said.append(_properties(value, facts.get("required", ())))
        elif keyword in ("items", "if", "then") or (
            keyword == "additionalProperties" and isinstance(value, dict)
        ):
            said.append(f"{keyword}: {_schema(value)}")
        elif keyword != "required" or "properties" not in facts:
            said.append(f"<code>{_text(keyword)}: {_text(_value(value))}</code>")
    return "; ".join(said)


def _properties(properties: Mapping[str, Part], required: list[str]) -> str:
    items = [
        f"<li><code>{_text(name)}</code>{' (always)' * (name in required)} {_schema(facts)}</li>"
        for name, facts in properties.items()
    ]
    return f"<ul>{''.join(items)}</ul>"


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _text(text: str) -> str:
    return html.escape(text)
