"""The lab's one process: holds the AWS API and keeps machines and packets equal to what it says."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.lab import (
    anaconda,
    api,
    aws,
    cleanup,
    dns,
    image,
    lock,
    metadata,
    names,
    proxy,
    reading,
    userdata,
    web,
)
from tests.lab.machine import Machine, Plan
from tests.lab.model import Network
from tests.lab.network import Fabric

WANTED = {
    "pending": "running",
    "running": "running",
    "stopping": "stopped",
    "stopped": "stopped",
    "shutting-down": "terminated",
}


def log(text: str) -> None:
    """Write a line to the lab's log."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


class Lab:
    """Machines and network behind the API. Every method that changes something holds the lock."""

    def __init__(self, image_directory: Path, lab_key: str) -> None:
        self.lock = threading.RLock()
        self.machines: dict[str, Machine] = {}
        self.fabric = Fabric()
        self.network = Network()
        self._image, self._lab_key = image_directory, lab_key

    def reconcile(self, cause: str) -> None:
        """Make packets and machines follow the API's state."""
        with self.lock:
            log(cause)
            try:
                self._refuse_twins(reading.read())
                self.network = reading.read()
                self.fabric.apply(self.network)
            except Exception as error:  # the API's answer stands; the log tells why packets do not
                log(f"network: {type(error).__name__}: {error}")
            for instance in aws.instances():
                if instance.state != "terminated" or instance.id in self.machines:
                    try:
                        self._follow(instance)
                    except Exception as error:  # one instance's trouble is not the others'
                        self._failed(instance, f"{type(error).__name__}: {error}")
                        aws.bury(instance)

    def leave_alone(self, addresses: set[str]) -> None:
        """Keep the lab off addresses that turn out to be real hosts'."""
        if not addresses <= self.fabric.real:
            with self.lock:
                log(f"real hosts have {', '.join(sorted(addresses))}: not the lab's")
                self.fabric.leave_alone(addresses)

    def console(self, instance_id: str) -> bytes:
        """Give an instance's console output."""
        machine = self.machines.get(instance_id)
        return machine.console() if machine else b""

    def instance_at(self, private: str) -> aws.Instance | None:
        """Give the instance that has a private address."""
        ids = {host.id for host in self.network.hosts if host.private == private}
        return next((i for i in aws.instances() if i.id in ids), None)

    def reboot(self, instance_id: str) -> None:
        """Shut an instance's machine down and boot it again."""
        log(f"{instance_id} reboots")
        self.machines[instance_id].reboot()

    def _refuse_twins(self, network: Network) -> None:
        """Fail new instances whose private address one in another VPC has: there is one router."""
        holders = {host.private: host.id for host in network.hosts if host.id in self.machines}
        hosts = {host.id: host.private for host in network.hosts}
        for instance in aws.instances():
            private = hosts.get(instance.id)
            if private and (holder := holders.setdefault(private, instance.id)) != instance.id:
                reason = f"{holder} of another VPC has its private address {private}"
                self._failed(instance, f"{reason}; in the lab they must differ")
                aws.bury(instance)

    def _follow(self, instance: aws.Instance) -> None:
        machine = self.machines.get(instance.id)
        if machine is None:
            host = next(host for host in self.network.hosts if host.id == instance.id)
            machine = self.machines[instance.id] = self._machine(instance, host.private)
        wanted = WANTED.get(instance.state)
        if wanted:
            machine.want(wanted)

    def _machine(self, instance: aws.Instance, private: str) -> Machine:
        plan = Plan(
            id=instance.id,
            private=private,
            login=aws.login(instance),
            authorized_keys=aws.public_key(instance) + self._lab_key,
            user_data=userdata.to_script(aws.user_data(instance)),
            memory_bytes=aws.memory_bytes(instance),
            disk_bytes=aws.disk_bytes(instance),
            region=instance.region_name,
            image=self._image,
        )
        return Machine(
            plan,
            lambda state: self._report(instance, state),
            lambda reason: self._failed(instance, reason),
        )

    def _report(self, instance: aws.Instance, state: str) -> None:
        with self.lock:
            expected = WANTED.get(instance.state)
            if state == "terminated":
                self.machines.pop(instance.id, None)
                aws.bury(instance)
            elif state == expected:
                aws.set_state(instance, state)
            elif state == "stopped" and expected == "running":
                self._powered_off(instance)
            self.reconcile(f"{instance.id} is {instance.state}")

    def _powered_off(self, instance: aws.Instance) -> None:
        if instance.instance_initiated_shutdown_behavior == "terminate":
            instance.terminate()
        else:
            instance.stop()
            aws.set_state(instance, "stopped")

    def _failed(self, instance: aws.Instance, reason: str) -> None:
        log(f"{instance.id} failed: {reason}")
        with self.lock:
            aws.give_reason(instance, reason)


def lab_key() -> str:
    """Make the lab's own key pair; give the public key as a line."""
    for file in (names.LAB_KEY, names.LAB_KEY.with_suffix(".pub")):
        file.unlink(missing_ok=True)
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "mnistlab", "-f", names.LAB_KEY],
        check=True,
    )
    return names.LAB_KEY.with_suffix(".pub").read_text()


def write_env(port: int, installer: bytes) -> None:
    """Write .lab/env, which points AWS clients and playbooks at the lab."""
    settings = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": names.ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": names.SECRET_KEY,
        "AWS_REGION": names.REGION,
        "AWS_DEFAULT_REGION": names.REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "MNIST_SSH_DIR": str(names.SSH),
        **web.environment(installer),
    }
    lines = [
        "# The lab's environment: source .lab/env",
        *(f"export {key}={value}" for key, value in settings.items()),
        f"export PATH={names.REPOSITORY}/.venv/bin:$PATH",
        "unset AWS_PROFILE AWS_SESSION_TOKEN",
    ]
    partial = names.ENV.with_suffix(".partial")
    partial.write_text("\n".join(lines) + "\n")
    partial.rename(names.ENV)


def main(say: Callable[[str], None]) -> None:
    """Run the lab until it is told to end. `say` tells progress; "ready" is the last word."""
    os.umask(0o022)
    held = lock.hold()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    lab = None
    try:
        cleanup.sweep()
        cleanup.forget()
        image_directory = image.ensure(say)
        say("starting the network and the AWS API")
        installer = anaconda.installer()
        lab = Lab(image_directory, lab_key())
        lab.fabric.build()
        aws.not_ours = lab.fabric.real
        dns.serve(lab.leave_alone)
        metadata.serve(lab.instance_at)
        web.serve(installer)
        proxy.serve(lambda: proxy.frontend(lab.network))
        aws.install(lab.console, lab.reboot)
        server = api.serve(api.Api(lab.lock, lab.reconcile))
        write_env(server.port, installer)
        say("ready")
        log(f"ready: AWS API at http://127.0.0.1:{server.port}")
        while True:
            signal.pause()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with lab.lock if lab else contextlib.nullcontext():  # nobody starts anything any more
            cleanup.sweep()
            cleanup.forget()
        held.close()
