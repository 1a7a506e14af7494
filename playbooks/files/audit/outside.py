"""What the controller sees of the hosts from outside: ports, answers, and SSH."""

from __future__ import annotations

import asyncio
import http.client
import ssl
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SECONDS = 2.0
"""Until a port counts as closed: a security group drops what it does not let in."""
TOGETHER = 700
"""Ports asked at the same time; each needs a file descriptor."""


def port_numbers(ranges: Iterable[str | int]) -> list[int]:
    """Spell out ports and ranges of them (`8888-8898`)."""
    ports: list[int] = []
    for one in map(str, ranges):
        first, _, last = one.partition("-")
        ports += range(int(first), int(last or first) + 1)
    return ports


def open_ports(addresses: dict[str, str], ports: list[int]) -> dict[str, list[str]]:
    """Return by name the TCP ports that a packet comes through to, answered or refused."""

    async def one(places: asyncio.Semaphore, address: str, port: int) -> bool:
        async with places:
            try:
                connecting = asyncio.open_connection(address, port)
                _, writer = await asyncio.wait_for(connecting, SECONDS)
            except ConnectionRefusedError:
                return True
            except OSError:  # a timeout, too
                return False
            writer.close()
            return True

    async def everything() -> dict[str, list[str]]:
        places = asyncio.Semaphore(TOGETHER)
        asked = [(each, port) for each in addresses for port in ports]
        answers = await asyncio.gather(*(one(places, addresses[e], port) for e, port in asked))
        found: dict[str, list[str]] = {each: [] for each in addresses}
        for (each, port), reached in zip(asked, answers, strict=True):
            if reached:
                found[each].append(str(port))
        return found

    return asyncio.run(everything())


def answers(origin: tuple[str, str, int], paths: list[str], ca_file: str) -> dict[str, Any]:
    """Ask for each path; return its status and headers. origin: scheme, host, port."""
    scheme, host, port = origin
    found: dict[str, Any] = {}
    for path in paths:
        if scheme == "https":
            context = ssl.create_default_context(cafile=ca_file or None)
            connection = http.client.HTTPSConnection(host, port, timeout=10, context=context)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            found[path] = {"status": response.status, "headers": dict(response.getheaders())}
        except OSError as error:
            found[path] = {"status": f"no answer ({error})", "headers": {}}
        finally:
            connection.close()
    return found


def ssh_audit(program: Path, address: str, policy: str) -> str:
    """Return `passes`, or what the policy finds wrong."""
    command = [program, "--no-colors", "-P", policy, address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == 0:
        return "passes"
    wrong = [line.strip() for line in done.stdout.splitlines() if line.strip().startswith("*")]
    return "; ".join(wrong) or (done.stdout + done.stderr).strip() or "fails"
