"""Filters for roles/network: address ranges, and VPCs that are in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Network
from typing import Any

from ansible.errors import AnsibleFilterError

# A range of more than 16 million addresses is nobody's office: it is a door open to the world.
WIDEST_PREFIX = 8


def _network(value: str) -> IPv4Network:
    try:
        return IPv4Network(value, strict=False)
    except ValueError as error:
        raise AnsibleFilterError(
            f"{value!r} is no IPv4 address range such as 198.51.100.7/32"
        ) from error


def network_cidrs(value: str | Iterable[str] | None) -> list[str]:
    """Give the ranges of a list, or of a string with commas, in CIDR form (an address: /32)."""
    items = value.split(",") if isinstance(value, str) else list(value or [])
    return sorted({str(_network(item.strip())) for item in items if item.strip()})


def network_wide(cidrs: Iterable[str]) -> list[str]:
    """Give those of the ranges that are as good as the whole world."""
    return [cidr for cidr in cidrs if _network(cidr).prefixlen < WIDEST_PREFIX]


def _ranges(vpc: dict[str, Any]) -> list[str]:
    blocks = [block["cidr_block"] for block in vpc.get("cidr_block_association_set") or []]
    return blocks or [vpc["cidr_block"]]


def network_strangers(
    vpcs: Iterable[dict[str, Any]], name: str, cidr: str, project: str
) -> list[dict[str, Any]]:
    """Give the VPCs that have the name or an address of the range and not the project's tag."""
    wanted = _network(cidr)
    return [
        vpc
        for vpc in vpcs
        if vpc["tags"].get("Project") != project
        and (
            vpc["tags"].get("Name") == name
            or any(_network(r).overlaps(wanted) for r in _ranges(vpc))
        )
    ]


def network_others(
    vpcs: Iterable[dict[str, Any]], name: str, cidr: str, project: str
) -> list[dict[str, Any]]:
    """Give the project's VPCs that are not the one with this name and range."""
    return [
        vpc
        for vpc in vpcs
        if vpc["tags"].get("Project") == project
        and not (vpc["tags"].get("Name") == name and cidr in _ranges(vpc))
    ]


def network_vpc_label(vpc: dict[str, Any]) -> str:
    """Name a VPC for a person: ``office (10.80.0.0/16, vpc-0123)``."""
    name = vpc["tags"].get("Name", "a VPC without a name")
    return f"{name} ({', '.join(_ranges(vpc))}, {vpc['vpc_id']})"


class FilterModule:
    """Ansible's list of the filters above."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Give the filters by name."""
        return {
            "network_cidrs": network_cidrs,
            "network_wide": network_wide,
            "network_strangers": network_strangers,
            "network_others": network_others,
            "network_vpc_label": network_vpc_label,
        }
