from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.lab import rules
from tests.lab.model import Group, Network, Rule


def chain(ruleset: str, name: str) -> list[str]:
    """The lines of a chain."""
    found = re.search(rf"chain {re.escape(name)} {{\n(.*?)\n  }}", ruleset, re.S)
    assert found, f"no chain {name} in:\n{ruleset}"
    return [line.strip() for line in found[1].splitlines()]


def ingress(network: Network, *permissions: Rule) -> list[str]:
    """The application's incoming chain if its group had these permissions."""
    groups = tuple(
        Group("sg-app", permissions) if group.id == "sg-app" else group for group in network.groups
    )
    return chain(rules.router(replace(network, groups=groups)), "in-m-app")


def test_a_range_and_a_port(network: Network) -> None:
    lines = chain(rules.router(network), "in-m-bastion")
    assert lines == ["ip saddr 203.0.113.254/32 tcp dport 22-22 accept", "drop"]


def test_a_group_stands_for_the_private_addresses_of_its_members(network: Network) -> None:
    lines = chain(rules.router(network), "in-m-app")
    assert lines == ["ip saddr 10.80.1.4 tcp dport 5000-5001 accept", "drop"]


def test_a_group_without_members_lets_nobody_in(network: Network) -> None:
    alone = replace(network, hosts=network.hosts[1:])
    assert chain(rules.router(alone), "in-m-app") == ["drop"]


def test_no_permission_means_drop(network: Network) -> None:
    assert ingress(network) == ["drop"]


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        (Rule("-1", cidr="0.0.0.0/0"), "accept"),
        (Rule("tcp", (-1, -1), cidr="0.0.0.0/0"), "tcp dport 0-65535 accept"),
        (Rule("udp", (53, 53), cidr="10.0.0.0/8"), "ip saddr 10.0.0.0/8 udp dport 53-53 accept"),
        (Rule("icmp", (-1, -1), cidr="0.0.0.0/0"), "ip protocol icmp accept"),
        (Rule("icmp", (8, -1), cidr="0.0.0.0/0"), "icmp type 8 accept"),
        (Rule("icmp", (3, 4), cidr="0.0.0.0/0"), "icmp type 3 icmp code 4 accept"),
        (Rule("50", (0, 0), cidr="0.0.0.0/0"), "ip protocol 50 accept"),
    ],
)
def test_protocols(network: Network, rule: Rule, line: str) -> None:
    assert ingress(network, rule) == [line, "drop"]


def test_egress_is_judged_by_destination_before_ingress(network: Network) -> None:
    only_dns = Group("sg-app", (), (Rule("udp", (53, 53), cidr="10.80.0.2/32"),))
    groups = (*network.groups[:2], only_dns)
    ruleset = rules.router(replace(network, groups=groups))
    assert chain(ruleset, "out-m-app") == ["ip daddr 10.80.0.2/32 udp dport 53-53 return", "drop"]
    packets = chain(ruleset, "packets")
    leaving, arriving = (
        next(n for n, line in enumerate(packets) if line.startswith(start))
        for start in ("iifname vmap", "oifname vmap")
    )
    assert leaving < arriving
    assert '"m-app" : jump out-m-app' in packets[leaving]
    assert '"m-app" : goto in-m-app' in packets[arriving]


def test_forwarding_is_denied_by_default_and_stateful(network: Network) -> None:
    packets = chain(rules.router(network), "packets")
    assert packets[0].endswith("policy drop;")
    assert "ct state established,related accept" in packets


def test_source_and_destination_are_checked_unless_switched_off(network: Network) -> None:
    packets = chain(rules.router(network), "packets")
    assert 'iifname "m-app" ip saddr != 10.80.2.4 drop' in packets
    assert 'oifname "m-app" ip daddr != 10.80.2.4 drop' in packets
    assert not [line for line in packets if "m-nat" in line and "!=" in line]


def test_public_addresses_are_translated_one_to_one(network: Network) -> None:
    ruleset = rules.gateway(network)
    mapping = "{ 203.0.113.7 : 10.80.1.4, 203.0.113.8 : 10.80.1.5 }"
    assert f"dnat to ip daddr map {mapping}" in chain(ruleset, "inbound")
    packets = chain(ruleset, "packets")
    assert 'iifname "router" ip saddr { 10.80.1.4, 10.80.1.5 } accept' in packets


def test_nothing_is_translated_without_an_internet_gateway(network: Network) -> None:
    closed = replace(network, vpcs=(replace(network.vpcs[0], internet=False),))
    assert "dnat" not in "".join(chain(rules.gateway(closed), "inbound"))
    assert 'iifname "router"' not in rules.gateway(closed)


def test_a_nat_gateway_gives_its_address_to_hosts_without_one(network: Network) -> None:
    private = replace(network.tables[1], nat_address="203.0.113.9")
    ruleset = rules.gateway(replace(network, tables=(network.tables[0], private)))
    assert "meta mark 1 snat to ip saddr map { 10.80.2.4 : 203.0.113.9 }" in chain(
        ruleset, "outbound"
    )
    assert 'iifname "natgw" ip saddr { 10.80.2.4 } accept' in chain(ruleset, "packets")


def test_an_empty_network_is_a_valid_ruleset() -> None:
    for ruleset in (rules.router(Network()), rules.gateway(Network())):
        assert "{ }" not in ruleset.split("delete table", 1)[1]


def test_lab_addresses_do_not_leave_by_the_real_uplink() -> None:
    ruleset = rules.outside(["10.80.0.0/16"], forwarded_before=True)
    ranges = "{ 203.0.113.0/24, 10.80.0.0/16 }"
    assert f'oifname != {{ "mnistlab0", "lo" }} ip daddr {ranges} drop' in chain(ruleset, "send")
    assert f'oifname != "mnistlab0" ip daddr {ranges} drop' in chain(ruleset, "through")


def test_addresses_that_real_hosts_have_stay_theirs() -> None:
    send = chain(rules.outside([], ["203.0.113.80"], forwarded_before=True), "send")
    assert send[1] == "ip daddr { 203.0.113.80 } accept"
    packets = chain(rules.gateway(Network(), ["203.0.113.80"]), "packets")
    assert "ip daddr 203.0.113.0/24 ip daddr != { 203.0.113.254, 203.0.113.80 } drop" in packets


def test_a_machine_that_was_no_router_forwards_only_for_the_lab() -> None:
    assert chain(rules.outside([], forwarded_before=False), "through")[-1] == "drop"
    assert chain(rules.outside([], forwarded_before=True), "through")[-1] != "drop"
