"""The audit's parts: how tables are compared, and what is read of an account and of ports."""

from __future__ import annotations

import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

sys.path.insert(0, str(Path(__file__).parents[2] / "playbooks" / "files"))

from audit.account import Account
from audit.compare import differences
from audit.outside import open_ports, port_numbers

DECLARED = {
    "group": {"SG": {"ingress": ["tcp 22 from A", "tcp 80 from B"]}},
    "host": {"H": {"volumes": "encrypted", "exposure, at most": 1.5, "ports": []}},
}
FOUND = {
    "group": {"SG": {"ingress": ["tcp 80 from B", "tcp 22 from A"]}},
    "host": {"H": {"volumes": "encrypted", "exposure, at most": 0.5, "ports": [], "more": 1}},
}


def test_the_same_has_no_difference() -> None:
    assert differences(DECLARED, FOUND) == []


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (
            {"group": {"SG": {"ingress": ["tcp 22 from A", "tcp 80 from B", "all from C"]}}},
            "group SG, ingress: 'all from C' is there, and not declared",
        ),
        (
            {"group": {"SG": {"ingress": ["tcp 22 from A"]}}},
            "group SG, ingress: 'tcp 80 from B' is declared, and not there",
        ),
        ({"group": {}}, "group SG: declared, and not there"),
        ({"group": {**FOUND["group"], "Other": {}}}, "group Other: there, and not declared"),
        (
            {"host": {"H": {**FOUND["host"]["H"], "volumes": "not encrypted"}}},
            "host H, volumes: 'not encrypted', not 'encrypted'",
        ),
        (
            {"host": {"H": {**FOUND["host"]["H"], "exposure, at most": 2.0}}},
            "host H, exposure, at most 1.5: it is 2.0",
        ),
        (
            {"host": {"H": {"volumes": "encrypted", "exposure, at most": 1}}},
            "host H, ports: declared, and not there",
        ),
    ],
)
def test_each_difference_is_one_line(found: dict, line: str) -> None:
    assert differences(DECLARED, {**FOUND, **found}) == [line]


def test_ports_are_measured() -> None:
    assert port_numbers([22, "80", "8888-8890"]) == [22, 80, 8888, 8889, 8890]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        # In a thread of its own: Playwright's event loop may run in this one.
        with ThreadPoolExecutor(1) as pool:
            found = pool.submit(open_ports, {"here": "127.0.0.1"}, [port]).result()
        assert found == {"here": [str(port)]}


@mock_aws
def test_an_account_is_read_in_the_tables_words(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing-testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    ec2 = boto3.client("ec2", region_name="eu-central-1")

    def tagged(kind: str, **tags: str) -> list[dict]:
        pairs = [{"Key": key, "Value": value} for key, value in {"Project": "p", **tags}.items()]
        return [{"ResourceType": kind, "Tags": pairs}]

    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=tagged("vpc"))["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(
        VpcId=vpc, CidrBlock="10.9.1.0/24", TagSpecifications=tagged("subnet", Name="S")
    )["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="SG", Description="d", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=1, ToPort=9, CidrIp="192.0.2.0/24"
    )
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.run_instances(
        ImageId=image,
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        SecurityGroupIds=[group],
        TagSpecifications=tagged("instance", Name="H", Role="backend"),
    )
    account = Account(ec2, "p")
    assert account.security_groups() == {
        "SG": {"ingress": ["tcp 1-9 from 192.0.2.0/24"], "egress": ["all to 0.0.0.0/0"]}
    }
    assert account.subnets() == {
        "S": {"routes": ["10.9.0.0/16 local"], "public addresses are given": False}
    }
    host = account.hosts()["H"]
    assert host["security groups"] == ["SG"]
    assert host["volumes"] == "not encrypted"
    assert host["metadata"] == "IMDSv1, too"
    assert Account(ec2, "another project").security_groups() == {}
