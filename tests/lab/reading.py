"""The network model of what the AWS API holds now."""

from __future__ import annotations

import ipaddress
from typing import Any

from tests.lab import aws, names
from tests.lab.model import (
    INTERNET,
    NAT_GATEWAY,
    NOWHERE,
    Group,
    Host,
    Network,
    Route,
    RouteTable,
    Rule,
    Vpc,
)


def read() -> Network:
    """Read VPCs, route tables, security groups, and the instances that are not terminated."""
    vpcs: list[Vpc] = []
    tables: list[RouteTable] = []
    groups: list[Group] = []
    hosts: list[Host] = []
    for backend in aws.backends():
        hosts += [_host(backend, i) for i in backend.all_instances() if i.state != "terminated"]
        vpcs += [_vpc(backend, vpc) for vpc in backend.vpcs.values()]
        tables += [_table(table) for table in backend.route_tables.values()]
        for in_vpc in backend.groups.values():
            groups += [_group(group) for group in in_vpc.values()]
    used = {host.vpc for host in hosts}
    return Network(
        tuple(vpc for vpc in vpcs if vpc.id in used), tuple(tables), tuple(groups), tuple(hosts)
    )


def _vpc(backend: Any, vpc: Any) -> Vpc:
    ranges = tuple(item["cidr_block"] for item in vpc.cidr_block_association_set)
    attached = any(g.vpc and g.vpc.id == vpc.id for g in backend.internet_gateways.values())
    return Vpc(vpc.id, ranges or (vpc.cidr_block,), attached)


def _table(table: Any) -> RouteTable:
    routes = []
    nat_address = None
    for route in table.routes:
        if route.local or not route.destination_cidr_block:
            continue
        target = NOWHERE
        if route.gateway and route.gateway.id.startswith("igw-"):
            target = INTERNET
        elif route.nat_gateway and route.nat_gateway.state == "available":
            target, nat_address = NAT_GATEWAY, route.nat_gateway._eni.public_ip
        elif route.interface and route.interface.instance:
            target = route.interface.instance.id
        elif route.instance:
            target = route.instance.id
        routes.append(Route(route.destination_cidr_block, target))
    return RouteTable(table.id, tuple(routes), nat_address)


def _group(group: Any) -> Group:
    return Group(group.id, _rules(group.ingress_rules), _rules(group.egress_rules))


def _rules(rules: list[Any]) -> tuple[Rule, ...]:
    found = []
    for rule in rules:
        ports = None if rule.from_port is None else (int(rule.from_port), int(rule.to_port))
        if rule.cidr_ipv4:
            found.append(Rule(str(rule.ip_protocol), ports, cidr=rule.cidr_ipv4))
        elif rule.source_group:
            found.append(Rule(str(rule.ip_protocol), ports, group=rule.source_group["GroupId"]))
    return tuple(found)


def _host(backend: Any, instance: aws.Instance) -> Host:
    nic = instance.nics[0]
    subnet = backend.get_subnet(nic.subnet.id)
    check = [instance.source_dest_check, nic.source_dest_check]
    return Host(
        id=instance.id,
        link=names.link_name(instance.id),
        private=nic.private_ip_address,
        public=nic.public_ip,
        router=str(ipaddress.ip_network(subnet.cidr_block)[1]),
        vpc=subnet.vpc_id,
        table=_subnet_table(backend, subnet),
        groups=tuple(dict.fromkeys(group.id for group in nic._group_set)),
        source_dest_check=not any(str(value).lower() == "false" for value in check),
    )


def _subnet_table(backend: Any, subnet: Any) -> str:
    of_vpc = [table for table in backend.route_tables.values() if table.vpc_id == subnet.vpc_id]
    for table in of_vpc:
        if subnet.id in table._associations.values():
            return str(table.id)
    return str(next(table.id for table in of_vpc if table.main_association_id))
