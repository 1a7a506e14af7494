"""The AWS calls that playbooks make, as moto sees them: what is asked, with which tags, of what.

A call is a dict: `action` as IAM names it (``ec2:CreateVpc``), `tags` that the request gives to
what it creates (by resource type; ``""`` for CreateTags), `objects`: the tags of what exists and is
named in the request, by id, and `fields`: the request itself.
"""

from __future__ import annotations

import importlib
import io
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

# How a request's signature names a service, where IAM has another name.
SERVICES = {"servicequotas": "servicequotas", "monitoring": "cloudwatch"}
SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/")
IDENTIFIER = re.compile(
    r"(vpc|subnet|sg|igw|rtb|rtbassoc|i|eni|vol|nat|eipalloc|snap)-[0-9a-f]{8,17}"
)
# The modules of amazon.aws, and this project's own; the tests' clients are not playbooks.
ANSIBLE = "Ansible/"


def action_of(environ: dict[str, Any], fields: dict[str, str]) -> str:
    """Give a request's action as IAM names it."""
    scope = SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    service = scope[1] if scope else "unsigned"
    verb = fields.get("Action") or environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    return f"{SERVICES.get(service, service)}:{verb}"


def given_tags(fields: dict[str, str]) -> dict[str, dict[str, str]]:
    """Give the tags in a request, by the resource type that they are for."""
    found: dict[str, dict[str, str]] = {}
    for name, key in fields.items():
        match = re.fullmatch(r"(?:(TagSpecification\.\d+)\.)?Tags?(?:\.member)?\.(\d+)\.Key", name)
        if match:
            value = fields.get(name.removesuffix("Key") + "Value", "")
            kind = fields.get(f"{match[1]}.ResourceType", "") if match[1] else ""
            found.setdefault(kind, {})[key] = value
    return found


def tags_of(identifier: str) -> dict[str, str]:
    """Give the tags that an object of moto's EC2 has."""
    models: Any = importlib.import_module("moto.ec2.models")
    for account in list(models.ec2_backends.values()):
        for backend in list(account.values()):
            if identifier in backend.tags:
                return dict(backend.tags[identifier])
            if identifier in backend.key_pairs:
                return {
                    tag["key"]: tag["value"] for tag in backend.key_pairs[identifier].get_tags()
                }
            for table in backend.route_tables.values():
                if identifier in table.all_associations_ids:
                    return dict(backend.tags[table.id])
    return {}


def call(environ: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Describe a request."""
    text = body.decode(errors="replace")
    fields = {} if text.startswith("{") else dict(parse_qsl(text))
    named = {value for value in fields.values() if IDENTIFIER.fullmatch(value)}
    if "KeyName" in fields and fields["Action"] in ("DeleteKeyPair", "RunInstances"):
        named.add(fields["KeyName"])
    return {
        "action": action_of(environ, fields),
        "tags": given_tags(fields),
        "objects": {identifier: tags_of(identifier) for identifier in sorted(named)},
        "fields": fields,
    }


def record(file: Path) -> None:
    """Make moto write every call of a playbook to a file, one JSON object a line, as it comes."""
    application: Any = importlib.import_module(
        "moto.moto_server.werkzeug_app"
    ).DomainDispatcherApplication
    answer = application.__call__

    def recorded(self: Any, environ: dict[str, Any], start_response: Any) -> Any:
        if ANSIBLE in environ.get("HTTP_USER_AGENT", ""):
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            with file.open("a") as calls:
                calls.write(json.dumps(call(environ, body)) + "\n")
        return answer(self, environ, start_response)

    application.__call__ = recorded


def read(file: Path) -> list[dict[str, Any]]:
    """Give the calls of a file."""
    return [json.loads(line) for line in file.read_text().splitlines()]
