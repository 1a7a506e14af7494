"""The lab as a whole: it comes up once, refuses what would clash, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab import cleanup, control, lock, machine, names
from tests.lab.world import World, tcp, wait_until

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("no_lab")]


def lab(command: str, checkout: Path = names.REPOSITORY) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.lab", command],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )


def start(command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.lab", command],
        cwd=names.REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def kill_daemon() -> None:
    running = lock.owner()
    assert running
    os.kill(running[0], signal.SIGKILL)
    wait_until("the lock is free", lambda: lock.owner() is None, 5)


def traces() -> dict[str, object]:
    """Everything of this machine that a lab touches."""

    def output(*command: str) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    links = output("ip", "-o", "link").splitlines()
    return {
        "namespaces": output("ip", "netns", "list"),
        "links": sorted(line.split(": ")[1] for line in links),
        "routes": output("ip", "-4", "route"),
        "tables": output("nft", "list", "tables"),
        "mounts": sorted(Path("/proc/mounts").read_text().splitlines()),
        "forwarding": Path("/proc/sys/net/ipv4/ip_forward").read_text(),
        "machines": machine.processes(),
        "state": names.STATE.exists(),
        "cgroups": [str(p) for p in Path("/sys/fs/cgroup").glob(f"**/{names.PREFIX}*")],
        "environment": names.ENV.exists(),
    }


def test_up_runs_machines_and_a_killed_lab_is_cleaned_away(tmp_path: Path) -> None:
    before = traces()
    up = lab("up")
    assert up.returncode == 0, up.stderr
    again = lab("up")
    assert (again.returncode, again.stdout) == (0, "lab: is up already\n")
    world = World(control.environment(), tmp_path)
    world.run("host", world.group("ssh", tcp(22, "0.0.0.0/0")), public=True)
    world.know("host")
    world.ssh("host", "true")
    kill_daemon()
    assert machine.processes()
    assert cleanup.remains()
    down = lab("down")
    assert down.returncode == 0, down.stderr
    assert traces() == before


@pytest.mark.parametrize("seconds", [0.3, 1.0, 1.6, 2.2, 2.8])
def test_killed_while_it_starts(seconds: float) -> None:
    before = traces()
    starting = start("up")
    time.sleep(seconds)
    if lock.owner():
        kill_daemon()
    starting.kill()
    starting.communicate()
    for process in daemons():  # one that had not come to the lock yet
        os.kill(process, signal.SIGKILL)
    assert lab("down").returncode == 0
    assert traces() == before


def daemons() -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if arguments[1:4] == [b"-m", b"tests.lab", b"daemon"]:
            found.append(int(process.name))
    return found


def test_after_a_crash_the_next_lab_starts_on_clean_ground() -> None:
    assert lab("up").returncode == 0
    kill_daemon()
    up = lab("up")
    assert up.returncode == 0, up.stderr
    assert "up after" in up.stdout


def test_interrupted_it_takes_away_what_it_had_begun() -> None:
    before = traces()
    starting = start("up")
    assert starting.stdout
    assert "the network" in next(line for line in starting.stdout if "building" not in line)
    starting.send_signal(signal.SIGINT)
    starting.communicate(timeout=20)
    assert starting.returncode == 130
    wait_until("the lab's end", lambda: lock.owner() is None, 10)
    assert traces() == before


def test_a_second_lab_is_refused_in_one_sentence(tmp_path: Path) -> None:
    shutil.copytree(
        names.REPOSITORY / "tests/lab",
        tmp_path / "tests/lab",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    assert lab("up").returncode == 0
    for command in ("up", "down", "free"):
        refused = lab(command, tmp_path)
        assert refused.returncode == 1
        assert len(refused.stderr.splitlines()) == 1
        assert refused.stderr.startswith(f"lab: the lab of {names.REPOSITORY} is running")
    assert lock.owner()
    assert lab("free").stderr == refused.stderr


def test_a_busy_address_range_is_told_and_nothing_is_changed() -> None:
    subprocess.run(["ip", "route", "add", "203.0.113.128/25", "dev", "lo"], check=True)
    try:
        before = traces()
        refused = lab("up")
        assert traces() == before
    finally:
        subprocess.run(["ip", "route", "del", "203.0.113.128/25", "dev", "lo"], check=True)
    assert refused.returncode == 1
    (sentence,) = refused.stderr.splitlines()
    assert "203.0.113.128/25" in sentence


def test_a_busy_page_port_is_told_and_nothing_is_changed() -> None:
    before = traces()
    with socket.create_server(("127.0.0.1", names.PAGE_PORT)):
        refused = lab("up")
    assert refused.returncode == 1
    (sentence,) = refused.stderr.splitlines()
    assert str(names.PAGE_PORT) in sentence
    assert traces() == before


def test_without_a_lab_the_commands_say_so() -> None:
    assert lab("down").returncode == 0
    for command in ("status", "env"):
        told = lab(command)
        assert (told.returncode, len(told.stderr.splitlines())) == (1, 1)
        assert "is not up" in told.stderr
