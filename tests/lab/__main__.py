"""The lab's command line: python -m tests.lab up|down|status|free|env|ssh HOST|console HOST."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable

from tests.lab import control, lock
from tests.lab.names import LabError

TOOLS = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "nft": "nftables",
    "ip": "iproute2",
    "ssh-keygen": "openssh-client",
}


def check_machine() -> None:
    """Raise LabError where the lab cannot work."""
    if sys.platform != "linux":
        raise LabError("The lab needs Linux; `make demo` and TARGET=aws work everywhere.")
    if os.geteuid() != 0:
        raise LabError("The lab needs root (machines, network namespaces); `make demo` does not.")
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    if missing:
        raise LabError(f"The lab needs Debian packages: apt-get install {' '.join(missing)}")


def main() -> int:
    """Run one command; 1 and one sentence on the standard error stream if it fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    helps = {
        "up": "start the lab (does nothing if it runs already)",
        "down": "remove the lab and everything of it",
        "status": "list the machines",
        "free": "fail if a lab is running, whoever's it is",
        "env": "print the environment that points AWS clients at the lab",
    }
    for name, text in helps.items():
        commands.add_parser(name, help=text)
    for name, text in {
        "ssh": "log in to a machine, from the router",
        "console": "print a machine's console",
    }.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("host", help="name tag or instance id")
        if name == "ssh":
            command.add_argument("remote", nargs=argparse.REMAINDER, help="a command to run there")
    commands.add_parser("daemon")
    arguments = parser.parse_args()
    actions: dict[str, Callable[[], int | None]] = {
        "up": control.up,
        "down": control.down,
        "status": control.status,
        "free": lock.check_free,
        "env": lambda: print(control.environment_text(), end=""),
        "ssh": lambda: control.ssh(arguments.host, arguments.remote),
        "console": lambda: control.console(arguments.host),
        "daemon": control.daemon,
    }
    try:
        check_machine()
        return actions[arguments.command]() or 0
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
