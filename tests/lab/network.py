"""The lab's packets: namespaces, links, routes and rules, kept equal to the network model.

    machine ─eth0── m-… [router] igw, natgw ── router, natgw [gateway] outside ── mnistlab0 [root]

Every machine has one link to the router and /32 addresses, so that packets between neighbours pass
the router, too.
"""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path

from tests.lab import firewall, names, real, routes, rules
from tests.lab.model import Host, Network
from tests.lab.names import LabError
from tests.lab.system import ip_batch, nft, run, set_sysctl

IP_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
SAVED_IP_FORWARD = names.RUN / "ip_forward"
REAL_ROUTES = 113  # the mark (routing protocol number) of the lab's routes on the real uplink
NO_IPV6 = {"net/ipv6/conf/all/disable_ipv6": "1"}
FORWARDING = {
    **NO_IPV6,
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    "net/ipv4/conf/all/send_redirects": "0",
    "net/ipv4/conf/default/send_redirects": "0",
}


class Fabric:
    """The lab's network on this machine."""

    def __init__(self) -> None:
        self.attached: dict[str, Host] = {}
        self.routing: dict[str, str] = {}
        self.returning: set[str] = set()  # the gateway's routes back to the hosts
        self.rulesets: dict[str, str] = {}
        self.mtu = 1500
        self.own_ranges: list[ipaddress.IPv4Network] = []
        self.real: set[str] = set()  # addresses of the public range that are not the lab's
        self.uplink = ""
        self.network = Network()

    def build(self) -> None:
        """Make the router, the gateway and their links. Raises LabError if the range is in use."""
        self.own_ranges, self.mtu = look_around()
        for taken in self.own_ranges:
            if taken.overlaps(names.PUBLIC_RANGE):
                raise LabError(
                    f"This machine's network already uses {taken}, which overlaps the lab's "
                    f"{names.PUBLIC_RANGE}: take that address or route away, then try again."
                )
        self.uplink = default_route()
        self.leave_alone(real.addresses())
        names.RUN.mkdir(parents=True, exist_ok=True)
        SAVED_IP_FORWARD.write_text(IP_FORWARD.read_text())
        for namespace in (names.ROUTER, names.GATEWAY):
            run("ip", "netns", "add", namespace)
            set_sysctl(FORWARDING, namespace)
        mtu = self.mtu
        ip_batch(
            [
                f"link add {names.OUTSIDE_LINK} mtu {mtu} type veth peer name outside mtu {mtu} "
                f"netns {names.GATEWAY}",
                f"addr add {names.CONTROLLER_ADDRESS}/32 dev {names.OUTSIDE_LINK}",
                f"link set {names.OUTSIDE_LINK} up",
            ]
        )
        ip_batch(
            [
                "link set lo up",
                f"link add router mtu {mtu} type veth peer name igw mtu {mtu} netns {names.ROUTER}",
                f"link add natgw mtu {mtu} type veth "
                f"peer name natgw mtu {mtu} netns {names.ROUTER}",
                "addr add 169.254.2.2/30 dev router",
                "addr add 169.254.2.6/30 dev natgw",
                f"addr add {names.GATEWAY_ADDRESS}/32 dev outside",
                *(f"link set {link} up" for link in ("router", "natgw", "outside")),
                f"route add default via {names.CONTROLLER_ADDRESS} dev outside onlink",
            ],
            names.GATEWAY,
        )
        ip_batch(
            [
                "link set lo up",
                f"addr add {names.DNS_ADDRESS}/32 dev lo",
                f"addr add {names.METADATA_ADDRESS}/32 dev lo",
                "addr add 169.254.2.1/30 dev igw",
                "addr add 169.254.2.5/30 dev natgw",
                "link set igw up",
                "link set natgw up",
            ],
            names.ROUTER,
        )
        ip_batch(
            [
                f"route add {names.GATEWAY_ADDRESS}/32 dev {names.OUTSIDE_LINK}",
                f"route add {names.PUBLIC_RANGE} via {names.GATEWAY_ADDRESS} "
                f"dev {names.OUTSIDE_LINK} src {names.CONTROLLER_ADDRESS}",
            ]
        )
        self.apply(Network())
        firewall.let_through()
        IP_FORWARD.write_text("1\n")

    def leave_alone(self, addresses: set[str]) -> None:
        """Let these addresses of the public range be what they are outside the lab."""
        new = addresses - self.real
        if new:
            self.real |= new
            ip_batch([f"route replace {a}/32 {self.uplink} proto {REAL_ROUTES}" for a in new])
            if self.rulesets:
                self.apply(self.network)

    def apply(self, network: Network) -> None:
        """Make links, routes and rules equal to the model; what does not change is not touched."""
        self.network = network
        hosts = {host.id: host for host in network.hosts}
        for host in network.hosts:
            if host.id not in self.attached:
                self._attach(host)
        ranges = {r for vpc in network.vpcs for r in vpc.ranges if not self._is_own(r)}
        outside = rules.outside(ranges, self.real, forwarded_before=forwarded_before())
        self._apply("outside", None, outside)
        self._apply("gateway", names.GATEWAY, rules.gateway(network, self.real))
        self._apply("router", names.ROUTER, rules.router(network))
        self._route(routes.routing(network))
        self._gateway_routes({f"{host.private}/32" for host in network.hosts})
        for host_id in [host_id for host_id in self.attached if host_id not in hosts]:
            self._unlink(self.attached.pop(host_id))

    def _apply(self, key: str, namespace: str | None, ruleset: str) -> None:
        if self.rulesets.get(key) != ruleset:
            nft(ruleset, namespace)
            self.rulesets[key] = ruleset

    def _attach(self, host: Host) -> None:
        try:
            self._link(host, names.machine_name(host.id))
        except LabError:
            self._unlink(host)
            raise
        self.attached[host.id] = host

    def _link(self, host: Host, namespace: str) -> None:
        run("ip", "netns", "add", namespace)
        set_sysctl(NO_IPV6, namespace)
        ip_batch(
            [
                f"link add {host.link} mtu {self.mtu} type veth "
                f"peer name eth0 mtu {self.mtu} netns {namespace}",
                f"addr add {host.router}/32 dev {host.link}",
                f"link set {host.link} up",
            ],
            names.ROUTER,
        )
        ip_batch(
            [
                "link set lo up",
                f"addr add {host.private}/32 dev eth0",
                "link set eth0 up",
                f"route add default via {host.router} dev eth0 onlink",
            ],
            namespace,
        )

    def _unlink(self, host: Host) -> None:
        # The link goes by name: the namespace itself lives on while a process is left in it.
        run("ip", "-n", names.ROUTER, "link", "del", host.link, check=False)
        run("ip", "netns", "del", names.machine_name(host.id), check=False)

    def _route(self, wanted: dict[str, str]) -> None:
        have = self.routing
        add, remove = [], []
        for key, value in wanted.items():
            if have.get(key) != value:
                add.append(_command("replace", key, value))
        for key, value in have.items():
            if key not in wanted or (key.startswith("rule") and wanted[key] != value):
                remove.append(_command("del", key, value))
        ip_batch(add, names.ROUTER)
        ip_batch(remove, names.ROUTER, force=True)
        self.routing = wanted

    def _gateway_routes(self, wanted: set[str]) -> None:
        new, old = wanted - self.returning, self.returning - wanted
        ip_batch([f"route replace {r} via 169.254.2.1 dev router" for r in new], names.GATEWAY)
        ip_batch([f"route del {r}" for r in old], names.GATEWAY, force=True)
        self.returning = wanted

    def _is_own(self, address_range: str) -> bool:
        return any(own.overlaps(ipaddress.ip_network(address_range)) for own in self.own_ranges)


