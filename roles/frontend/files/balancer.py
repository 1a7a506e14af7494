#!/usr/bin/python3
"""Takes a member out of Apache's balancer, or puts it in again: mnist-balancer COMMAND [HOST:PORT].

status           print every member with its state, as JSON
out HOST:PORT    send it nothing new, and wait until its requests have ended; the last one that
                 works stays in
in HOST:PORT     send it requests again, and wait until it is healthy
reload           reload Apache when no connection is kept any more: it would close those that
                 are, and with them a request that has just come

Prints what it did; `changed:` comes before it if that was anything. It asks mod_proxy_balancer's
manager, which answers to this host alone, and what it sets lasts until Apache's next restart.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET
from dataclasses import asdict, dataclass
from pathlib import Path

MANAGER = Path("/etc/apache2/mnist-balancer.url")
ENDING = Path("/run/mnist-ending-connections")
KEPT_SECONDS = 5
"""Apache's KeepAliveTimeout: how long a connection is kept on which nothing comes."""
SPACE = "{http://httpd.apache.org}"
SECONDS = 30
"""How long a member's requests may take to end, and how long it may take to be healthy."""
OUT = ("Dis", "Drn", "Stop")
BROKEN = ("Err", "HcFl")


@dataclass(frozen=True)
class Member:
    """A member of the balancer. status: Apache's flags. busy: requests that it is working on."""

    address: str
    status: list[str]
    busy: int
    url: str
    balancer: str
    nonce: str

    @property
    def takes_requests(self) -> bool:
        """Whether it is sent any."""
        return not set(self.status) & {*OUT, *BROKEN}


class ManagerError(Exception):
    """The manager does not answer as it should; the text says so."""


def ask(manager: str, **fields: str) -> str:
    """Send fields to the manager, or just ask for its page."""
    body = urllib.parse.urlencode(fields).encode() if fields else None
    # It believes only what comes from its own page.
    request = urllib.request.Request(manager, body, {"Referer": manager})  # noqa: S310 - by the role
    # Its own host, by the loopback: there is nobody in between whom a certificate would rule out.
    insecure = ssl._create_unverified_context
    context = insecure() if manager.startswith("https:") else None
    with urllib.request.urlopen(request, timeout=10, context=context) as answer:  # noqa: S310
        return answer.read().decode()


def members(manager: str) -> list[Member]:
    """Ask for all members."""
    try:
        page = ET.fromstring(ask(f"{manager}?xml=1"))  # noqa: S314 - this host's own Apache
    except ET.ParseError as error:
        raise ManagerError(f"{manager} does not answer as a balancer's manager: {error}") from error
    found = []
    for balancer in page.iter(f"{SPACE}balancer"):
        for worker in balancer.iter(f"{SPACE}worker"):
            url = text(worker, "name")
            status = text(worker, "status").split()
            busy = int(text(worker, "busy") or 0)
            whose = (text(balancer, "name"), text(balancer, "nonce"))
            found.append(Member(urllib.parse.urlsplit(url).netloc, status, busy, url, *whose))
    return found


def text(parent: ET.Element, name: str) -> str:
    """Give an element's text."""
    return (parent.findtext(f"{SPACE}{name}") or "").strip()


def set_drain(manager: str, member: Member, drain: bool) -> None:
    """Let a member take no new requests, or let it take them again."""
    name = member.balancer.removeprefix("balancer://")
    off = {} if drain else {"w_status_D": "0", "w_status_S": "0"}
    flags = {"w_status_N": str(int(drain)), **off}
    ask(manager, b=name, w=member.url, nonce=member.nonce, **flags)


def find(manager: str, address: str) -> Member | None:
    """Ask for one member."""
    return next((one for one in members(manager) if one.address == address), None)


def out(manager: str, address: str) -> str:
    """Take it out."""
    everyone = members(manager)
    member = next((one for one in everyone if one.address == address), None)
    if member is None:
        return f"{address} is not in the balancer"
    others = [one for one in everyone if one.takes_requests and one.address != address]
    if not others:
        return f"{address} stays in the balancer: nobody else could answer"
    was_in = not set(member.status) & set(OUT)
    if was_in:
        set_drain(manager, member, True)
    deadline = time.monotonic() + SECONDS
    while (now := find(manager, address)) and (now.busy or not set(now.status) & set(OUT)):
        if time.monotonic() > deadline:
            # Its workers end what they have begun before they go.
            return f"changed: {address} is out of the balancer, and still busy: {now}"
        time.sleep(0.1)
    return f"{'changed: ' if was_in else ''}{address} is out of the balancer"


def back(manager: str, address: str) -> str:
    """Put it in again."""
    member = find(manager, address)
    if member is None:
        return f"{address} is not in the balancer"
    if not set(member.status) & set(OUT):
        return f"{address} is in the balancer"
    set_drain(manager, member, False)
    deadline = time.monotonic() + SECONDS
    while not (now := find(manager, address)) or not now.takes_requests:
        if time.monotonic() > deadline:
            raise ManagerError(f"{address} is in the balancer, but not healthy: {now}")
        time.sleep(0.1)
    return f"changed: {address} is in the balancer"


def reload() -> str:
    """Reload Apache without closing a connection on which a request may come."""
    ENDING.touch()
    try:
        time.sleep(KEPT_SECONDS + 1)
        subprocess.run(["systemctl", "reload-or-restart", "apache2"], check=True)
        time.sleep(1)
    finally:
        ENDING.unlink(missing_ok=True)
    return "changed: Apache is reloaded"


def told(member: Member) -> dict[str, object]:
    """Give a member as `status` prints it."""
    state = {**asdict(member), "in": member.takes_requests}
    return {name: state[name] for name in ("address", "in", "status", "busy")}


def main(command: str, *rest: str) -> int:
    """Run a command; return the exit status."""
    manager = MANAGER.read_text(encoding="utf-8").strip()
    try:
        match command:
            case "status":
                print(json.dumps([told(one) for one in members(manager)]))
            case "out":
                print(out(manager, *rest))
            case "in":
                print(back(manager, *rest))
            case "reload":
                print(reload())
            case _:
                sys.exit(__doc__)
    except urllib.error.HTTPError as error:
        sys.exit(f"The balancer's manager answers {error.code} at {manager}")
    except OSError as error:
        # Nobody is sent requests by an Apache that does not run.
        if command == "status":
            sys.exit(f"Apache does not answer at {manager}: {error}")
        print(f"Apache does not answer at {manager}: {error}")
    except ManagerError as error:
        sys.exit(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
