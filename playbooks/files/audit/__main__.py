"""`python -m audit <JSON`: prints every difference in one line; exit status 1 if there is one.

The input is what playbooks/audit.yml makes of inventory/audit.yml and of what the hosts say.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import boto3

from audit import outside
from audit.account import Account, role
from audit.compare import differences


def main(given: dict[str, Any]) -> int:
    """Look, compare, print."""
    account = Account(boto3.client("ec2", region_name=given["region"]), given["project"])
    declared = {
        "security group": {
            one["name"]: {"ingress": one["ingress"], "egress": one["egress"]}
            for one in given["security_groups"]
        },
        "subnet": _by_prefix(given["subnets"], account.subnets()),
        "host": _by_role(given, account),
        "answer to": given["answers"],
    }
    found = {
        "security group": account.security_groups(),
        "subnet": account.subnets(),
        "host": _hosts(given, account),
        "answer to": outside.answers(tuple(given["origin"]), [*given["answers"]], given["ca_file"]),
    }
    lines = differences(declared, found)
    for line in lines:
        print(line)
    if not lines:
        print(f"{_count(declared)} things are as declared")
    return 1 if lines else 0


def _by_prefix(kinds: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Spell out the subnets that a declaration stands for: PublicSubnet1_…, PublicSubnet2_…."""
    declared = {}
    for prefix, each in kinds.items():
        names = sorted(one for one in found if one.startswith(prefix))
        wanted = {key: value for key, value in each.items() if key != "count"}
        count = int(each["count"])
        names = names[:count] + [f"{prefix} no. {n + 1}" for n in range(len(names), count)]
        declared.update(dict.fromkeys(names, wanted))
    return declared


def _by_role(given: dict[str, Any], account: Account) -> dict[str, Any]:
    """Spell out the hosts that a role's declaration stands for."""
    declared = {}
    for kind, each in given["hosts"].items():
        names = sorted(one for one, it in account.instances.items() if role(it) == kind)
        wanted = {key: value for key, value in each.items() if key != "count"}
        count = int(each["count"])
        names = names[:count] + [f"{kind} no. {n + 1}" for n in range(len(names), count)]
        declared.update({one: {**given["every_host"], **wanted} for one in names})
    return declared


def _hosts(given: dict[str, Any], account: Account) -> dict[str, Any]:
    found = account.hosts()
    public = {
        name: instance["PublicIpAddress"]
        for name, instance in account.instances.items()
        if instance.get("PublicIpAddress")
    }
    ports = outside.open_ports(public, outside.port_numbers(given["ports"]))
    for name, host in found.items():
        host["open ports"] = ports.get(name, [])
        said = given["said"].get(name)
        host["login"] = "works" if said else "fails"
        if not said:
            continue
        host["failed units"] = said["failed"]
        host["sshd"] = [line for line in given["every_host"]["sshd"] if line in said["sshd"]]
        for unit, exposure in said["exposures"].items():
            host[f"exposure of {unit}, at most"] = exposure
        if "ssh-audit" in given["hosts"].get(role(account.instances[name]), {}):
            policy = given["ssh_policies"].get(said["distribution"], "")
            host["ssh-audit"] = outside.ssh_audit(given["ssh_audit"], public[name], policy)
    return found


def _count(table: Any) -> int:
    if isinstance(table, dict):
        return sum(map(_count, table.values()))
    return len(table) if isinstance(table, list) else 1


if __name__ == "__main__":
    sys.exit(main(json.load(sys.stdin)))
