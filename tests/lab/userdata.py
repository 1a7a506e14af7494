"""An instance's user data as the script that its machine runs at first boot."""

from __future__ import annotations

import shlex
from typing import Any

import yaml

SUPPORTED = {"package_update", "packages", "runcmd"}


def to_script(user_data: bytes) -> bytes:
    """Give the script: user data itself if it is one, or what a small #cloud-config asks for.

    Of #cloud-config the lab knows package_update, packages and runcmd. Anything else gives a script
    that says so and fails, so that it is found on the machine's console.
    """
    if not user_data.strip() or user_data.startswith(b"#!"):
        return user_data
    if not user_data.startswith(b"#cloud-config"):
        return _refuse("only scripts (#!) and #cloud-config")
    config: dict[str, Any] = yaml.safe_load(user_data) or {}
    unknown = sorted(set(config) - SUPPORTED)
    if unknown:
        return _refuse(
            f"of #cloud-config only {', '.join(sorted(SUPPORTED))}, not {', '.join(unknown)}"
        )
    lines = ["#!/bin/sh", "set -e", "export DEBIAN_FRONTEND=noninteractive"]
    if config.get("package_update") or config.get("packages"):
        lines.append("apt-get update -q")
    if config.get("packages"):
        lines.append(f"apt-get install -q -y {shlex.join(map(str, config['packages']))}")
    for command in config.get("runcmd", []):
        lines.append(command if isinstance(command, str) else shlex.join(map(str, command)))
    return ("\n".join(lines) + "\n").encode()


def _refuse(what: str) -> bytes:
    sentence = f"the lab's machines run {what}"
    return f"#!/bin/sh\necho {shlex.quote(sentence)}\nexit 1\n".encode()
