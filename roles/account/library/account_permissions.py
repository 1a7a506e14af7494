#!/usr/bin/python
"""Ansible module: whether the caller may do what IAM policies allow."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

with suppress(ImportError):  # AnsibleAWSModule says what is missing.
    from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: account_permissions
short_description: Ask AWS whether the caller may do what IAM policies allow
description:
  - Asks IAM to simulate the policies' actions (iam:SimulatePrincipalPolicy). Where the caller may
    not ask that, tries what EC2 can try without doing it (DryRun) and needs no object for.
  - Reads only; the same in check mode.
options:
  policies:
    description: The policies, each as JSON.
    type: list
    elements: str
    required: true
  arn:
    description: Who the caller is, as STS says.
    type: str
    required: true
  account:
    description: The account's number.
    type: str
    required: true
  image_id:
    description: An image to try a launch with, where there is one.
    type: str
    default: ""
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Ask whether it may be done
  account_permissions:
    policies:
      - "{{ lookup('ansible.builtin.file', 'iam-policy.json') }}"
    arn: "{{ caller.arn }}"
    account: "{{ caller.account }}"
  register: permissions
"""

RETURN = r"""
asked:
  description: How it was found out, C(simulation), C(dry run) or C(root).
  returned: always
  type: str
count:
  description: How many actions were looked at.
  returned: always
  type: int
denied:
  description: The actions that the caller may not do.
  returned: always
  type: list
  elements: str
reason:
  description: Why the simulation could not be asked, where it could not.
  returned: always
  type: str
"""

BATCH = 50
ALLOWED = "allowed"


def listed(value: str | list[str]) -> list[str]:
    """Give a policy's string or list as a list."""
    return [value] if isinstance(value, str) else value


def principal(arn: str) -> str:
    """Give who can be simulated: a session's role, or the user itself."""
    session = re.fullmatch(r"arn:(aws[\w-]*):sts::(\d+):assumed-role/([^/]+)/.*", arn)
    return f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}" if session else arn


def concrete(resource: str, region: str, account: str) -> str:
    """Give an example of the resources that a pattern of the policy means."""
    if resource == "*":
        return resource
    parts = resource.split(":", 5)
    parts[3] = parts[3].replace("*", region)
    parts[4] = parts[4].replace("*", account)
    parts[5] = parts[5].replace("*/*", "vpc/*").replace("*", "plan")
    return ":".join(parts)


def context(statement: dict[str, Any]) -> list[dict[str, Any]]:
    """Give what a statement's conditions want to be true."""
    wanted: dict[str, str | list[str]] = statement.get("Condition", {}).get("StringEquals", {})
    return [
        {"ContextKeyName": key, "ContextKeyValues": listed(value)[:1], "ContextKeyType": "string"}
        for key, value in wanted.items()
    ]


def simulated(
    client: Any, source: str, statement: dict[str, Any], region: str, account: str
) -> Iterator[tuple[str, bool]]:
    """Ask IAM about a statement; give its actions, and whether each may be done to any resource."""
    actions = listed(statement["Action"])
    resources = [concrete(r, region, account) for r in listed(statement["Resource"])]
    for first in range(0, len(actions), BATCH):
        pages = client.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=source,
            ActionNames=actions[first : first + BATCH],
            ResourceArns=resources,
            ContextEntries=context(statement),
        )
        for page in pages:
            for result in page["EvaluationResults"]:
                # Not every action knows every kind of resource in its statement.
                each = result.get("ResourceSpecificResults", [])
                decisions = {r["EvalResourceDecision"] for r in each} or {result["EvalDecision"]}
                yield result["EvalActionName"], ALLOWED in decisions


def tries(image_id: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Give the calls that need no object, as EC2 can try them.

    Without CreateVpc: a stand-in for EC2 that knows no DryRun there (moto) would do it.
    """
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "ec2:CreateInternetGateway": ("create_internet_gateway", {}),
        "ec2:AllocateAddress": ("allocate_address", {"Domain": "vpc"}),
        "ec2:DescribeInstances": ("describe_instances", {}),
    }
    if image_id:
        launch = {"ImageId": image_id, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
        calls["ec2:RunInstances"] = ("run_instances", launch)
    return calls


KINDS = {
    "create_internet_gateway": ["internet-gateway"],
    "allocate_address": ["elastic-ip"],
    "run_instances": ["instance", "volume"],
}


def tried(client: Any, image_id: str, project: str) -> Iterator[tuple[str, bool]]:
    """Try what EC2 can try without doing it; give the actions, and whether each may be done."""
    for action, (operation, arguments) in tries(image_id).items():
        tags = [
            {"ResourceType": kind, "Tags": [{"Key": "Project", "Value": project}]}
            for kind in KINDS.get(operation, [])
        ]
        given = {**arguments, **({"TagSpecifications": tags} if tags else {})}
        try:
            getattr(client, operation)(DryRun=True, **given)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            # Any other code tells nothing of permissions.
            if code in ("DryRunOperation", "UnauthorizedOperation"):
                yield action, code == "DryRunOperation"


def main() -> None:
    """Hand the answer to Ansible."""
    module = AnsibleAWSModule(
        argument_spec={
            "policies": {"type": "list", "elements": "str", "required": True},
            "arn": {"type": "str", "required": True},
            "account": {"type": "str", "required": True},
            "image_id": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    params = module.params
    statements = [s for policy in params["policies"] for s in json.loads(policy)["Statement"]]
    answer: dict[str, Any] = {"changed": False, "reason": "", "denied": [], "count": 0}
    if params["arn"].endswith(":root"):
        module.exit_json(asked="root", **answer)
    found: dict[str, bool] = {}
    try:
        iam = module.client("iam")
        for statement in statements:
            for action, may in simulated(
                iam, principal(params["arn"]), statement, module.region, params["account"]
            ):
                found[action] = found.get(action, True) and may
        answer["asked"] = "simulation"
    except (BotoCoreError, ClientError) as error:
        answer["asked"], answer["reason"] = "dry run", str(error)
        project = next(c["ContextKeyValues"][0] for s in statements for c in context(s))
        try:
            found = dict(tried(module.client("ec2"), params["image_id"], project))
        except BotoCoreError as failure:
            module.fail_json_aws(failure, msg="Cannot ask AWS what is allowed")
    answer["denied"] = sorted(action for action, may in found.items() if not may)
    answer["count"] = len(found)
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
