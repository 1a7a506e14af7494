"""Who asks: the address of a client, through the proxies that are trusted to tell it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
IPV6_PREFIX = 64
"""What one household or machine has of IPv6: it counts as one client."""


def address(environ: Mapping[str, str], trusted: Sequence[Network]) -> str:
    """Return the address of the client of a WSGI request, for IPv6 that of its network.

    Of X-Forwarded-For only the last entry is taken, the one that the proxy itself wrote, and only
    when the connection comes from a trusted proxy; all before it may be invented.
    """
    peer = environ.get("REMOTE_ADDR", "")
    forwarded = environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    if forwarded and any(_parse(peer) in network for network in trusted):
        peer = forwarded
    found = _parse(peer)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(found), IPV6_PREFIX), strict=False))
    return str(found)


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return ipaddress.IPv4Address(0)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
