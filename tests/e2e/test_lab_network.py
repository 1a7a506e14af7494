"""Packets on the lab: what security groups, routes and gateways allow passes, and nothing else."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest

from tests.conftest import LabFixture
from tests.lab import names
from tests.lab.world import (
    AL2023,
    ANYWHERE,
    MASQUERADE,
    World,
    controller_reaches,
    everything,
    tcp,
    wait_until,
)

pytestmark = pytest.mark.lab
CONTROLLER = f"{names.CONTROLLER_ADDRESS}/32"


@pytest.fixture(scope="module")
def world(lab: LabFixture, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(lab.env, tmp_path_factory.mktemp("network"), "10.99.0.0/16")
    try:
        build(world)
        yield world
    finally:
        world.close()


def build(world: World) -> None:
    bastion = world.group("bastion", tcp(22, CONTROLLER))
    nat = world.group("nat", everything("10.99.2.0/24"), tcp(22, bastion))
    web = world.group("web", tcp(80, ANYWHERE), tcp(22, bastion))
    app = world.group("app", tcp(22, bastion), tcp(5000, web))
    world.run("bastion", bastion, public=True, of=AL2023)
    world.run("nat", nat, public=True, of=AL2023, user_data=MASQUERADE)
    world.run("web", web, public=True)
    world.run("app", app, public=False)
    world.run("twin", app, public=False)
    world.ec2.modify_instance_attribute(
        InstanceId=world.ids["nat"], SourceDestCheck={"Value": False}
    )
    world.ec2.create_route(
        RouteTableId=world.private_table,
        DestinationCidrBlock=ANYWHERE,
        InstanceId=world.ids["nat"],
    )
    world.know("bastion", "nat", "web", "app", "twin")
    for name in world.ids:
        world.ssh(name, "cloud-init status --wait")


def test_a_group_as_source_lets_its_members_in_and_nobody_else(world: World) -> None:
    app = world.private_ip("app")
    assert world.reaches("web", app)
    assert not world.reaches("bastion", app)
    assert not world.reaches("web", app, 5001)


def test_two_hosts_of_one_subnet_and_group_do_not_reach_each_other(world: World) -> None:
    twin = world.private_ip("twin")
    assert not world.reaches("app", twin)
    among_themselves = tcp(5000, world.groups["app"])
    world.allow("app", among_themselves)
    assert world.reaches("app", twin)
    world.forbid("app", among_themselves)
    assert not world.reaches("app", twin)


def test_without_egress_nothing_leaves_but_answers_do(world: World) -> None:
    group = world.groups["app"]
    permission = [everything(ANYWHERE)]
    bastion = world.private_ip("bastion")
    assert world.reaches("app", bastion, 22) is False  # the bastion's ingress
    world.allow("bastion", tcp(22, group))
    assert world.reaches("app", bastion, 22)
    world.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=permission)
    try:
        assert world.ssh("app", "echo answered").stdout == "answered\n"
        assert not world.reaches("app", bastion, 22)
    finally:
        world.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=permission)
        world.forbid("bastion", tcp(22, group))


def test_ping_needs_a_rule_of_its_own(world: World) -> None:
    ping = f"ping -c 1 -W 1 {world.private_ip('app')}"
    echo = {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "IpRanges": [{"CidrIp": ANYWHERE}]}
    assert world.ssh("web", ping, check=False).returncode == 1
    world.allow("app", echo)
    assert world.ssh("web", ping, check=False).returncode == 0
    world.forbid("app", echo)


def test_from_outside_only_open_ports_of_public_addresses_answer(world: World) -> None:
    assert controller_reaches(world.public_ip("web"), 80)
    assert not controller_reaches(world.public_ip("web"), 22)
    assert not controller_reaches(world.public_ip("nat"), 22)
    assert controller_reaches(world.public_ip("bastion"), 22)
    assert not controller_reaches(world.private_ip("app"), 22)
    assert not controller_reaches(world.private_ip("bastion"), 22)


def test_by_its_public_address_a_host_is_reached_from_public_addresses(world: World) -> None:
    group = tcp(7000, world.groups["bastion"])
    world.allow("web", group)
    assert world.reaches("bastion", world.private_ip("web"), 7000)
    assert not world.reaches("bastion", world.public_ip("web"), 7000)
    own_address = tcp(7000, f"{world.public_ip('bastion')}/32")
    world.allow("web", own_address)
    assert world.reaches("bastion", world.public_ip("web"), 7000)
    world.forbid("web", own_address, group)


def test_who_asks_is_seen_by_its_public_address(world: World, lab: LabFixture) -> None:
    url = lab.env["NETWORK_CHECKIP_URL"]
    assert world.seen_as("web", url) == world.public_ip("web")
    assert world.seen_as("app", url) == world.public_ip("nat")
    assert world.seen_as("nat", url) == world.public_ip("nat")


def test_the_nat_instance_has_to_masquerade(world: World, lab: LabFixture) -> None:
    url = lab.env["NETWORK_CHECKIP_URL"]
    world.ssh("nat", "sudo nft flush table ip nat")
    try:
        assert world.seen_as("app", url) == ""
    finally:
        world.ssh("nat", "sudo nft add rule ip nat post oifname eth0 masquerade")
    assert world.seen_as("app", url) == world.public_ip("nat")


def test_the_source_destination_check_stops_the_nat_instance(world: World, lab: LabFixture) -> None:
    url = lab.env["NETWORK_CHECKIP_URL"]
    for check, address in ((True, ""), (False, world.public_ip("nat"))):
        world.ec2.modify_instance_attribute(
            InstanceId=world.ids["nat"], SourceDestCheck={"Value": check}
        )
        assert world.seen_as("app", url) == address


def test_without_a_route_a_private_host_reaches_nothing_outside(
    world: World, lab: LabFixture
) -> None:
    url = lab.env["NETWORK_CHECKIP_URL"]
    route = {"RouteTableId": world.private_table, "DestinationCidrBlock": ANYWHERE}
    world.ec2.delete_route(**route)
    try:
        assert world.seen_as("app", url) == ""
        gateway = {**route, "GatewayId": world.gateway}
        world.ec2.create_route(**gateway)  # an internet gateway does not help without an address
        assert world.seen_as("app", url) == ""
        world.ec2.delete_route(**route)
    finally:
        world.ec2.create_route(**route, InstanceId=world.ids["nat"])
    assert world.seen_as("app", url) == world.public_ip("nat")


def test_a_nat_gateway_serves_a_private_host(world: World, lab: LabFixture) -> None:
    ec2 = world.ec2
    route = {"RouteTableId": world.private_table, "DestinationCidrBlock": ANYWHERE}
    address = ec2.allocate_address(Domain="vpc")
    gateway = ec2.create_nat_gateway(SubnetId=world.public, AllocationId=address["AllocationId"])[
        "NatGateway"
    ]["NatGatewayId"]
    ec2.replace_route(**route, NatGatewayId=gateway)
    try:
        seen = world.seen_as("app", lab.env["NETWORK_CHECKIP_URL"])
        assert seen == address["PublicIp"]
        assert not controller_reaches(address["PublicIp"], 22)
    finally:
        ec2.replace_route(**route, InstanceId=world.ids["nat"])
        ec2.delete_nat_gateway(NatGatewayId=gateway)
        ec2.release_address(AllocationId=address["AllocationId"])


def test_an_elastic_address_leads_to_its_instance(world: World) -> None:
    address = world.ec2.allocate_address(Domain="vpc")
    before = world.public_ip("web")
    world.ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=world.ids["web"])
    try:
        assert world.public_ip("web") == address["PublicIp"]
        assert controller_reaches(address["PublicIp"], 80)
        assert not controller_reaches(before, 80)
    finally:
        world.ec2.release_address(AllocationId=address["AllocationId"])
    assert controller_reaches(world.public_ip("web"), 80)


def test_names_are_resolved_where_the_vpc_answers(world: World) -> None:
    route = {"RouteTableId": world.private_table, "DestinationCidrBlock": ANYWHERE}
    world.ec2.delete_route(**route)
    try:  # any answer, also that there is no such name
        asked = world.ssh("app", "getent hosts nosuchname.invalid; echo $?").stdout
        resolver = world.ssh("app", "cat /etc/resolv.conf").stdout
    finally:
        world.ec2.create_route(**route, InstanceId=world.ids["nat"])
    assert asked == "2\n"
    assert f"nameserver {names.DNS_ADDRESS}" in resolver


def test_the_page_port_leads_to_the_host_that_is_open_to_the_world(world: World) -> None:
    world.ssh("web", "echo digits > index.html; sudo systemd-run -q -d python3 -m http.server 80")

    def body() -> str:
        command = ["curl", "-s", "-m", "2", f"http://localhost:{names.PAGE_PORT}/"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    wait_until("the page", lambda: "digits" in body(), 10)


class Uplink:
    """Every IPv4 packet with a lab address that leaves by this machine's real uplink."""

    def __init__(self) -> None:
        route = subprocess.run(
            ["ip", "route", "show", "default"], capture_output=True, text=True, check=True
        ).stdout
        found = re.search(r"dev (\S+)", route)
        if not found:
            pytest.skip("this machine has no uplink")
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
        self._socket.bind((found[1], 0))
        self._socket.settimeout(0.1)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self.packets: list[tuple[str, str]] = []

    def __enter__(self) -> Uplink:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while not self._end.is_set():
            try:
                packet, (_, protocol, *_) = self._socket.recvfrom(65535)
            except TimeoutError:
                continue
            if protocol == 0x0800:
                ends = (socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20]))
                self.packets.append(ends)


def test_no_packet_for_a_lab_address_leaves_this_machine(world: World) -> None:
    unused = "203.0.113.251"
    with Uplink() as uplink:
        for address in (world.private_ip("app"), "10.99.7.7", unused):
            assert not controller_reaches(address, 80)
            assert not world.reaches("web", address, 80)
    private = [ends for ends in uplink.packets if "10.99." in "".join(ends)]
    assert private == []
    assert not [ends for ends in uplink.packets if unused in ends]
    assert not [ends for ends in uplink.packets if ends[0] == world.public_ip("web")]
