"""From an empty account to the network and its hosts, unchanged by a second run, and away again."""

from __future__ import annotations

import base64
import stat
from typing import Any

import pytest

from tests.aws.conftest import OPERATOR, ROOT, Aws, Run
from tests.aws.fake_aws import host_key
from tests.aws.strangers import census, settle

VPC = "10.80.0.0/16"
PRIVATE = "10.80.2.0/24"
SECOND_PRIVATE = "10.80.4.0/24"
ANYWHERE = "0.0.0.0/0"
BASTION, NAT, DEV = "SG_JB_A19P1", "SG_NAT_A19P1", "SG_AI_Dev"
BACKEND, FRONTEND = "SG_AI_Backend", "SG_AI_Frontend"
PLACES = [("tcp", 53), ("tcp", 80), ("tcp", 443), ("udp", 53), ("udp", 123)]
OUTSIDE = {(protocol, port, port, ANYWHERE) for protocol, port in PLACES}

# The table of the security groups: protocol, first and last port, from or to where.
INGRESS = {
    BASTION: {("tcp", 22, 22, OPERATOR)},
    NAT: {(protocol, port, port, PRIVATE) for protocol, port in PLACES}
    | {("tcp", 22, 22, BASTION)},
    DEV: {("tcp", 22, 22, BASTION)},
    BACKEND: {("tcp", 22, 22, BASTION), ("tcp", 5000, 5000, FRONTEND)},
    FRONTEND: {("tcp", 22, 22, BASTION), ("tcp", 80, 80, ANYWHERE), ("tcp", 443, 443, ANYWHERE)},
}
# The NAT instance serves the second private subnet, too.
TWO_ZONES = {
    **INGRESS,
    NAT: INGRESS[NAT] | {(protocol, port, port, SECOND_PRIVATE) for protocol, port in PLACES},
}
EGRESS = {
    BASTION: OUTSIDE | {("tcp", 22, 22, VPC)},
    NAT: OUTSIDE,
    DEV: {("-1", None, None, ANYWHERE)},
    BACKEND: OUTSIDE,
    FRONTEND: OUTSIDE | {("tcp", 5000, 5000, PRIVATE)},
}

HOSTS = {
    "JB_A19P1": ("bastion", "t3.micro", 8, "ami-0a100000000000002", "ec2-user", BASTION),
    "NAT_A19P1": ("nat", "t3.micro", 8, "ami-0a100000000000002", "ec2-user", NAT),
    "AI_Dev": ("dev", "t3.large", 16, "ami-0a100000000000002", "ec2-user", DEV),
    "AI_Backend": ("backend", "t3.micro", 16, "ami-0b200000000000002", "ubuntu", BACKEND),
    "AI_Frontend": ("frontend", "t3.micro", 16, "ami-0b200000000000002", "ubuntu", FRONTEND),
}


WITHOUT_INPUTS = (
    *("-e", f"network_operator_cidrs={OPERATOR}"),
    *("-e", f"project_root={ROOT}/tests/aws/inputs"),
)


def provision(aws: Aws, *arguments: str, release: str | None = None) -> Run:
    """Run the playbook as an operator would; ``release``: the one that is current, if any."""
    return aws.play(
        "playbooks/provision.yml",
        *WITHOUT_INPUTS,
        *arguments,
        FAKE_RELEASE=release,
    )