def _command(verb: str, key: str, value: str) -> str:
    kind, rest = key.split(" ", 1)
    if kind == "rule":
        return f"rule {'add' if verb == 'replace' else verb} {rest} {value}"
    if value == routes.NO_ROUTE:
        return f"route {verb} {value} {rest}"
    return f"route {verb} {rest} {value}"


def forwarded_before() -> bool:
    """Tell whether this machine forwarded packets before the lab."""
    return SAVED_IP_FORWARD.exists() and SAVED_IP_FORWARD.read_text().strip() == "1"


def default_route() -> str:
    """Give where this machine's packets to the rest of the world go, as `ip route` says it."""
    for route in json.loads(run("ip", "-json", "-4", "route", "show", "default")):
        via = f"via {route['gateway']} " if "gateway" in route else ""
        return f"{via}dev {route['dev']}"
    return "dev lo"  # no way out: nothing to be reached


def look_around() -> tuple[list[ipaddress.IPv4Network], int]:
    """Give the address ranges of this machine's own links and routes, and its uplink's MTU."""
    ranges: list[ipaddress.IPv4Network] = []
    links = json.loads(run("ip", "-json", "-4", "addr", "show"))
    mtu = {link["ifname"]: int(link.get("mtu", 1500)) for link in links}
    uplink_mtu = 1500
    for link in links:
        ranges += [
            ipaddress.ip_network(f"{address['local']}/{address['prefixlen']}", strict=False)
            for address in link.get("addr_info", [])
            if address.get("local") and link["ifname"] != names.OUTSIDE_LINK
        ]
    for route in json.loads(run("ip", "-json", "-4", "route", "show")):
        if route["dst"] == "default":
            uplink_mtu = min(uplink_mtu, mtu.get(route.get("dev", ""), 1500))
        elif route.get("dev") != names.OUTSIDE_LINK:
            ranges.append(ipaddress.ip_network(route["dst"], strict=False))
    return ranges, uplink_mtu
