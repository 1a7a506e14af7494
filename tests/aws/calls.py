"""The AWS calls that playbooks make, as moto sees them: what is asked, with which tags, of what.

A call is a dict: `action` as IAM names it (``ec2:CreateVpc``), `tags` that the request gives to
what it creates (by resource type; ``""`` where the request says none), `objects`: the tags of what
exists and is named in the request, by id or ARN, and `fields`: the request itself.
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
    r"(vpc|subnet|sg|igw|rtb|rtbassoc|i|eni|vol|nat|eipalloc|snap|ami|lt)-[0-9a-f]{8,17}"
)
# A launch template may name anything: AWS looks at it when the template is used.
NOT_LOOKED_AT = "LaunchTemplateData."
# What a call of Elastic Load Balancing is about; a rule's targets are not.
BALANCED = re.compile(
    r"(LoadBalancer|Listener|Rule|TargetGroup)Arn"
    r"|ResourceArns\.member\.\d+|RulePriorities\.member\.\d+\.RuleArn"
)
# The modules of amazon.aws, and this project's own; the tests' clients are not playbooks.
ANSIBLE = "Ansible/"


def backends(service: str) -> list[Any]:
    """Give moto's backends of a service, of every account and region."""
    models: Any = importlib.import_module(f"moto.{service}.models")
    accounts = getattr(models, f"{service}_backends")
    return [backend for account in list(accounts.values()) for backend in list(account.values())]


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
    for backend in backends("ec2"):
        if identifier in backend.tags:
            return dict(backend.tags[identifier])
        if identifier in backend.key_pairs:
            return {tag["key"]: tag["value"] for tag in backend.key_pairs[identifier].get_tags()}
        for table in backend.route_tables.values():
            if identifier in table.all_associations_ids:
                return dict(backend.tags[table.id])
    return {}


def in_ec2(fields: dict[str, str]) -> dict[str, dict[str, str]]:
    """Give the tags of the objects of EC2 that a request names."""
    named = {
        value
        for name, value in fields.items()
        if IDENTIFIER.fullmatch(value) and not name.startswith(NOT_LOOKED_AT)
    }
    if "KeyName" in fields and fields["Action"] in ("DeleteKeyPair", "RunInstances"):
        named.add(fields["KeyName"])
    return {identifier: tags_of(identifier) for identifier in sorted(named)}


def balanced(fields: dict[str, str]) -> dict[str, dict[str, str]]:
    """Give the tags of the objects of Elastic Load Balancing that a request is about."""
    return {
        arn: {
            key: value
            for backend in backends("elbv2")
            for key, value in backend.tagging_service.get_tag_dict_for_resource(arn).items()
        }
        for arn in sorted(value for name, value in fields.items() if BALANCED.fullmatch(name))
    }


def scaled(fields: dict[str, str]) -> dict[str, dict[str, str]]:
    """Give the tags of the scaling group that a request names, by itself or by a machine."""
    names = {fields.get("AutoScalingGroupName"), fields.get("Tags.member.1.ResourceId")}
    return {
        group.arn: {tag["Key"]: tag["Value"] for tag in group.tags}
        for backend in backends("autoscaling")
        for group in backend.autoscaling_groups.values()
        if group.name in names
        or fields.get("InstanceId") in {state.instance.id for state in group.instance_states}
    }


OBJECTS = {"ec2": in_ec2, "elasticloadbalancing": balanced, "autoscaling": scaled}


def call(environ: dict[str, Any], body: bytes) -> dict[str, Any]:
    """Describe a request."""
    text = body.decode(errors="replace")
    fields = {} if text.startswith("{") else dict(parse_qsl(text))
    action = action_of(environ, fields)
    service, _, verb = action.partition(":")
    known = OBJECTS.get(service) if not verb.startswith("Describe") else None
    return {
        "action": action,
        "tags": given_tags(fields),
        "objects": known(fields) if known else {},
        "fields": fields,
    }


def launches(fields: dict[str, str]) -> list[dict[str, Any]]:
    """Give the launch that AWS asks about when a scaling group gets a launch template.

    It asks whether the caller might launch it; the group's own launches are the service's.
    """
    template = fields.get("LaunchTemplate.LaunchTemplateId")
    if not template:
        return []
    (backend,) = [one for one in backends("ec2") if template in one.launch_templates]
    version = backend.launch_templates[template].get_version(fields["LaunchTemplate.Version"])
    data = version.data
    named = [template, data["ImageId"], data["KeyName"], *data["SecurityGroupIds"]]
    named += fields.get("VPCZoneIdentifier", "").split(",")
    tags = {
        one["ResourceType"]: {tag["Key"]: tag["Value"] for tag in one["Tags"]}
        for one in data["TagSpecifications"]
    }
    return [
        {
            "action": "ec2:RunInstances",
            "tags": tags,
            "objects": {identifier: tags_of(identifier) for identifier in named},
            "fields": {"ImageId": data["ImageId"]},
        }
    ]


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
            made = call(environ, body)
            with file.open("a") as calls:
                for one in (made, *launches(made["fields"])):
                    calls.write(json.dumps(one) + "\n")
        return answer(self, environ, start_response)

    application.__call__ = recorded


def read(file: Path) -> list[dict[str, Any]]:
    """Give the calls of a file."""
    return [json.loads(line) for line in file.read_text().splitlines()]
