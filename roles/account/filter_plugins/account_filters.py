"""Filters for roles/account: what the hosts and the network cost, and an IAM policy's actions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ansible.errors import AnsibleFilterError

Line = dict[str, Any]


def _price(table: dict[str, Any], region: str, *path: str) -> float:
    """Give a price; AnsibleFilterError where the table has none, as none is guessed."""
    here: Any = table["regions"]
    for step in (region, *path):
        if step not in here:
            raise AnsibleFilterError(
                f"The price table of {table['as_of']} has no price for {step}"
                f"{'' if step == region else f' in {region}'}, and none is guessed:"
                " add it from AWS's price list (roles/account/files/prices.yml)."
            )
        here = here[step]
    return float(here)


def _line(what: str, hour: float, hours: float) -> Line:
    """Give a line of the bill: USD per hour while it runs, and per month of `hours` hours."""
    return {"what": what, "hour": hour, "month": hour * hours}


def _host_line(host: dict[str, Any], table: dict[str, Any], region: str, hours: float) -> Line:
    """Give what a host costs: its machine, its volume, its public address."""
    hour = _price(table, region, "instance_hour", host["type"])
    hour += host["volume_gb"] * _price(table, region, "gp3_gb_month") / table["hours_per_month"]
    what = f"{host['name']}: {host['type']}, {host['volume_gb']} GB gp3"
    if host["public"]:
        hour += _price(table, region, "public_ipv4_hour")
        what += ", public address"
    return _line(what, hour, hours)


def _gateway(table: dict[str, Any], region: str) -> Line:
    """Give what a NAT gateway with its address costs, without what passes through it."""
    hour = _price(table, region, "nat_gateway_hour") + _price(table, region, "public_ipv4_hour")
    return _line("NAT gateway, public address", hour, table["hours_per_month"])


def _load_balancer(table: dict[str, Any], region: str) -> Line:
    """Give what a load balancer in two zones costs, with the one unit that AWS counts at least."""
    hour = _price(table, region, "load_balancer_hour")
    hour += _price(table, region, "load_balancer_unit_hour")
    hour += 2 * _price(table, region, "public_ipv4_hour")
    what = "load balancer, 1 capacity unit, two public addresses"
    return _line(what, hour, table["hours_per_month"])


def account_costs(
    hosts: Iterable[dict[str, Any]], table: dict[str, Any], region: str, wanted: dict[str, Any]
) -> dict[str, Any]:
    """Give what it all costs: `lines`, `hour`, `month` (USD), and both kinds of NAT side by side.

    `hosts`: name, role, type, volume_gb and public of each. `wanted`: `dev_hours`, with which
    hosts of role dev are counted a month (0: all of it); `nat`, instance or gateway; `nat_host`,
    the NAT instance that there is or would be; `load_balancer`, whether there is one.
    """
    month = table["hours_per_month"]
    dev = float(wanted["dev_hours"]) or month
    lines = [
        _host_line(host, table, region, dev if host["role"] == "dev" else month) for host in hosts
    ]
    both = {
        "instance": _host_line(wanted["nat_host"], table, region, month),
        "gateway": _gateway(table, region),
    }
    if wanted["nat"] == "gateway":
        lines.append(both["gateway"])
    if wanted["load_balancer"]:
        lines.append(_load_balancer(table, region))
    return {
        "lines": lines,
        "hour": sum(line["hour"] for line in lines),
        "month": sum(line["month"] for line in lines),
        "nat": both,
        "nat_gateway_gb": _price(table, region, "nat_gateway_gb"),
    }


def account_cost_lines(costs: dict[str, Any]) -> list[str]:
    """Write what it costs as lines for a person."""
    width = max(len(line["what"]) for line in (*costs["lines"], *costs["nat"].values()))
    rows = [(line["what"], line) for line in costs["lines"]] + [("together", costs)]
    text = [f"{what:<{width}}  {row['hour']:8.4f} {row['month']:8.2f}" for what, row in rows]
    instance, gateway = costs["nat"]["instance"], costs["nat"]["gateway"]
    return [
        f"{'USD':<{width}}  {'an hour':>8} {'a month':>8}",
        *text,
        "",
        "the private subnets' way out (network_nat), one or the other:",
        f"{instance['what']:<{width}}  {instance['hour']:8.4f} {instance['month']:8.2f}",
        f"{gateway['what']:<{width}}  {gateway['hour']:8.4f} {gateway['month']:8.2f}"
        f" + {costs['nat_gateway_gb']} a GB",
    ]


class FilterModule:
    """Ansible's list of the filters above."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Give the filters by name."""
        return {"account_costs": account_costs, "account_cost_lines": account_cost_lines}
