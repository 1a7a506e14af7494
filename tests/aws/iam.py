"""What of IAM's evaluation the project's policies use: actions, resources, conditions on strings.

A call of a playbook becomes one request for each resource that AWS looks at, by AWS's service
authorization reference: what exists and is named, what is created, and the tagging at creation.
All of them must be allowed, by one policy or another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tests.aws.conftest import ROOT

Call = dict[str, Any]
Policy = dict[str, Any]
FILES = ROOT / "roles" / "account" / "files"
POLICY: Policy = json.loads((FILES / "iam-policy.json").read_text())
# What network_front=alb needs beside it.
POLICY_ALB: Policy = json.loads((FILES / "iam-policy-alb.json").read_text())
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
    "ami": "image",
    "lt": "launch-template",
}
ACCOUNT = "123456789012"
# Without an account in their names.
PUBLIC = ("image", "snapshot")

# What is created outside EC2, as its name begins and ends.
MADE = {
    "elasticloadbalancing:CreateLoadBalancer": ("loadbalancer/app/", "Name", "/new"),
    "elasticloadbalancing:CreateTargetGroup": ("targetgroup/", "Name", "/new"),
    "autoscaling:CreateAutoScalingGroup": (
        "autoScalingGroup:new:autoScalingGroupName/",
        "AutoScalingGroupName",
        "",
    ),
}
# What AWS asks for beside an action, and moto does not: by Elastic Load Balancing's user guide,
# API permissions.
BESIDE = {
    "elasticloadbalancing:CreateLoadBalancer": (
        "ec2:DescribeAccountAttributes",
        "ec2:DescribeAddresses",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    ),
    "elasticloadbalancing:CreateTargetGroup": ("ec2:DescribeInternetGateways", "ec2:DescribeVpcs"),
    "elasticloadbalancing:RegisterTargets": (
        "ec2:DescribeInstances",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    ),
    "elasticloadbalancing:SetSubnets": ("ec2:DescribeSubnets",),
}
# The role that a service gets when an account uses it for the first time.
ROLES = {
    "elasticloadbalancing:CreateLoadBalancer": "AWSServiceRoleForElasticLoadBalancing",
    "elasticloadbalancing:CreateTargetGroup": "AWSServiceRoleForElasticLoadBalancing",
    "autoscaling:CreateAutoScalingGroup": "AWSServiceRoleForAutoScaling",
}
# Conditions whose every value must be needed.
COUNTED = ("ec2:CreateAction", "elasticloadbalancing:CreateAction", "iam:AWSServiceName")


@dataclass(frozen=True)
class Request:
    """One question to IAM."""

    action: str
    resource: str
    context: dict[str, str]


def arn(kind: str, identifier: str) -> str:
    """Name an object of EC2."""
    account = "" if kind in PUBLIC else ACCOUNT
    return f"arn:aws:ec2:eu-central-1:{account}:{kind}/{identifier}"


def keys(kind: str, tags: dict[str, str]) -> dict[str, str]:
    """Write tags as condition keys."""
    return {f"aws:{kind}/{key}": value for key, value in tags.items()}


def requests(call: Call) -> list[Request]:
    """Give what IAM is asked for a call."""
    action = call["action"]
    service, _, verb = action.partition(":")
    if action in NEEDS_NOTHING:
        return []
    if verb.startswith("Describe") or service not in ("ec2", "elasticloadbalancing", "autoscaling"):
        return [Request(action, "*", {})]
    found = [*of_what_is_there(call), *(in_ec2(call) if service == "ec2" else elsewhere(call))]
    assert found, f"{action} names nothing that AWS could look at: {call['fields']}"
    return found


def of_what_is_there(call: Call) -> Iterator[Request]:
    """Give what IAM is asked about the objects that a call names."""
    asked = keys("RequestTag", call["tags"].get("", {}))
    for identifier, tags in call["objects"].items():
        context = {**asked, **keys("ResourceTag", tags)}
        resource = identifier
        if not identifier.startswith("arn:"):
            resource = arn(TYPES.get(identifier.split("-")[0], "key-pair"), identifier)
        if identifier.startswith("ami-"):
            context["ec2:Owner"] = OWNERS.get(identifier, ACCOUNT)
        yield Request(call["action"], resource, context)


def in_ec2(call: Call) -> Iterator[Request]:
    """Give what IAM is asked about what a call of EC2 creates."""
    action = call["action"]
    verb = action.partition(":")[2]
    for kind, tags in call["tags"].items():
        if kind:
            given = keys("RequestTag", tags)
            yield Request(action, arn(kind, "new"), given)
            tagging = {**given, "ec2:CreateAction": verb}
            yield Request("ec2:CreateTags", arn(kind, "new"), tagging)
    if verb == "RunInstances" and "network-interface" not in call["tags"]:
        yield Request(action, arn("network-interface", "new"), {})


def elsewhere(call: Call) -> Iterator[Request]:
    """Give what IAM is asked about what a call outside EC2 creates, and beside it."""
    action = call["action"]
    service, _, verb = action.partition(":")
    for beside in BESIDE.get(action, ()):
        yield Request(beside, "*", {})
    if action not in MADE:
        return
    begin, field, end = MADE[action]
    new = f"arn:aws:{service}:eu-central-1:{ACCOUNT}:{begin}{call['fields'][field]}{end}"
    given = keys("RequestTag", call["tags"].get("", {}))
    yield Request(action, new, given)
    if given and service == "elasticloadbalancing":
        tagging = {**given, "elasticloadbalancing:CreateAction": verb}
        yield Request("elasticloadbalancing:AddTags", new, tagging)
    principal = f"{service}.amazonaws.com"
    role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{principal}/{ROLES[action]}"
    yield Request("iam:CreateServiceLinkedRole", role, {"iam:AWSServiceName": principal})


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


def allowing(request: Request, *policies: Policy) -> list[dict[str, Any]]:
    """Give the statements that allow a request."""
    return [
        statement
        for policy in policies
        for statement in policy["Statement"]
        if parts(statement, request) and holds(statement, request.context)
    ]


def parts(statement: dict[str, Any], request: Request) -> list[str]:
    """Give the action, the resources and the counted values that match; or nothing."""
    actions = [a for a in listed(statement["Action"]) if a == request.action]
    resources = [r for r in listed(statement["Resource"]) if fnmatchcase(request.resource, r)]
    values = [value for value in counted(statement) if value in request.context.values()]
    return actions + resources + values if actions and resources else []


def counted(statement: dict[str, Any]) -> list[str]:
    """Give the values of a statement's conditions of which each must be needed."""
    wanted = statement.get("Condition", {}).get("StringEquals", {})
    return [value for key in COUNTED for value in listed(wanted.get(key, []))]


def written(policy: Policy) -> set[tuple[str, str]]:
    """Give everything in a policy that a call must need, each with its statement."""
    return {
        (statement["Sid"], part)
        for statement in policy["Statement"]
        for part in (
            *listed(statement["Action"]),
            *listed(statement["Resource"]),
            *counted(statement),
        )
    }
