"""Takes away everything that a lab left on this machine, whoever started it and however it ended.

Nothing is remembered from the lab's run: its things are recognised by their names.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time
from pathlib import Path

from tests.lab import cgroups, firewall, machine, names
from tests.lab.network import IP_FORWARD, REAL_ROUTES, SAVED_IP_FORWARD
from tests.lab.system import run

NAMESPACES = Path("/run/netns")
NSPAWN_LEFTOVERS = Path("/run/systemd/nspawn/propagate")


def sweep() -> None:
    """Remove machines, namespaces, links, rules, mounts, cgroups and files of the lab."""
    # Machines first, the network after them: their closing connections tell the other ends.
    machine.kill()
    _kill_image_builds()
    for namespace in _namespaces():
        _empty(namespace)
        run("ip", "netns", "del", namespace, check=False)
    if str(NAMESPACES) in _mounts() and not any(NAMESPACES.iterdir()):
        run("umount", str(NAMESPACES), check=False)  # `ip netns add` mounted it on itself
    run("ip", "-4", "route", "flush", "proto", str(REAL_ROUTES), check=False)
    run("ip", "link", "del", names.OUTSIDE_LINK, check=False)
    firewall.take_back()
    run("nft", f"table ip {names.TABLE} {{ }}; delete table ip {names.TABLE}", check=False)
    _unmount(names.STATE)
    _detach_disks()
    cgroups.remove()
    for leftover in NSPAWN_LEFTOVERS.glob(f"{names.PREFIX}-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.rmtree(names.STATE, ignore_errors=True)
    for partial in names.CACHE.glob("*.partial"):
        _unmount(partial)
        shutil.rmtree(partial, ignore_errors=True)
    if SAVED_IP_FORWARD.exists():
        IP_FORWARD.write_text(SAVED_IP_FORWARD.read_text())
        SAVED_IP_FORWARD.unlink()


def forget() -> None:
    """Remove what pointed clients at the lab: its environment, its keys, ssh_config."""
    for file in (names.ENV, names.LAB_KEY, names.LAB_KEY.with_suffix(".pub")):
        file.unlink(missing_ok=True)
    shutil.rmtree(names.SSH, ignore_errors=True)


def remains() -> list[str]:
    """Say what is left of any lab; empty when this machine is clean."""
    found = [f"namespace {name}" for name in _namespaces()]
    links = json.loads(run("ip", "-json", "link", "show"))
    found += [f"link {link['ifname']}" for link in links if link["ifname"] == names.OUTSIDE_LINK]
    if run("ip", "-4", "route", "show", "proto", str(REAL_ROUTES)):
        found.append(f"routes of protocol {REAL_ROUTES}")
    tables = run("nft", "list", "tables").splitlines()
    found += [f"nft {line}" for line in tables if line.split()[-1] == names.TABLE]
    found += [f"disk {device}" for device in _disks()]
    found += [f"mount {mount}" for mount in _mounts() if mount.startswith(f"{names.STATE}/")]
    return found


def _namespaces() -> list[str]:
    lines = run("ip", "netns", "list").splitlines()
    return [name for line in lines if (name := line.split()[0]).startswith(f"{names.PREFIX}-")]


def _empty(namespace: str) -> None:
    """Kill what still runs in a namespace, such as somebody's `lab ssh`."""
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        processes = [int(p) for p in run("ip", "netns", "pids", namespace, check=False).split()]
        processes = [process for process in processes if process != os.getpid()]
        if not processes:
            return
        for process in processes:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.02)


def _kill_image_builds() -> None:
    """Kill what builds an image or runs inside a half-built one."""
    partial = [str(path) for path in names.CACHE.glob("*.partial")]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            root = str((process / "root").readlink())
        except OSError:
            continue
        if root in partial or set(partial).intersection(arguments):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process.name), signal.SIGKILL)


def _disks() -> list[str]:
    """The loop devices of the machines' disks."""
    found = []
    for file in Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):  # it was let go meanwhile
            if file.read_text().startswith(str(names.STATE)):
                found.append(f"/dev/{file.parts[3]}")
    return found


def _detach_disks() -> None:
    """Wait until the kernel has let go of the disks; it does when their last mount goes."""
    deadline = time.monotonic() + 3
    while _disks() and time.monotonic() < deadline:
        time.sleep(0.02)
    for device in _disks():
        run("losetup", "--detach", device, check=False)


def _mounts() -> list[str]:
    return [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]


def _unmount(below: Path) -> None:
    for mount in reversed(_mounts()):
        if mount.startswith(f"{below}/"):
            run("umount", "--lazy", mount, check=False)
