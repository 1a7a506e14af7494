"""What of IAM's evaluation the project's policy uses: actions, resources, conditions on strings.

A call of a playbook becomes one request for each resource that AWS looks at, by AWS's service
authorization reference: what exists and is named, what is created, and the tagging at creation.
All of them must be allowed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tests.aws.conftest import ROOT

Call = dict[str, Any]
POLICY: dict[str, Any] = json.loads((ROOT / "roles/account/files/iam-policy.json").read_text())
IMAGES = json.loads(Path(__file__).with_name("amis.json").read_text())
OWNERS = {image["ami_id"]: image["owner_id"] for image in IMAGES}

# AWS lets every caller ask who it is.
NEEDS_NOTHING = {"sts:GetCallerIdentity"}
TYPES = {
    "vpc": "vpc",
    "subnet": "subnet",
    "sg": "security-group",
    "igw": "internet-gateway",
    "rtb": "route-table",
    "rtbassoc": "route-table",
    "i": "instance",
    "eni": "network-interface",
    "vol": "volume",
    "nat": "natgateway",
    "eipalloc": "elastic-ip",
    "snap": "snapshot",
}
# Without an account in their names.
PUBLIC = ("image", "snapshot")


@dataclass(frozen=True)
class Request:
    """One question to IAM."""

    action: str
    resource: str
    context: dict[str, str]


def arn(kind: str, identifier: str) -> str:
    """Name an object of EC2."""
    account = "" if kind in PUBLIC else "123456789012"
    return f"arn:aws:ec2:eu-central-1:{account}:{kind}/{identifier}"


def requests(call: Call) -> list[Request]:
    """Give what IAM is asked for a call."""
    action = call["action"]
    verb = action.partition(":")[2]
    if action in NEEDS_NOTHING:
        return []
    if not action.startswith("ec2:") or verb.startswith("Describe"):
        return [Request(action, "*", {})]
    asked = {f"aws:RequestTag/{key}": value for key, value in call["tags"].get("", {}).items()}
    found = [
        Request(
            action,
            arn(TYPES.get(identifier.split("-")[0], "key-pair"), identifier),
            {**asked, **{f"aws:ResourceTag/{key}": value for key, value in tags.items()}},
        )
        for identifier, tags in call["objects"].items()
    ]
    for kind, tags in call["tags"].items():
        if kind:
            given = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
            found.append(Request(action, arn(kind, "new"), given))
            tagging = {**given, "ec2:CreateAction": verb}
            found.append(Request("ec2:CreateTags", arn(kind, "new"), tagging))
    if verb == "RunInstances":
        image = call["fields"]["ImageId"]
        found.append(Request(action, arn("image", image), {"ec2:Owner": OWNERS[image]}))
        found.append(Request(action, arn("network-interface", "new"), {}))
    assert found, f"{action} names nothing that AWS could look at: {call['fields']}"
    return found


def is_tagging(request: Request) -> bool:
    """Tell whether it is the tagging of what is just being created."""
    return "ec2:CreateAction" in request.context


def name(request: Request) -> str:
    """Name a request for a person."""
    return f"{request.action} {request.resource} {sorted(request.context.items())}"


def listed(value: str | list[str]) -> list[str]:
    """Give a policy's string or list as a list."""
    return [value] if isinstance(value, str) else value


def holds(statement: dict[str, Any], context: dict[str, str]) -> bool:
    """Tell whether a statement's conditions hold; an operator that is not known is an error."""
    for operator, wanted in statement.get("Condition", {}).items():
        if operator not in ("StringEquals", "StringEqualsIfExists"):
            raise ValueError(operator)
        for key, values in wanted.items():
            if key not in context and operator == "StringEqualsIfExists":
                continue
            if context.get(key) not in listed(values):
                return False
    return True


def allowing(request: Request) -> list[dict[str, Any]]:
    """Give the statements that allow a request."""
    return [
        statement
        for statement in POLICY["Statement"]
        if len(parts(statement, request)) > 1 and holds(statement, request.context)
    ]


def parts(statement: dict[str, Any], request: Request) -> list[str]:
    """Give the action and the resources of a statement that match a request; or not both."""
    actions = [a for a in listed(statement["Action"]) if a == request.action]
    resources = [r for r in listed(statement["Resource"]) if fnmatchcase(request.resource, r)]
    return actions + resources if actions and resources else []
