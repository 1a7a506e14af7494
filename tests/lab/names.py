"""What everything of the lab is called and where it lives: one prefix, to find it by."""

from __future__ import annotations

import ipaddress
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

PREFIX = "mnistlab"
ROUTER = f"{PREFIX}-router"  # network namespace: security groups and route tables
GATEWAY = f"{PREFIX}-gateway"  # network namespace: internet gateway and NAT gateways
TABLE = PREFIX  # nft table, in each of the three namespaces
OUTSIDE_LINK = f"{PREFIX}0"  # the root namespace's end of the veth to the gateway

# RFC 5737's TEST-NET-3 stands for "the internet" inside the lab.
PUBLIC_RANGE = ipaddress.ip_network("203.0.113.0/24")
PUBLIC_ADDRESSES = tuple(str(PUBLIC_RANGE[n]) for n in range(1, 251))
GATEWAY_ADDRESS = "203.0.113.253"
CONTROLLER_ADDRESS = "203.0.113.254"
DNS_ADDRESS = "169.254.169.253"
METADATA_ADDRESS = "169.254.169.254"

API_PORT = 4566  # any free port if this one is taken
PAGE_PORT = 8080
REGION = "eu-central-1"
# Long, so that Ansible does not censor a short secret out of every id that happens to contain it.
ACCESS_KEY = "AKIALABLABLABLABLAB0"
SECRET_KEY = "lab-only-not-a-secret-lab-only-not-a-sec"  # noqa: S105

RUN = Path("/run/mnist-lab")
LOCK = RUN / "lock"
STATE = Path("/var/lib/mnist-lab")
MACHINES = STATE / "machines"
CACHE = Path("/var/cache/mnist-lab")

WORK = REPOSITORY / ".lab"
ENV = WORK / "env"
LOG = WORK / "lab.log"
SSH = WORK / "ssh"  # of the playbooks: key, ssh_config, known_hosts
LAB_KEY = WORK / "lab_key"  # the lab's own key: python -m tests.lab ssh


class LabError(Exception):
    """One clear sentence for the person who started the lab."""


def machine_name(instance_id: str) -> str:
    """The name of an instance's machine, namespace and cgroup."""
    return f"{PREFIX}-{instance_id}"


def link_name(instance_id: str) -> str:
    """The router's end of the veth to an instance; Linux allows 15 characters."""
    return f"m-{instance_id[-12:]}"
