"""Inventory from AWS that ends in one clear sentence when AWS gives none."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.plugins.loader import inventory_loader

DOCUMENTATION = """
name: guarded_aws_ec2
short_description: amazon.aws.aws_ec2 that explains in one sentence why AWS gives no inventory
description:
  - Hands C(aws_ec2.yml) on to P(amazon.aws.aws_ec2#inventory).
  - Without credentials, a region or an answer there are no hosts, and C(inventory_problem) says
    why and what to do. Playbooks fail with it; other commands print it as a warning.
  - C(on_aws) is true with this inventory, and not there with any other.
  - The groups that playbooks name exist from the start, before they have a host.
options: {}
"""

GROUPS = ("bastion", "nat", "dev", "backend", "frontend", "leaving")

CREDENTIALS = (
    "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    " (and AWS_SESSION_TOKEN where there is one); for the lab: source .lab/env."
)

# What AWS or botocore says, and what to tell the user; the first that matches counts.
PROBLEMS = (
    (
        r"Unable to locate credentials|Partial credentials",
        f"There are no AWS credentials. {CREDENTIALS}",
    ),
    (
        r"both a profile and access tokens",
        "Both AWS_PROFILE and AWS_ACCESS_KEY_ID are set: unset the one that is not meant.",
    ),
    (
        r"config profile .* could not be found",
        "There is no such AWS profile: set AWS_PROFILE to one that there is.",
    ),
    (
        r"ExpiredToken|RequestExpired|Token .*expired",
        "The AWS credentials have expired: log in again.",
    ),
    (
        r"AuthFailure|InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient|InvalidAccessKeyId",
        f"AWS does not accept the credentials. {CREDENTIALS}",
    ),
    (
        r"UnauthorizedOperation|AccessDenied",
        "The AWS credentials may not describe instances (ec2:DescribeInstances): use others.",
    ),
    (
        r"Could not connect|[Cc]onnect timeout|Connection was closed|Read timeout",
        "AWS does not answer at {endpoint}. Is the network up, and the region's name right?"
        " For the lab: is it up (make status)?",
    ),
)


def explain(reason: str) -> str:
    """Say in one sentence what is wrong and what to do, from what AWS or botocore says."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or "its public address"
    for pattern, sentence in PROBLEMS:
        if re.search(pattern, reason):
            return sentence.format(endpoint=endpoint)
    return f"The inventory of AWS cannot be read: {reason}"


class InventoryModule(BaseInventoryPlugin):
    """Read ``aws_ec2.yml`` by the plugin that it names, and explain a failure."""

    NAME = "guarded_aws_ec2"

    def verify_file(self, path: str) -> bool:
        """Take only the file that the guarded plugin would take."""
        return bool(super().verify_file(path)) and Path(path).name == "aws_ec2.yml"

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill the inventory; never fail, leave a sentence in ``inventory_problem`` instead."""
        for group in GROUPS:
            inventory.add_group(group)
        # Playbooks build and check AWS's objects only for this inventory.
        inventory.set_variable("all", "on_aws", True)
        problem = self._read(inventory, loader, path, cache)
        if problem is None:
            return
        inventory.set_variable("all", "inventory_problem", problem)
        # A playbook fails with it (playbooks/tasks/account.yml); the other commands cannot.
        if Path(sys.argv[0]).name != "ansible-playbook":
            self.display.warning(problem)

    def _read(self, inventory: Any, loader: Any, path: str, cache: bool) -> str | None:
        if not (os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")):
            return "There is no AWS region: set AWS_REGION, for example to eu-central-1."
        plugin = inventory_loader.get("amazon.aws.aws_ec2")
        # As Ansible's own `auto` plugin does: what is read is judged by the plugin that reads it.
        inventory._target_plugin = plugin
        try:
            plugin.parse(inventory, loader, path, cache=cache)
        except AnsibleError as error:
            return explain(str(error))
        return None