def named(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Index what boto3 describes by the tag Name."""
    return {tags(item)["Name"]: item for item in items}


def tags(item: dict[str, Any]) -> dict[str, str]:
    """Give the tags of what boto3 describes."""
    return {tag["Key"]: tag["Value"] for tag in item.get("Tags", item.get("TagSet", []))}


def ours(aws: Aws, operation: str, answer: str) -> list[dict[str, Any]]:
    """Describe what has the project's tag."""
    found = getattr(aws.client(), operation)()[answer]
    return [item for item in found if tags(item).get("Project") == "mnist-on-aws"]


def hosts(aws: Aws) -> dict[str, dict[str, Any]]:
    """Describe the project's running instances, by name."""
    instances = [
        instance
        for reservation in aws.client().describe_instances()["Reservations"]
        for instance in reservation["Instances"]
        if tags(instance).get("Project") == "mnist-on-aws"
    ]
    return named([instance for instance in instances if instance["State"]["Name"] == "running"])


def available(gateways: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the NAT gateways that are deleted."""
    return [gateway for gateway in gateways if gateway["State"] == "available"]


def rules(permissions: list[dict[str, Any]], groups: dict[str, str]) -> set[tuple[Any, ...]]:
    """Write rules as in the table above; ``groups``: names by id."""
    found = set()
    for rule in permissions:
        peers = [r["CidrIp"] for r in rule["IpRanges"]]
        peers += [groups[pair["GroupId"]] for pair in rule["UserIdGroupPairs"]]
        peers += [r["CidrIpv6"] for r in rule.get("Ipv6Ranges", [])]
        found |= {(rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort"), p) for p in peers}
    return found


@pytest.fixture(scope="module")
def before(account: Aws) -> dict[str, list[str]]:
    """The strangers in the account, before the project comes."""
    settle(account.client())
    return census(account.client())


@pytest.fixture(scope="module")
def first(account: Aws, before: dict[str, list[str]]) -> Run:
    """The first run, into an account that others use, too."""
    assert before["instances"]
    return provision(account)


def test_rehearsal_on_an_empty_account_runs_and_changes_nothing(
    account: Aws, before: dict[str, list[str]]
) -> None:
    rehearsal = provision(account, "--check", "--diff")
    assert rehearsal.code == 0, rehearsal.output
    assert rehearsal.changed > 0
    assert "WARNING" not in rehearsal.output
    assert "AI_Backend: t3.micro, 16 GB" in rehearsal.text
    assert census(account.client()) == before
    assert not (account.directory / "ssh").exists()


def test_first_run_builds_every_host(account: Aws, first: Run) -> None:
    assert first.code == 0, first.output
    assert "WARNING" not in first.output
    assert "DEPRECATION" not in first.output
    groups = named(ours(account, "describe_security_groups", "SecurityGroups"))
    found = {
        name: (
            tags(host)["Role"],
            host["InstanceType"],
            sum(v["Size"] for v in volumes_of(account, host)),
            host["ImageId"],
            tags(host)["Login"],
            *(g["GroupName"] for g in host["SecurityGroups"]),
        )
        for name, host in hosts(account).items()
    }
    assert found == HOSTS
    assert set(groups) == set(INGRESS)


def volumes_of(aws: Aws, host: dict[str, Any]) -> list[dict[str, Any]]:
    filters = [{"Name": "attachment.instance-id", "Values": [host["InstanceId"]]}]
    return list(aws.client().describe_volumes(Filters=filters)["Volumes"])


@pytest.mark.parametrize(
    ("direction", "table"), [("IpPermissions", INGRESS), ("IpPermissionsEgress", EGRESS)]
)
@pytest.mark.usefixtures("first")
def test_security_groups_are_the_table(
    account: Aws, direction: str, table: dict[str, set[tuple[Any, ...]]]
) -> None:
    groups = ours(account, "describe_security_groups", "SecurityGroups")
    names = {group["GroupId"]: group["GroupName"] for group in groups}
    assert {g["GroupName"]: rules(g[direction], names) for g in groups} == table


@pytest.mark.usefixtures("first")
def test_hosts_are_closed_and_encrypted(account: Aws) -> None:
    for host in hosts(account).values():
        options = host["MetadataOptions"]
        assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1)
        assert [(v["Encrypted"], v["VolumeType"]) for v in volumes_of(account, host)] == [
            (True, "gp3")
        ]


@pytest.mark.usefixtures("first")
def test_only_dev_ends_itself(account: Aws) -> None:
    def attribute(host: dict[str, Any], name: str) -> str:
        answer = account.client().describe_instance_attribute(
            InstanceId=host["InstanceId"], Attribute=name[0].lower() + name[1:]
        )
        return str(answer[name].get("Value", ""))

    behaviour = {
        name: attribute(host, "InstanceInitiatedShutdownBehavior")
        for name, host in hosts(account).items()
    }
    assert {name for name, does in behaviour.items() if does == "terminate"} == {"AI_Dev"}
    script = base64.b64decode(attribute(hosts(account)["AI_Dev"], "UserData")).decode()
    assert script.startswith("#!/bin/sh")
    assert "'+43200 seconds'" in script
    assert attribute(hosts(account)["AI_Backend"], "UserData") == ""


@pytest.mark.usefixtures("first")
def test_only_public_hosts_have_public_addresses_and_only_nat_passes_packets_on(
    account: Aws,
) -> None:
    found = hosts(account)
    assert {name for name, host in found.items() if "PublicIpAddress" in host} == set(HOSTS) - {
        "AI_Backend"
    }
    assert {name for name, host in found.items() if not host["SourceDestCheck"]} == {"NAT_A19P1"}
    assert found["AI_Backend"]["PrivateIpAddress"].startswith("10.80.2.")
    assert found["AI_Frontend"]["PrivateIpAddress"].startswith("10.80.1.")


@pytest.mark.usefixtures("first")
def test_ways_out(account: Aws) -> None:
    tables = named(ours(account, "describe_route_tables", "RouteTables"))
    subnets = {
        s["SubnetId"]: name
        for name, s in named(ours(account, "describe_subnets", "Subnets")).items()
    }
    (gateway,) = ours(account, "describe_internet_gateways", "InternetGateways")
    default = {
        name: next(r for r in table["Routes"] if r["DestinationCidrBlock"] == ANYWHERE)
        for name, table in tables.items()
    }
    assert default["PublicRoute_A19P1"]["GatewayId"] == gateway["InternetGatewayId"]
    assert default["PrivateRoute_A19P1"]["InstanceId"] == hosts(account)["NAT_A19P1"]["InstanceId"]
    assert {
        name: [subnets[a["SubnetId"]] for a in t["Associations"]] for name, t in tables.items()
    } == {
        "PublicRoute_A19P1": ["PublicSubnet1_A19P1"],
        "PrivateRoute_A19P1": ["PrivateSubnet1_A19P1"],
    }


@pytest.mark.usefixtures("first")
def test_every_object_has_the_tags(account: Aws) -> None:
    ec2 = account.client()
    (vpc,) = ours(account, "describe_vpcs", "Vpcs")
    inside = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    objects = [
        vpc,
        *ec2.describe_subnets(Filters=inside)["Subnets"],
        *ec2.describe_network_interfaces(Filters=inside)["NetworkInterfaces"],
        *(v for host in hosts(account).values() for v in volumes_of(account, host)),
        *(
            g
            for g in ec2.describe_security_groups(Filters=inside)["SecurityGroups"]
            if g["GroupName"] != "default"
        ),
        *(t for t in ec2.describe_route_tables(Filters=inside)["RouteTables"] if not is_main(t)),
        *ours(account, "describe_key_pairs", "KeyPairs"),
        *hosts(account).values(),
    ]
    assert len(objects) == 1 + 2 + 5 + 5 + 5 + 2 + 1 + 5
    for item in objects:
        assert {"Project", "Role", "Name"} <= set(tags(item)), item
        assert tags(item)["Project"] == "mnist-on-aws"


def is_main(table: dict[str, Any]) -> bool:
    return any(association["Main"] for association in table["Associations"])


@pytest.mark.usefixtures("first")
def test_way_to_the_hosts(account: Aws) -> None:
    directory = account.directory / "ssh"
    found = hosts(account)
    known = (directory / "known_hosts").read_text().splitlines()
    assert known == sorted(f"{h['InstanceId']} {host_key(h['InstanceId'])}" for h in found.values())
    assert stat.S_IMODE((directory / "id_ed25519").stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    (pair,) = account.client().describe_key_pairs(
        IncludePublicKey=True, KeyNames=["mnist-on-aws-A19P1"]
    )["KeyPairs"]
    assert pair["PublicKey"].split()[1] == (directory / "id_ed25519.pub").read_text().split()[1]


@pytest.mark.usefixtures("first")
def test_second_run_changes_nothing(account: Aws) -> None:
    there = census(account.client())
    again = provision(account)
    assert (again.code, again.changed) == (0, 0), again.output
    assert census(account.client()) == there


@pytest.mark.usefixtures("first")
def test_after_training_a_stopped_host_starts_and_a_nat_gateway_takes_over(account: Aws) -> None:
    """One run for three things, as runs take long: no new AI_Dev, a start, another NAT."""
    ec2 = account.client()
    was = hosts(account)
    ec2.terminate_instances(InstanceIds=[was["AI_Dev"]["InstanceId"]])
    ec2.stop_instances(InstanceIds=[was["AI_Frontend"]["InstanceId"]])
    ec2.deregister_image(ImageId="ami-0b200000000000002")  # the newest image is now another one

    run = provision(account, "-e", "network_nat=gateway", release="mnist-cnn-20260101-0badcafe")

    assert run.code == 0, run.output
    now = hosts(account)
    assert set(now) == {"JB_A19P1", "AI_Backend", "AI_Frontend"}
    assert {n: h["InstanceId"] for n, h in now.items()} == {n: was[n]["InstanceId"] for n in now}
    (gateway,) = available(ours(account, "describe_nat_gateways", "NatGateways"))
    table = named(ours(account, "describe_route_tables", "RouteTables"))["PrivateRoute_A19P1"]
    assert gateway["NatGatewayId"] in [route.get("NatGatewayId") for route in table["Routes"]]
    (address,) = ours(account, "describe_addresses", "Addresses")
    assert address["AllocationId"] == gateway["NatGatewayAddresses"][0]["AllocationId"]
    known = (account.directory / "ssh" / "known_hosts").read_text()
    assert was["AI_Dev"]["InstanceId"] not in known
    assert now["AI_Backend"]["InstanceId"] in known


@pytest.mark.slow
@pytest.mark.usefixtures("first")
def test_nat_instance_takes_over_again_and_a_second_backend_comes(account: Aws) -> None:
    run = provision(
        account, "-e", "instances_backend_count=2", release="mnist-cnn-20260101-0badcafe"
    )
    assert run.code == 0, run.output
    now = hosts(account)
    assert set(now) == {"JB_A19P1", "NAT_A19P1", "AI_Backend", "AI_Backend2", "AI_Frontend"}
    table = named(ours(account, "describe_route_tables", "RouteTables"))["PrivateRoute_A19P1"]
    assert now["NAT_A19P1"]["InstanceId"] in [route.get("InstanceId") for route in table["Routes"]]
    assert ours(account, "describe_addresses", "Addresses") == []
    assert available(ours(account, "describe_nat_gateways", "NatGateways")) == []

    subnets = {s["SubnetId"]: s for s in ours(account, "describe_subnets", "Subnets")}
    first, second = (subnets[now[n]["SubnetId"]] for n in ("AI_Backend", "AI_Backend2"))
    assert (first["CidrBlock"], second["CidrBlock"]) == (PRIVATE, SECOND_PRIVATE)
    assert first["AvailabilityZone"] != second["AvailabilityZone"]
    assert both_are_private(account)


def both_are_private(aws: Aws) -> bool:
    """Whether the frontend reaches both private subnets, and the NAT leads both out."""
    (frontend,) = [
        g
        for g in ours(aws, "describe_security_groups", "SecurityGroups")
        if g["GroupName"] == FRONTEND
    ]
    reached = {r[3] for r in rules(frontend["IpPermissionsEgress"], {}) if r[1] == 5000}
    table = named(ours(aws, "describe_route_tables", "RouteTables"))["PrivateRoute_A19P1"]
    return reached == {PRIVATE, SECOND_PRIVATE} and len(table["Associations"]) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("first")
def test_a_backend_that_is_too_many_leaves_and_the_network_stays(account: Aws) -> None:
    if "AI_Backend2" not in hosts(account):
        pytest.fail("the test before this one makes the second backend")
    there = set(hosts(account))
    release = "mnist-cnn-20260101-0badcafe"
    run = provision(account, release=release)
    assert run.code == 0, run.output
    # It serves until the balancer does without it; playbooks/retire.yml terminates it.
    assert set(hosts(account)) == there
    assert "Leaving" in tags(hosts(account)["AI_Backend2"])
    assert "Leaving" not in tags(hosts(account)["AI_Backend"])
    assert both_are_private(account)

    wanted_again = provision(account, "-e", "instances_backend_count=2", release=release)
    assert wanted_again.code == 0, wanted_again.output
    assert "Leaving" not in tags(hosts(account)["AI_Backend2"])


@pytest.mark.slow
@pytest.mark.usefixtures("first")
def test_machines_that_train_together_reach_each_other_and_nobody_else_does(account: Aws) -> None:
    run = provision(account, "-e", "instances_dev_count=3", "-e", "dev_worker_port=2300")
    assert run.code == 0, run.output
    found = {name: host for name, host in hosts(account).items() if tags(host)["Role"] == "dev"}
    assert set(found) == {DEV.removeprefix("SG_"), "AI_Dev2", "AI_Dev3"}
    assert len({host["SubnetId"] for host in found.values()}) == 1
    groups = ours(account, "describe_security_groups", "SecurityGroups")
    names = {group["GroupId"]: group["GroupName"] for group in groups}
    table = {g["GroupName"]: rules(g["IpPermissions"], names) for g in groups}
    assert table == {**TWO_ZONES, DEV: INGRESS[DEV] | {("tcp", 2300, 2300, DEV)}}


@pytest.mark.usefixtures("first")
def test_destroy_asks_first(account: Aws) -> None:
    there = census(account.client())
    run = account.play("playbooks/destroy.yml")
    assert run.code != 0
    assert run.message.startswith("Nothing has been deleted: the answer was not yes")
    assert census(account.client()) == there


@pytest.mark.usefixtures("first")
def test_destroy_refuses_while_somebody_else_lives_in_the_vpc(account: Aws) -> None:
    ec2 = account.client()
    subnet = named(ours(account, "describe_subnets", "Subnets"))["PublicSubnet1_A19P1"]
    guest = ec2.create_network_interface(SubnetId=subnet["SubnetId"])["NetworkInterface"][
        "NetworkInterfaceId"
    ]
    there = census(ec2)
    run = account.play("playbooks/destroy.yml", "-e", "destroy_confirm=yes")
    assert run.code != 0
    assert guest in run.message
    assert run.message.endswith("Take away what they belong to. Nothing has been deleted.")
    assert census(ec2) == there
    ec2.delete_network_interface(NetworkInterfaceId=guest)


@pytest.mark.usefixtures("first")
def test_destroy_leaves_nothing_of_the_project_and_everything_of_others(
    account: Aws, before: dict[str, list[str]]
) -> None:
    run = account.play("playbooks/destroy.yml", "-e", "destroy_confirm=yes")
    assert run.code == 0, run.output
    assert "Nothing with the tag Project=mnist-on-aws is left in eu-central-1" in run.text
    assert census(account.client()) == before
    left = {path.name for path in (account.directory / "ssh").iterdir()}
    assert left == {"id_ed25519", "id_ed25519.pub"}
