"""The lab's nftables rulesets as pure functions of the network model.

Three namespaces filter: the router (security groups, source/destination check), the gateway (1:1
NAT of public addresses, NAT gateways) and the root namespace (no lab address on the real uplink).
Each function gives a whole table; `nft -f` replaces the old one in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.lab import names
from tests.lab.model import Group, Host, Network, Rule

NAT_MARK = 1  # packets that came to the gateway by the NAT gateways' link


def router(network: Network) -> str:
    """Security groups: stateful, default deny, silent. Sees private addresses of this VPC only.

    Traffic between two public addresses leaves by the gateway and comes back, so that its source is
    judged by the public address, as on AWS.
    """
    groups = {group.id: group for group in network.groups}
    chains = [
        chain
        for host in network.hosts
        for chain in (
            _chain(f"out-{host.link}", _egress(network, host, groups)),
            _chain(f"in-{host.link}", _ingress(network, host, groups)),
        )
    ]
    leaving = [f'"{host.link}" : jump out-{host.link}' for host in network.hosts]
    arriving = [f'"{host.link}" : goto in-{host.link}' for host in network.hosts]
    forward = [
        "type filter hook forward priority filter; policy drop;",
        *_source_dest_check(network.hosts),
        "ct state established,related accept",
        "ct state invalid drop",
        *_verdict_map("iifname", leaving),
        *_verdict_map("oifname", [*arriving, '"igw" : accept', '"natgw" : accept']),
    ]
    services = [
        "type filter hook input priority filter; policy drop;",
        'iifname "lo" accept',
        "ct state established,related accept",
        f'iifname "m-*" ip daddr {names.DNS_ADDRESS} udp dport 53 accept',
        f'iifname "m-*" ip daddr {names.DNS_ADDRESS} tcp dport 53 accept',
        f'iifname "m-*" ip daddr {names.METADATA_ADDRESS} tcp dport 80 accept',
    ]
    return _table([*chains, _chain("services", services), _chain("packets", forward)])


def gateway(network: Network, real: Iterable[str] = ()) -> str:
    """The internet gateway: 1:1 NAT of public addresses; NAT gateways. Anything else is dropped.

    `real`: addresses of the public range that are not the lab's (see real.py).
    """
    mapped = {
        host.public: host.private
        for host in network.hosts
        if host.public and network.vpc(host).internet
    }
    behind_nat = {
        host.private: address
        for host in network.hosts
        if (address := network.table(host).nat_address) and network.vpc(host).internet
    }
    public = {private: address for address, private in mapped.items()}
    forward = [
        "type filter hook forward priority filter; policy drop;",
        "ct state invalid drop",
        "ct state established,related accept",
        f"ip daddr {names.PUBLIC_RANGE} "
        f"ip daddr != {_set([names.CONTROLLER_ADDRESS, *sorted(real)])} drop",
        'iifname "outside" ct status dnat accept',
        *(f'iifname "router" ip saddr {_set(s)} accept' for s in [public] if s),
        *(f'iifname "natgw" ip saddr {_set(s)} accept' for s in [behind_nat] if s),
    ]
    marking = [
        "type filter hook prerouting priority mangle;",
        f'iifname "natgw" meta mark set {NAT_MARK}',
    ]
    inbound = [
        "type nat hook prerouting priority dstnat;",
        *(f"dnat to ip daddr map {_map(m)}" for m in [mapped] if m),
    ]
    outbound = [
        "type nat hook postrouting priority srcnat;",
        *(f"meta mark {NAT_MARK} snat to ip saddr map {_map(m)}" for m in [behind_nat] if m),
        *(f"meta mark != {NAT_MARK} snat to ip saddr map {_map(m)}" for m in [public] if m),
    ]
    return _table(
        [
            _chain("packets", forward),
            _chain("marking", marking),
            _chain("inbound", inbound),
            _chain("outbound", outbound),
        ]
    )


def outside(ranges: Iterable[str], real: Iterable[str] = (), *, forwarded_before: bool) -> str:
    """The root namespace: masquerade for the lab, and no packet of lab addresses on another link.

    `ranges`: the VPCs' address ranges, without those that the controller's own network uses.
    `real`: addresses of the public range that are not the lab's (see real.py).
    `forwarded_before`: False if this machine was no router before the lab; then it forwards nothing
    else now.
    """
    link = f'"{names.OUTSIDE_LINK}"'
    lab = _set([str(names.PUBLIC_RANGE), *sorted(ranges)])
    others = [_set(sorted(real))] if real else []
    forward = [
        "type filter hook forward priority filter - 10; policy accept;",
        f"iifname {link} ct state invalid drop",
        *(f"iifname {link} ip saddr {names.PUBLIC_RANGE} ip daddr {s} accept" for s in others),
        *(f"oifname {link} ip saddr {s} ct state established,related accept" for s in others),
        f"iifname {link} ip daddr {lab} drop",
        f"iifname != {link} ip saddr {lab} drop",
        f"oifname != {link} ip daddr {lab} drop",
        f"oifname {link} ct state established,related accept",
        f"oifname {link} drop",
        f"iifname {link} ip saddr {names.PUBLIC_RANGE} accept",
        f"iifname {link} drop",
        *([] if forwarded_before else ["drop"]),
    ]
    receive = [
        "type filter hook input priority filter - 10; policy accept;",
        f"iifname {link} goto from-lab",
        *(f"ip saddr {s} accept" for s in others),
        f'iifname != "lo" ip saddr {lab} drop',
        f'iifname != "lo" ip daddr {lab} drop',
    ]
    from_lab = [
        "ct state established,related accept",
        f"ip daddr {names.CONTROLLER_ADDRESS} tcp dport 80 accept",
        f"ip daddr {names.CONTROLLER_ADDRESS} icmp type echo-request accept",
        "drop",
    ]
    send = [
        "type filter hook output priority filter - 10; policy accept;",
        *(f"ip daddr {s} accept" for s in others),
        f'oifname != {{ {link}, "lo" }} ip daddr {lab} drop',
        f'oifname != {{ {link}, "lo" }} ip saddr {lab} drop',
    ]
    outbound = [
        "type nat hook postrouting priority srcnat; policy accept;",
        f'oifname != {{ {link}, "lo" }} ip saddr {names.PUBLIC_RANGE} masquerade',
    ]
    return _table(
        [
            _chain("from-lab", from_lab),
            _chain("receive", receive),
            _chain("through", forward),
            _chain("send", send),
            _chain("outbound", outbound),
        ]
    )


def _source_dest_check(hosts: Iterable[Host]) -> list[str]:
    lines = []
    for host in hosts:
        if host.source_dest_check:
            lines.append(f'iifname "{host.link}" ip saddr != {host.private} drop')
            lines.append(f'oifname "{host.link}" ip daddr != {host.private} drop')
    return lines


def _egress(network: Network, host: Host, groups: dict[str, Group]) -> list[str]:
    rules = [rule for group in host.groups for rule in groups[group].egress]
    return [*_matches(network, rules, "daddr", "return"), "drop"]


def _ingress(network: Network, host: Host, groups: dict[str, Group]) -> list[str]:
    rules = [rule for group in host.groups for rule in groups[group].ingress]
    return [*_matches(network, rules, "saddr", "accept"), "drop"]


def _matches(network: Network, rules: Iterable[Rule], side: str, verdict: str) -> list[str]:
    lines = []
    for rule in rules:
        peers = network.members(rule.group) if rule.group else [rule.cidr]
        for peer in peers:
            address = "" if peer == "0.0.0.0/0" else f"ip {side} {peer} "
            lines.append(f"{address}{_service(rule)}{verdict}")
    return lines


def _service(rule: Rule) -> str:
    if rule.protocol == "-1":
        return ""
    if rule.protocol == "icmp":
        kind, code = rule.ports or (-1, -1)
        match = "ip protocol icmp " if kind < 0 else f"icmp type {kind} "
        return match if kind < 0 or code < 0 else f"{match}icmp code {code} "
    if rule.protocol in ("tcp", "udp"):
        first, last = rule.ports or (0, 65535)
        # AWS takes -1 for "all ports" of tcp and udp, too.
        return f"{rule.protocol} dport {max(first, 0)}-{65535 if last < 0 else last} "
    return f"ip protocol {rule.protocol} "


def _verdict_map(key: str, elements: list[str]) -> list[str]:
    return [f"{key} vmap {{ {', '.join(elements)} }}"] if elements else []


def _set(elements: Iterable[str]) -> str:
    return f"{{ {', '.join(elements)} }}"


def _map(pairs: dict[str, str]) -> str:
    return f"{{ {', '.join(f'{key} : {value}' for key, value in pairs.items())} }}"


def _chain(name: str, lines: Iterable[str]) -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return f"  chain {name} {{\n{body}\n  }}"


def _table(chains: Iterable[str]) -> str:
    # The first line makes the deletion succeed where there is no table yet.
    body = "\n".join(chains)
    return (
        f"table ip {names.TABLE} {{ }}\n"
        f"delete table ip {names.TABLE}\n"
        f"table ip {names.TABLE} {{\n{body}\n}}\n"
    )
