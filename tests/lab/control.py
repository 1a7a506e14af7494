"""What a person does with the lab: start it, end it, look at it, log in."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.lab import cleanup, lock, machine, names
from tests.lab.cgroups import memory_used
from tests.lab.names import LabError

READY = "ready"
FAILED = "failed: "
LOGIN_SECONDS = 10


def up() -> int:
    """Start the lab's daemon and wait until it is ready."""
    running = lock.owner()
    if running:
        lock.check_mine(running[1])
        while lock.owner() and not names.ENV.exists():  # it is starting
            time.sleep(0.1)
        print("lab: is up already")
        return 0
    names.WORK.mkdir(mode=0o755, exist_ok=True)
    begin = time.monotonic()
    with names.LOG.open("wb") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "tests.lab", "daemon"],
            cwd=names.REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            env=_daemon_environment(),
        )
    assert daemon.stdout is not None
    try:
        last = ""
        for line in daemon.stdout:
            last = line.decode().strip()
            if last == READY:
                print(
                    f"lab: up after {time.monotonic() - begin:.1f} s; source .lab/env", flush=True
                )
                return 0
            if not last.startswith(FAILED):
                print(f"lab: {last}", flush=True)
    except BaseException:
        daemon.terminate()
        daemon.wait()
        raise
    daemon.wait()
    if last.startswith(FAILED):
        raise LabError(last.removeprefix(FAILED))
    raise LabError(f"its process ended before it was ready; see {names.LOG}")


def _daemon_environment() -> dict[str, str]:
    """What moto reads when it is imported: the images, and to refuse what does not exist."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MOTO_"))}
    return {
        **kept,
        "MOTO_AMIS_PATH": str(Path(__file__).with_name("catalogue.json")),
        "MOTO_ENABLE_AMI_VALIDATION": "true",
        "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION": "true",
    }


def daemon() -> None:
    """Be the lab: progress goes to the standard output stream until ready, the rest to the log."""
    from tests.lab.daemon import main  # noqa: PLC0415 (moto takes a second to import)

    progress = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def say(text: str) -> None:
        try:
            print(text, file=progress, flush=True)
            if text == READY:
                progress.close()
        except (BrokenPipeError, ValueError):
            return

    try:
        main(say)
    except LabError as error:
        say(f"{FAILED}{error}")
        raise


def down() -> None:
    """End the lab, whatever state it is in, and remove everything of it."""
    begin = time.monotonic()
    running = lock.owner()
    if running:
        lock.check_mine(running[1])
        _kill(running[0])
    with lock.hold():  # so that no other lab starts meanwhile
        cleanup.sweep()
        cleanup.forget()
        left = cleanup.remains()
    if left:
        raise LabError(f"could not remove everything: {', '.join(left)}")
    print(f"lab: down after {time.monotonic() - begin:.1f} s")


def _kill(pid: int) -> None:
    """Kill the daemon: it keeps nothing, and removing is the same work for a lab that crashed."""
    if b"tests.lab" not in Path(f"/proc/{pid}/cmdline").read_bytes():
        raise LabError(f"process {pid} holds {names.LOCK} but is no lab")
    os.kill(pid, signal.SIGKILL)
    while lock.owner():
        time.sleep(0.02)


def environment_text() -> str:
    """Give .lab/env. Raises LabError if this checkout's lab does not run."""
    running = lock.owner()
    if not running or not names.ENV.exists():
        raise LabError("is not up: start it with `make up` or `python -m tests.lab up`")
    lock.check_mine(running[1])
    return names.ENV.read_text()


def environment() -> dict[str, str]:
    """Give os.environ as it is after `source .lab/env`."""
    merged = dict(os.environ)
    for line in environment_text().splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["unset"]:
            for name in words[1:]:
                merged.pop(name, None)
        elif words[:1] == ["export"]:
            key, _, value = words[1].partition("=")
            merged[key] = value.replace(f"${key}", merged.get(key, ""))
    return merged


