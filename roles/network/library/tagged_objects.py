#!/usr/bin/python
"""Ansible module: every object with the project's tag."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry

with suppress(ImportError):  # AnsibleAWSModule says what is missing.
    from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: tagged_objects
short_description: List everything that has a tag Project in EC2, Load Balancing and Auto Scaling
description:
  - One list for what is to be deleted, and for the proof afterwards that nothing is left.
  - Reads only; the same in check mode. What AWS still shows for an hour after its end (terminated
    instances, deleted NAT gateways) is left out.
options:
  project:
    description: Value of the tag Project.
    type: str
    required: true
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Find what the project has
  tagged_objects:
    project: mnist-on-aws
  register: found
"""

RETURN = r"""
objects:
  description:
    - The objects, in the order in which they can be deleted. Each has C(kind), C(id), C(name),
      C(label) for a person, and C(vpc_id), C(cidr), C(group) and C(description) where it has such.
  returned: always
  type: list
  elements: dict
guests:
  description:
    - Network interfaces of somebody else in the project's VPCs, which cannot go before they do.
  returned: always
  type: list
  elements: str
kinds:
  description: The kinds of objects that were looked for.
  returned: always
  type: list
  elements: str
"""


@dataclass(frozen=True)
class Kind:
    """How one kind of object is described, and when it counts as gone."""

    name: str
    operation: str
    answer: str
    identifier: str
    state: str = "State"
    gone: frozenset[str] = field(default_factory=frozenset)
    service: str = "ec2"
    name_field: str = ""


