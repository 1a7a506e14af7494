"""Calls to the system's tools, with errors that can be read."""

from __future__ import annotations

import ctypes
import os
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.lab.names import LabError

CLONE_NEWNET = 0x40000000


def run(*command: str, text: str | None = None, check: bool = True) -> str:
    """Run a command with `text` as its input and give its output; LabError if it fails.

    What failed stands in full on the standard error stream, which is the daemon's log.
    """
    done = subprocess.run(
        command,
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if check and done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        print("\n".join([shlex.join(command), text or "", *lines]), file=sys.stderr, flush=True)
        raise LabError(f"`{shlex.join(command)}` failed: {(lines or ['no output'])[0]}")
    return done.stdout


def ip_batch(lines: Iterable[str], namespace: str | None = None, *, force: bool = False) -> None:
    """Run several `ip` commands at once, in a network namespace; with `force` ignore failures."""
    text = "".join(f"{line}\n" for line in lines)
    if text:
        where = ["-n", namespace] if namespace else []
        forced = ["-force"] if force else []
        run("ip", *where, *forced, "-batch", "-", text=text, check=not force)


def nft(ruleset: str, namespace: str | None = None) -> None:
    """Apply a ruleset in one transaction."""
    inside = ["ip", "netns", "exec", namespace] if namespace else []
    run(*inside, "nft", "-f", "-", text=ruleset)


def set_sysctl(settings: dict[str, str], namespace: str) -> None:
    """Set kernel variables of a network namespace; those that this kernel lacks are left out."""
    script = "".join(
        f"[ ! -e /proc/sys/{key} ] || echo {value} > /proc/sys/{key}\n"
        for key, value in settings.items()
    )
    run("nsenter", f"--net=/run/netns/{namespace}", "sh", "-e", text=script)


def in_namespace(namespace: str, make: Callable[[], socket.socket]) -> socket.socket:
    """Make a socket inside a network namespace: it stays there, whoever uses it."""
    result: list[socket.socket | OSError] = []

    def enter() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        with Path(f"/run/netns/{namespace}").open() as handle:
            if libc.setns(handle.fileno(), CLONE_NEWNET):
                result.append(OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno())))
                return
        try:
            result.append(make())
        except OSError as error:
            result.append(error)

    thread = threading.Thread(target=enter)  # only this thread changes its namespace, and it ends
    thread.start()
    thread.join()
    if isinstance(result[0], OSError):
        raise result[0]
    return result[0]
