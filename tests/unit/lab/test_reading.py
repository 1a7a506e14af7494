"""The model that is read from moto: driven by plain boto3 calls, without a lab."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.lab import reading
from tests.lab.model import INTERNET, NAT_GATEWAY, Rule

ANYWHERE = "0.0.0.0/0"


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("ec2", region_name="eu-central-1")


@pytest.fixture
def vpc(ec2: Any) -> str:
    return str(ec2.create_vpc(CidrBlock="10.80.0.0/16")["Vpc"]["VpcId"])


@pytest.fixture
def subnet(ec2: Any, vpc: str) -> str:
    answer = ec2.create_subnet(VpcId=vpc, CidrBlock="10.80.1.0/24")
    return str(answer["Subnet"]["SubnetId"])


def run(ec2: Any, subnet: str) -> str:
    image = ec2.describe_images()["Images"][0]["ImageId"]
    answer = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=subnet)
    return str(answer["Instances"][0]["InstanceId"])


def test_a_host(ec2: Any, vpc: str, subnet: str) -> None:
    instance = run(ec2, subnet)
    (host,) = reading.read().hosts
    assert host.id == instance
    assert host.private.startswith("10.80.1.")
    assert (host.router, host.vpc, host.public) == ("10.80.1.1", vpc, None)
    assert host.source_dest_check


def test_a_terminated_instance_is_no_host(ec2: Any, subnet: str) -> None:
    ec2.terminate_instances(InstanceIds=[run(ec2, subnet)])
    assert reading.read().hosts == ()


def test_source_dest_check_is_read_from_either_place(ec2: Any, subnet: str) -> None:
    first, second = run(ec2, subnet), run(ec2, subnet)
    ec2.modify_instance_attribute(InstanceId=first, SourceDestCheck={"Value": False})
    nic = ec2.describe_instances(InstanceIds=[second])["Reservations"][0]["Instances"][0]
    ec2.modify_network_interface_attribute(
        NetworkInterfaceId=nic["NetworkInterfaces"][0]["NetworkInterfaceId"],
        SourceDestCheck={"Value": False},
    )
    assert [host.source_dest_check for host in reading.read().hosts] == [False, False]


def test_permissions_become_one_rule_for_each_peer(ec2: Any, vpc: str) -> None:
    group = ec2.create_security_group(GroupName="a", Description="a", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 80,
                "ToPort": 81,
                "IpRanges": [{"CidrIp": "192.0.2.0/24"}, {"CidrIp": "198.51.100.0/24"}],
                "UserIdGroupPairs": [{"GroupId": group}],
            }
        ],
    )
    read = next(g for g in reading.read().groups if g.id == group)
    assert set(read.ingress) == {
        Rule("tcp", (80, 81), cidr="192.0.2.0/24"),
        Rule("tcp", (80, 81), cidr="198.51.100.0/24"),
        Rule("tcp", (80, 81), group=group),
    }
    assert read.egress == (Rule("-1", None, cidr=ANYWHERE),)


def test_a_subnet_uses_its_own_table_or_the_main_one(ec2: Any, vpc: str, subnet: str) -> None:
    run(ec2, subnet)
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    assert reading.read().hosts[0].table == tables[0]["RouteTableId"]
    own = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=own, SubnetId=subnet)
    assert reading.read().hosts[0].table == own


def test_the_targets_of_routes(ec2: Any, vpc: str, subnet: str) -> None:
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    address = ec2.allocate_address(Domain="vpc")
    nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address["AllocationId"])
    instance = run(ec2, subnet)
    assert not reading.read().vpcs[0].internet
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    for destination, target in {
        "192.0.2.0/24": {"GatewayId": gateway},
        "198.51.100.0/24": {"NatGatewayId": nat["NatGateway"]["NatGatewayId"]},
        "10.9.0.0/16": {"InstanceId": instance},
    }.items():
        ec2.create_route(RouteTableId=table, DestinationCidrBlock=destination, **target)
    network = reading.read()
    read = next(t for t in network.tables if t.id == table)
    assert {route.destination: route.target for route in read.routes} == {
        "192.0.2.0/24": INTERNET,
        "198.51.100.0/24": NAT_GATEWAY,
        "10.9.0.0/16": instance,
    }
    assert read.nat_address == address["PublicIp"]
    assert network.vpcs[0].internet
