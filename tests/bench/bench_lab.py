"""Figures of the lab: python -m tests.bench.bench_lab [rounds]. Needs root and no running lab.

| figure | from | to | goal |
|---|---|---|---|
| image | nothing cached | root file system ready | 60 s |
| up | command | AWS API answers | - |
| six machines | RunInstances | the sixth SSH banner | 15 s |
| down | command, six machines running | nothing left | 10 s |
"""

from __future__ import annotations

import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.harness import lab, measured_on, refuse_another_lab
from tests.lab import control, image, names
from tests.lab.world import UBUNTU, World, tcp

MACHINES = 6
GOALS = {"image": 60.0, "up": None, "six machines": 15.0, "down": 10.0}


def main() -> int:
    """Measure, print a table; 1 if a goal is missed."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    refuse_another_lab()
    times: dict[str, list[float]] = {figure: [] for figure in GOALS}
    times["image"].append(timed(build_image))
    for _ in range(rounds):
        times["up"].append(timed(lambda: lab("up")))
        with tempfile.TemporaryDirectory() as directory:
            times["six machines"].append(run_machines(Path(directory)))
        times["down"].append(timed(lambda: lab("down")))
    print(f"{measured_on()}\n")
    print("| figure | n | median | min | max | goal |\n|---|---|---|---|---|---|")
    missed = False
    for figure, seconds in times.items():
        goal = GOALS[figure]
        missed = missed or (goal is not None and max(seconds) > goal)
        spread = f"{min(seconds):.1f} s | {max(seconds):.1f} s"
        told = f"{goal:.0f} s" if goal else ""
        median = statistics.median(seconds)
        print(f"| {figure} | {len(seconds)} | {median:.1f} s | {spread} | {told} |")
    return int(missed)


def timed(action: Callable[[], Any]) -> float:
    """Seconds that an action takes."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


@contextmanager
def empty_cache() -> Iterator[None]:
    """An empty cache beside the real one, which stays as it is."""
    real, names.CACHE = names.CACHE, names.CACHE.with_name("mnist-lab-bench")
    try:
        yield
    finally:
        shutil.rmtree(names.CACHE, ignore_errors=True)
        names.CACHE = real


def build_image() -> None:
    """Build the image from nothing."""
    with empty_cache():
        image.ensure(lambda _: None)


def run_machines(directory: Path) -> float:
    """Seconds from RunInstances until six machines have sent their SSH banner."""
    world = World(control.environment(), directory)
    group = world.group("ssh", tcp(22, f"{names.CONTROLLER_ADDRESS}/32"))
    nic = {
        "DeviceIndex": 0,
        "SubnetId": world.public,
        "Groups": [group],
        "AssociatePublicIpAddress": True,
    }
    begin = time.perf_counter()
    instances = world.ec2.run_instances(
        ImageId=world.image(UBUNTU),
        InstanceType="t3.micro",
        KeyName=world.key_name,
        MinCount=MACHINES,
        MaxCount=MACHINES,
        NetworkInterfaces=[nic],
    )["Instances"]
    for instance in instances:
        address = world.ec2.describe_instances(InstanceIds=[instance["InstanceId"]])
        banner(address["Reservations"][0]["Instances"][0]["PublicIpAddress"])
    return time.perf_counter() - begin


def banner(address: str) -> None:
    """Wait until a host's SSH server introduces itself."""
    while True:
        try:
            with socket.create_connection((address, 22), 0.5) as connection:
                if connection.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
