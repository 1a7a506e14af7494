"""The network of the lab as plain data: what rules and routes are computed from."""

from __future__ import annotations

from dataclasses import dataclass

INTERNET = "internet"  # a route's target: the internet gateway
NAT_GATEWAY = "nat-gateway"
NOWHERE = "nowhere"


@dataclass(frozen=True)
class Rule:
    """One permission of a security group: a protocol, its ports, and one peer.

    `protocol` is tcp, udp, icmp, a protocol number, or -1 for every protocol. `ports` are the first
    and the last port, or for icmp the type and the code with -1 for any; None means all. The peer
    is an IPv4 range or, if `group` is set, the members of that security group.
    """

    protocol: str
    ports: tuple[int, int] | None = None
    cidr: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Group:
    """A security group."""

    id: str
    ingress: tuple[Rule, ...] = ()
    egress: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Route:
    """Where packets to `destination` go: `target` is an instance's id or a constant from above."""

    destination: str
    target: str


@dataclass(frozen=True)
class RouteTable:
    """A route table, without its local route."""

    id: str
    routes: tuple[Route, ...] = ()
    nat_address: str | None = None  # the public address of its NAT gateway


@dataclass(frozen=True)
class Vpc:
    """A virtual private cloud; `internet` tells whether an internet gateway is attached."""

    id: str
    ranges: tuple[str, ...]
    internet: bool = False


@dataclass(frozen=True)
class Host:
    """An instance's primary network interface."""

    id: str
    link: str
    private: str
    router: str  # the subnet's router, its first address
    vpc: str
    table: str
    groups: tuple[str, ...] = ()
    public: str | None = None
    source_dest_check: bool = True


@dataclass(frozen=True)
class Network:
    """Everything that a packet can meet."""

    vpcs: tuple[Vpc, ...] = ()
    tables: tuple[RouteTable, ...] = ()
    groups: tuple[Group, ...] = ()
    hosts: tuple[Host, ...] = ()

    def members(self, group: str) -> tuple[str, ...]:
        """The private addresses of a security group's members."""
        return tuple(host.private for host in self.hosts if group in host.groups)

    def vpc(self, host: Host) -> Vpc:
        """The VPC of a host."""
        return next(vpc for vpc in self.vpcs if vpc.id == host.vpc)

    def table(self, host: Host) -> RouteTable:
        """The route table of a host's subnet."""
        return next(table for table in self.tables if table.id == host.table)
