"""Addresses of the lab's public range that this machine really uses.

203.0.113.0/24 is reserved for documentation, so nothing on the internet has such an address. A
closed network may use some all the same, say for its proxy to the package registries. The lab
leaves those alone: no instance gets one, and packets to and from them go where they went before.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from pip._internal.models.index import PyPI

from tests.lab import names

# An A record in an answer: type A, class IN, time to live, four bytes of address.
A_RECORD = re.compile(rb"\x00\x01\x00\x01.{4}\x00\x04(.{4})", re.S)


def addresses() -> set[str]:
    """Give those that the controller's package clients, proxies and resolvers have."""
    found = set(re.findall(r"^nameserver\s+(\S+)", Path("/etc/resolv.conf").read_text(), re.M))
    for host in _hosts():
        try:
            found.update(str(info[4][0]) for info in socket.getaddrinfo(host, 80, socket.AF_INET))
        except OSError:
            continue
    return {address for address in found if _in_range(address)}


def in_answer(message: bytes) -> set[str]:
    """Give those that a DNS answer names."""
    found = {str(ipaddress.IPv4Address(address)) for address in A_RECORD.findall(message)}
    return {address for address in found if _in_range(address)}


def _in_range(address: str) -> bool:
    try:
        return ipaddress.ip_address(address) in names.PUBLIC_RANGE
    except ValueError:
        return False


def _hosts() -> set[str]:
    """Give the hosts that apt, pip, npm and the environment name, as they are set up here."""
    urls = [PyPI.simple_url, f"https://{PyPI.file_storage_domain}/"]
    urls += [value for key, value in os.environ.items() if key.lower().endswith("_proxy")]
    for client in (("pip", "config", "list"), ("npm", "config", "get", "registry")):
        if shutil.which(client[0]):
            text = subprocess.run(client, capture_output=True, text=True, check=False).stdout
            urls += re.findall(r"https?://[^\s'\"]+", text)
    sources = Path("/etc/apt")
    for file in [sources / "sources.list", *sources.glob("sources.list.d/*")]:
        if file.is_file():
            urls += re.findall(r"^[^#\n]*?(https?://[^\s\]]+)", file.read_text(), re.M)
    hosts = (urlsplit(url if "//" in url else f"//{url}").hostname for url in urls)
    return {host for host in hosts if host}
