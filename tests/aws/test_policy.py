"""The IAM policy allows every call that the playbooks make, and nothing else."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from tests.aws.conftest import ROOT, Aws, Run
from tests.aws.iam import POLICY, Call, allowing, is_tagging, listed, name, parts, requests
from tests.aws.strangers import tags
from tests.aws.test_provision import WITHOUT_INPUTS, hosts, named, ours, provision

pytestmark = pytest.mark.long

DOCUMENT = ROOT / "docs" / "iam.md"
RELEASE = "mnist-cnn-20260101-0badcafe"


def succeed(run: Run) -> None:
    assert run.code == 0, run.output


@pytest.fixture(scope="module")
def made(account: Aws) -> list[Call]:
    """Every call of a system's life: built, changed, rehearsed, and away with what was left over.

    What a second run asks that changes nothing is part of the run that changes a few things.
    """
    ec2 = account.client()
    succeed(provision(account, "-e", "network_nat=gateway"))
    now = hosts(account)
    ec2.terminate_instances(InstanceIds=[now["AI_Dev"]["InstanceId"]])
    ec2.stop_instances(InstanceIds=[now["AI_Frontend"]["InstanceId"]])
    (group,) = [
        g["GroupId"]
        for g in ours(account, "describe_security_groups", "SecurityGroups")
        if g["GroupName"] == "SG_AI_Backend"
    ]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=9, ToPort=9, CidrIp="0.0.0.0/0"
    )
    (vpc,) = ours(account, "describe_vpcs", "Vpcs")
    public = named(ours(account, "describe_route_tables", "RouteTables"))["PublicRoute_A19P1"]
    (gateway,) = ours(account, "describe_internet_gateways", "InternetGateways")
    ec2.create_route(
        RouteTableId=public["RouteTableId"],
        DestinationCidrBlock="10.200.0.0/16",
        GatewayId=gateway["InternetGatewayId"],
    )
    ec2.delete_tags(Resources=[vpc["VpcId"]], Tags=[{"Key": "Role"}])
    succeed(provision(account, "-e", "instances_backend_type=t3.small", release=RELEASE))
    succeed(account.play("playbooks/plan.yml", "--check", *WITHOUT_INPUTS))
    leave_something(account)
    succeed(account.play("playbooks/destroy.yml", "-e", "destroy_confirm=yes"))
    return account.calls


def leave_something(account: Aws) -> None:
    """Leave what a run that was cut off, or a person, leaves with the project's tag."""
    ec2 = account.client()
    ours_tag = {"Project": "mnist-on-aws"}
    (subnet, *_) = ours(account, "describe_subnets", "Subnets")
    volume = ec2.create_volume(
        AvailabilityZone="eu-central-1a", Size=1, TagSpecifications=tags("volume", "x", **ours_tag)
    )
    ec2.create_snapshot(
        VolumeId=volume["VolumeId"], TagSpecifications=tags("snapshot", "x", **ours_tag)
    )
    ec2.create_network_interface(
        SubnetId=subnet["SubnetId"], TagSpecifications=tags("network-interface", "x", **ours_tag)
    )
    ec2.allocate_address(Domain="vpc", TagSpecifications=tags("elastic-ip", "x", **ours_tag))


def test_every_call_is_allowed(made: list[Call]) -> None:
    assert {name(r) for call in made for r in requests(call) if not allowing(r)} == set()


def test_nothing_in_the_policy_is_superfluous(made: list[Call]) -> None:
    used = {
        (statement["Sid"], part)
        for call in made
        for request in requests(call)
        for statement in allowing(request)
        for part in parts(statement, request)
    }
    written = {
        (statement["Sid"], part)
        for statement in POLICY["Statement"]
        for part in (*listed(statement["Action"]), *listed(statement["Resource"]))
    }
    assert written - used == set()
    actions = next(s for s in POLICY["Statement"] if s["Sid"] == "TagWhatIsCreated")
    created = {r.context["ec2:CreateAction"] for c in made for r in requests(c) if is_tagging(r)}
    assert set(actions["Condition"]["StringEquals"]["ec2:CreateAction"]) == created


@pytest.mark.parametrize("whose", ["aws:ResourceTag/Project", "aws:RequestTag/Project"])
def test_what_is_anothers_cannot_be_made_or_touched(made: list[Call], whose: str) -> None:
    """Every changing call of the playbooks, but with another project's tag, is refused."""
    others = [
        replace(request, context={**request.context, whose: "office"})
        for call in made
        for request in requests(call)
        if whose in request.context
    ]
    assert len({request.action for request in others}) > 8
    assert {name(r) for r in others if allowing(r)} == set()


def test_the_table_in_the_documentation_is_that_of_these_calls(made: list[Call]) -> None:
    """With UPDATE_DOCS=1 it is written."""
    sids: dict[str, set[str]] = {}
    for call in made:
        for request in requests(call):
            sids.setdefault(request.action, set()).update(s["Sid"] for s in allowing(request))
    rows = [
        f"| `{action}` | {', '.join(f'`{sid}`' for sid in sorted(sids[action]))} |"
        for action in sorted(sids)
    ]
    begin, end = "| call | allowed by |\n|---|---|\n", "\n\n<!-- end of the table -->"
    head, _, rest = DOCUMENT.read_text().partition(begin)
    text = head + begin + "\n".join(rows) + end + rest.partition(end)[2]
    if os.environ.get("UPDATE_DOCS"):
        DOCUMENT.write_text(text)
    assert DOCUMENT.read_text() == text, "UPDATE_DOCS=1 pytest tests/aws/test_policy.py writes it"