# In the order in which they can be deleted.
KINDS = (
    # Before its instances: it would replace them.
    Kind(
        "scaling-group",
        "describe_auto_scaling_groups",
        "AutoScalingGroups",
        "AutoScalingGroupName",
        service="autoscaling",
    ),
    Kind("launch-template", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
    Kind(
        "load-balancer",
        "describe_load_balancers",
        "LoadBalancers",
        "LoadBalancerArn",
        service="elbv2",
        name_field="LoadBalancerName",
    ),
    Kind(
        "target-group",
        "describe_target_groups",
        "TargetGroups",
        "TargetGroupArn",
        service="elbv2",
        name_field="TargetGroupName",
    ),
    Kind("image", "describe_images", "Images", "ImageId"),
    Kind(
        "instance",
        "describe_instances",
        "Instances",
        "InstanceId",
        gone=frozenset({"terminated", "shutting-down"}),
    ),
    Kind(
        "nat-gateway",
        "describe_nat_gateways",
        "NatGateways",
        "NatGatewayId",
        gone=frozenset({"deleted", "deleting"}),
    ),
    Kind("elastic-ip", "describe_addresses", "Addresses", "PublicIp"),
    Kind(
        "network-interface",
        "describe_network_interfaces",
        "NetworkInterfaces",
        "NetworkInterfaceId",
        "Status",
    ),
    Kind(
        "volume", "describe_volumes", "Volumes", "VolumeId", gone=frozenset({"deleting", "deleted"})
    ),
    # Nothing here makes snapshots; who gives one the tag wants it to go with the rest.
    Kind("snapshot", "describe_snapshots", "Snapshots", "SnapshotId"),
    Kind("security-group", "describe_security_groups", "SecurityGroups", "GroupId"),
    Kind("route-table", "describe_route_tables", "RouteTables", "RouteTableId"),
    Kind("internet-gateway", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    Kind("subnet", "describe_subnets", "Subnets", "SubnetId"),
    Kind("vpc", "describe_vpcs", "Vpcs", "VpcId"),
    Kind("key-pair", "describe_key_pairs", "KeyPairs", "KeyName"),
)


def state_of(item: dict[str, Any], kind: Kind) -> str:
    """Give an object's state, which AWS writes as a word or as a name and a code; or nothing."""
    state = item.get(kind.state, "")
    return str(state.get("Name", "")) if isinstance(state, dict) else str(state)


def pages(client: Any, operation: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    """Give all pages of an answer."""
    if client.can_paginate(operation):
        yield from client.get_paginator(operation).paginate(**arguments)
    else:
        yield getattr(client, operation)(**arguments)


def with_tags(client: Any, kind: Kind, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each of the items its tags, which ELB tells only when asked for, of 20 at a time."""
    if kind.service != "elbv2":
        return items
    by_id = {item[kind.identifier]: item for item in items}
    ids = list(by_id)
    for start in range(0, len(ids), 20):
        answer = client.describe_tags(ResourceArns=ids[start : start + 20])
        for one in answer["TagDescriptions"]:
            by_id[one["ResourceArn"]]["Tags"] = one["Tags"]
    return items


def described(
    client: Any, kind: Kind, project: str
) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Describe all objects of a kind that have the tag, each with its tags."""
    arguments: dict[str, Any] = {}
    if kind.service != "elbv2":  # which has no filters
        arguments["Filters"] = [{"Name": "tag:Project", "Values": [project]}]
    if kind.name == "image":
        arguments["Owners"] = ["self"]
    for page in pages(client, kind.operation, **arguments):
        for group in page.get("Reservations", [page]):
            for item in with_tags(client, kind, group.get(kind.answer, [])):
                tags = {
                    tag["Key"]: tag["Value"] for tag in item.get("Tags", item.get("TagSet", []))
                }
                # Looked at again: what is listed here gets deleted.
                if tags.get("Project") == project and state_of(item, kind) not in kind.gone:
                    yield item, tags


def name_of(item: dict[str, Any], kind: Kind, tags: dict[str, str]) -> str:
    """Give the name that a person knows an object by, if it has one beside its id."""
    return str(item.get(kind.name_field) or tags.get("Name", ""))


def objects(clients: dict[str, Any], project: str) -> list[dict[str, str]]:
    """List everything that is there and has the tag, in the order in which it can be deleted."""
    return [
        {
            "kind": kind.name,
            "id": item[kind.identifier],
            "name": name_of(item, kind, tags),
            "label": " ".join(
                [
                    kind.name,
                    *filter(None, [name_of(item, kind, tags)]),
                    f"({item[kind.identifier]})",
                ]
            ),
            "group": item.get("GroupName", ""),
            "vpc_id": item.get("VpcId", ""),
            "cidr": item.get("CidrBlock", ""),
            "description": interfaces_of(item)
            if kind.name == "load-balancer"
            else item.get("Description", ""),
        }
        for kind in KINDS
        for item, tags in described(clients[kind.service], kind, project)
    ]


def interfaces_of(balancer: dict[str, Any]) -> str:
    """Give the description that AWS writes on a load balancer's network interfaces."""
    return "ELB " + str(balancer["LoadBalancerArn"]).partition(":loadbalancer/")[2]


def guests(client: Any, found: list[dict[str, str]]) -> list[str]:
    """List the interfaces in the project's VPCs that nothing of the project's explains."""
    ours = {item["id"] for item in found}
    balancers = {item["description"] for item in found if item["kind"] == "load-balancer"}
    vpcs = [item["id"] for item in found if item["kind"] == "vpc"]
    if not vpcs:
        return []
    inside = [{"Name": "vpc-id", "Values": vpcs}]
    ours |= {
        address["NetworkInterfaceId"]
        for page in pages(client, "describe_nat_gateways", Filters=inside)
        for gateway in page["NatGateways"]
        for address in gateway["NatGatewayAddresses"]
    }
    return [
        item["NetworkInterfaceId"]
        for page in pages(client, "describe_network_interfaces", Filters=inside)
        for item in page["NetworkInterfaces"]
        if ours.isdisjoint(
            {item["NetworkInterfaceId"], item.get("Attachment", {}).get("InstanceId")}
        )
        and item.get("Description") not in balancers
    ]


def main() -> None:
    """Hand the list to Ansible."""
    module = AnsibleAWSModule(
        argument_spec={"project": {"type": "str", "required": True}}, supports_check_mode=True
    )
    clients = {
        service: module.client(service, retry_decorator=AWSRetry.jittered_backoff())
        for service in sorted({kind.service for kind in KINDS})
    }
    try:
        found = objects(clients, module.params["project"])
        others = guests(clients["ec2"], found)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg="Cannot list the project's objects")
    module.exit_json(
        changed=False, objects=found, guests=others, kinds=[kind.name for kind in KINDS]
    )


if __name__ == "__main__":
    main()
