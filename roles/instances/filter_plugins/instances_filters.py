"""Filter for roles/instances: a host as others need to know it before it is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def instances_declare(host: dict[str, Any], roles: dict[str, Any]) -> dict[str, Any]:
    """Give name, role, type, volume_gb, and whether it has a public address."""
    role = roles[host["role"]]
    return {
        "name": host["name"],
        "role": host["role"],
        "type": role["type"],
        "volume_gb": int(role["volume_gb"]),
        "public": host["role"] != "backend",
    }


class FilterModule:
    """Ansible's list of the filter above."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Give the filter by name."""
        return {"instances_declare": instances_declare}
