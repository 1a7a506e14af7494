"""The IAM policy allows every call that the playbooks make, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.aws.conftest import Aws, Run
from tests.aws.strangers import tags
from tests.aws.test_provision import hosts, ours, provision

RELEASE = "mnist-cnn-20260101-0badcafe"


def succeed(run: Run) -> None:
    assert run.code == 0, run.output


@pytest.fixture(scope="module")
def made(account: Aws) -> list[dict[str, Any]]:
    """Every call of a system's life: built, changed, run again, and away with what was left over."""
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
    succeed(provision(account, "-e", "instances_backend_type=t3.small", release=RELEASE))
    succeed(provision(account, "-e", "instances_backend_type=t3.small", release=RELEASE))
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


def test_dump(made):
    import json
    open("/tmp/calls.json","w").write(json.dumps(made, indent=0))
