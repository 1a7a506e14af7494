#!/usr/bin/python
"""Ansible module: whether the account's quotas leave room for what is wanted."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

with suppress(ImportError):  # AnsibleAWSModule says what is missing.
    from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: account_quotas
short_description: Compare the account's quotas with what is there and what is wanted
description:
  - Looks at virtual CPUs of on-demand standard instances, VPCs and elastic addresses of the region.
  - What has the project's tag is not counted as used, as it is part of what is wanted.
  - A quota that may not be read is C(null), never a default that may be wrong.
  - Reads only; the same in check mode.
options:
  project:
    description: Value of the tag Project.
    type: str
    required: true
  instance_types:
    description: The type of every instance that is wanted.
    type: list
    elements: str
    required: true
  addresses:
    description: How many elastic addresses are wanted.
    type: int
    default: 0
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Is there room?
  account_quotas:
    project: mnist-on-aws
    instance_types: [t3.micro, t3.micro]
  register: quotas
"""

RETURN = r"""
quotas:
  description: Each quota with C(name), C(limit) (or null), C(used) by others, and C(wanted).
  returned: always
  type: list
  elements: dict
reason:
  description: Why a limit could not be read, where one could not.
  returned: always
  type: str
"""

# Service, the quota's code, and what it limits.
QUOTAS = (
    ("ec2", "L-1216C47A", "vCPUs of running on-demand standard instances"),
    ("vpc", "L-F678F1CE", "VPCs"),
    ("ec2", "L-0263D0A3", "elastic addresses"),
)
# The families that the first of them counts: A, C, D, H, I, M, R, T, Z.
STANDARD = re.compile(r"(?:a|c|d|h|i|im|is|m|r|t|z)\d")


def others(items: list[dict[str, Any]], project: str) -> list[dict[str, Any]]:
    """Leave out what has the project's tag."""
    ours = {"Key": "Project", "Value": project}
    return [item for item in items if ours not in item.get("Tags", [])]


def cpus(client: Any, types: list[str]) -> int:
    """Give how many virtual CPUs machines of these types count for the quota."""
    counts = Counter(kind for kind in types if STANDARD.match(kind))
    if not counts:
        return 0
    described = client.describe_instance_types(InstanceTypes=sorted(counts))["InstanceTypes"]
    return sum(
        counts[kind["InstanceType"]] * kind["VCpuInfo"]["DefaultVCpus"] for kind in described
    )


def running(client: Any) -> list[dict[str, Any]]:
    """Give the instances that count for the quota."""
    states = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    return [
        instance
        for page in client.get_paginator("describe_instances").paginate(Filters=states)
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
    ]


def limits(client: Any) -> tuple[list[float | None], str]:
    """Read the quotas' limits; one that may not be read is None, and the last reason is said."""
    found: list[float | None] = []
    reason = ""
    for service, code, _ in QUOTAS:
        try:
            quota = client.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]
            found.append(float(quota["Value"]))
        except (BotoCoreError, ClientError) as error:
            found.append(None)
            reason = str(error)
    return found, reason


def main() -> None:
    """Hand the comparison to Ansible."""
    module = AnsibleAWSModule(
        argument_spec={
            "project": {"type": "str", "required": True},
            "instance_types": {"type": "list", "elements": "str", "required": True},
            "addresses": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    project = module.params["project"]
    ec2 = module.client("ec2", retry_decorator=AWSRetry.jittered_backoff())
    try:
        strangers = [host["InstanceType"] for host in others(running(ec2), project)]
        used = [
            cpus(ec2, strangers),
            len(others(ec2.describe_vpcs()["Vpcs"], project)),
            len(others(ec2.describe_addresses()["Addresses"], project)),
        ]
        wanted = [cpus(ec2, module.params["instance_types"]), 1, module.params["addresses"]]
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg="Cannot count what the account has")
    limit, reason = limits(module.client("service-quotas"))
    quotas = [
        {"name": name, "limit": most, "used": there, "wanted": more}
        for (_, _, name), most, there, more in zip(QUOTAS, limit, used, wanted, strict=True)
    ]
    module.exit_json(changed=False, quotas=quotas, reason=reason)


if __name__ == "__main__":
    main()