def instances() -> list[dict[str, Any]]:
    """Give the instances that are not terminated, as DescribeInstances tells them."""
    import boto3  # noqa: PLC0415 (half a second, which `up` and `down` do not need)

    settings = environment()
    client = boto3.client(
        "ec2",
        endpoint_url=settings["AWS_ENDPOINT_URL"],
        region_name=settings["AWS_REGION"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
    )
    reservations = client.describe_instances()["Reservations"]
    found = [instance for r in reservations for instance in r["Instances"]]
    return [instance for instance in found if instance["State"]["Name"] != "terminated"]


def name_of(instance: dict[str, Any]) -> str:
    """The Name tag; empty without one."""
    return next((t["Value"] for t in instance.get("Tags", []) if t["Key"] == "Name"), "")


def find(host: str) -> dict[str, Any]:
    """Find an instance by its name tag or id."""
    known = instances()
    for instance in known:
        if host in (instance["InstanceId"], name_of(instance)):
            return instance
    listed = ", ".join(sorted(name_of(i) or i["InstanceId"] for i in known)) or "none"
    raise LabError(f"there is no machine {host}; there are: {listed}")


def status() -> None:
    """Print the machines as a table."""
    settings = environment()
    print(f"AWS API  {settings['AWS_ENDPOINT_URL']}   page  http://localhost:{names.PAGE_PORT}/")
    rows = [("NAME", "INSTANCE", "TYPE", "STATE", "PRIVATE", "PUBLIC", "UP", "MEMORY")]
    for instance in sorted(instances(), key=name_of):
        used = memory_used(names.machine_name(instance["InstanceId"]))
        rows.append(
            (
                name_of(instance) or "-",
                instance["InstanceId"],
                instance["InstanceType"],
                instance["State"]["Name"],
                instance.get("PrivateIpAddress", "-"),
                instance.get("PublicIpAddress", "-"),
                "-" if used is None else _since(instance["LaunchTime"]),
                "-" if used is None else f"{used / 2**20:.0f} MiB",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def _since(moment: datetime) -> str:
    minutes, seconds = divmod(int((datetime.now(UTC) - moment).total_seconds()), 60)
    return f"{minutes // 60}h{minutes % 60:02}m" if minutes >= 60 else f"{minutes}m{seconds:02}s"


def console_text(instance: dict[str, Any]) -> str:
    """An instance's console so far."""
    file = names.MACHINES / instance["InstanceId"] / "console.log"
    return file.read_text(errors="replace") if file.exists() else ""


def console(host: str) -> None:
    """Print a machine's console."""
    print(console_text(find(host)), end="")


def ssh(host: str, remote: list[str]) -> int:
    """Log in to a machine from the router, past its security groups, with the lab's own key."""
    instance = find(host)
    address = instance["PrivateIpAddress"]
    seed = names.MACHINES / instance["InstanceId"] / "seed/var/lib/cloud/seed/lab/instance"
    user = re.search(r"LAB_USER=(\S+)", seed.read_text() if seed.exists() else "")
    host_key = _host_key(instance["InstanceId"])
    if not user or not host_key:
        raise LabError(f"{host} has not come far enough to log in; look at its console")
    known_hosts = names.WORK / "lab_known_hosts"
    known_hosts.write_text(f"{address} {host_key}")
    options = {
        "IdentityFile": names.LAB_KEY,
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": known_hosts,
        "StrictHostKeyChecking": "yes",
        "ConnectTimeout": LOGIN_SECONDS,
        "LogLevel": "ERROR",
    }
    command = ["ip", "netns", "exec", names.ROUTER, "ssh", "-F", "none"]
    for key, value in options.items():
        command += ["-o", f"{key}={value}"]
    return subprocess.run([*command, f"{user[1]}@{address}", *remote], check=False).returncode


def _host_key(instance_id: str) -> str:
    """A machine's public host key, read through the root directory of one of its processes."""
    for process in machine.processes(names.machine_name(instance_id)):
        file = Path(f"/proc/{process}/root/etc/ssh/ssh_host_ed25519_key.pub")
        if not Path(f"/proc/{process}/root").samefile("/") and file.exists():
            return file.read_text()
    return ""
