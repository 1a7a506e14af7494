"""The router's routes and policy rules as a pure function of the network model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from tests.lab.model import INTERNET, NAT_GATEWAY, Host, Network, RouteTable

# The gateway namespace's ends of its two links to the router.
VIA_GATEWAY = "via 169.254.2.2 dev igw onlink"
VIA_NAT_GATEWAY = "via 169.254.2.6 dev natgw onlink"
NO_ROUTE = "blackhole"


def routing(network: Network) -> dict[str, str]:
    """Give the wanted routes and rules: key as `ip` names it, value where it leads.

    A host's own link selects the table of its subnet, so each packet is routed as its sender's
    subnet says; packets from outside use the main table.
    """
    wanted = {f"route {host.private}/32": f"dev {host.link}" for host in network.hosts}
    for table in network.tables:
        users = [host for host in network.hosts if host.table == table.id]
        if users:
            wanted.update(_table(network, table, users[0]))
        for host in users:
            wanted[f"rule iif {host.link}"] = f"lookup {table_number(table.id)} priority 1000"
    return wanted


def table_number(table_id: str) -> int:
    """A Linux routing table's number for a route table: stable, above the reserved ones."""
    return 1000 + int(hashlib.sha256(table_id.encode()).hexdigest()[:6], 16)


def _table(network: Network, table: RouteTable, user: Host) -> Iterator[tuple[str, str]]:
    number = table_number(table.id)
    neighbours = {host.id: host for host in network.hosts if host.vpc == user.vpc}
    vpc = network.vpc(user)
    yield f"route 0.0.0.0/0 table {number}", NO_ROUTE
    for route in table.routes:
        yield (
            f"route {route.destination} table {number}",
            _target(route.target, neighbours, vpc.internet),
        )
    for network_range in vpc.ranges:  # the local route; what has no host there goes nowhere
        yield f"route {network_range} table {number}", NO_ROUTE
    for host in neighbours.values():
        yield f"route {host.private}/32 table {number}", f"dev {host.link}"


def _target(target: str, neighbours: dict[str, Host], internet: bool) -> str:
    if target == INTERNET:
        return VIA_GATEWAY if internet else NO_ROUTE
    if target == NAT_GATEWAY:
        return VIA_NAT_GATEWAY if internet else NO_ROUTE
    if target in neighbours:
        return f"via {neighbours[target].private} dev {neighbours[target].link} onlink"
    return NO_ROUTE
