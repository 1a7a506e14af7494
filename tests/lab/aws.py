"""The AWS API: moto in this process, changed where real machines stand behind it.

What moto invents is replaced: public addresses come from the lab's range, an instance's state is
its machine's state, console output is the machine's, and a few rules of EC2 hold that moto leaves
out (states in which a call is refused, addresses that go with the instance).
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterator
from typing import Any

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends, elastic_ip_addresses, elastic_network_interfaces
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.models.instances import Instance, InstanceBackend, StateReason
from moto.ec2.models.nat_gateways import NatGatewayBackend
from moto.ec2.responses.general import General

from tests.lab import names

STATES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}
CONSOLE_BYTES = 64 * 1024  # GetConsoleOutput gives the last 64 KiB
LOGINS = {"137112412989": "ec2-user", "099720109477": "ubuntu"}  # by the image's owner


def backends() -> Iterator[Any]:
    """EC2's state in every region that a client has asked for."""
    for account in list(ec2_backends.values()):
        yield from list(account.values())


def set_state(instance: Instance, state: str) -> None:
    """Set an instance's state by its name."""
    instance._state.name, instance._state.code = state, STATES[state]


def give_reason(instance: Instance, reason: str) -> None:
    """Say in an instance's state reason why it could not run."""
    code = "Server.InternalError"
    instance.state_reason = StateReason(f"{code}: {reason}", code)


def bury(instance: Instance) -> None:
    """End an instance in the API; a reason that it has stays."""
    reason = instance.state_reason
    instance.terminate()
    set_state(instance, "terminated")
    if reason.code == "Server.InternalError":
        instance.state_reason = reason


def instances() -> list[Instance]:
    """Every instance, also the terminated."""
    return [instance for backend in backends() for instance in backend.all_instances()]


def login(instance: Instance) -> str:
    """The user whom an instance's image lets in."""
    image = instance.ec2_backend.describe_images(ami_ids=[instance.image_id])[0]
    return LOGINS[image.owner_id]


def memory_bytes(instance: Instance) -> int:
    """The memory of an instance's type."""
    return int(INSTANCE_TYPES[instance.instance_type]["MemoryInfo"]["SizeInMiB"]) * 1024 * 1024


def disk_bytes(instance: Instance) -> int:
    """The size of an instance's root volume; the images' own 8 GiB if none was asked for."""
    device = instance.block_device_mapping.get(instance.root_device_name)
    volume = instance.ec2_backend.volumes.get(device.volume_id) if device else None
    return int((volume and volume.size) or 8) * 2**30


def public_key(instance: Instance) -> str:
    """The key pair's public key in OpenSSH's format; empty without a key pair."""
    pair = instance.ec2_backend.key_pairs.get(instance.key_name)
    return f"{pair.public_key.strip()}\n" if pair else ""


def user_data(instance: Instance) -> bytes:
    """An instance's user data, decoded."""
    return base64.b64decode(instance.user_data.as_bytes()) if instance.user_data else b""


not_ours: set[str] = set()  # addresses of the public range that real hosts have


def take_address() -> str:
    """Give a public address that nobody has, at random as AWS does."""
    taken = set(not_ours)
    for backend in backends():
        taken.update(eni.public_ip for eni in backend.enis.values())
        taken.update(address.public_ip for address in backend.addresses)
    free = [address for address in names.PUBLIC_ADDRESSES if address not in taken]
    if not free:
        raise EC2ClientError(
            "InsufficientFreeAddresses",
            f"The lab's {len(names.PUBLIC_ADDRESSES)} public addresses are all in use.",
        )
    return random.choice(free)  # noqa: S311


def install(console: Callable[[str], bytes], reboot: Callable[[str], None]) -> None:
    """Put the lab behind moto. `console` and `reboot` are called with an instance's id."""
    elastic_network_interfaces.random_public_ip = take_address
    elastic_ip_addresses.random_ip = take_address
    _patch_instances(reboot)
    _patch_addresses()

    def get_console_output(self: General) -> ActionResult:
        instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        output = base64.b64encode(console(instance.id)[-CONSOLE_BYTES:])
        return ActionResult(
            {
                "InstanceId": instance.id,
                "Timestamp": utcnow(),
                "Output": Base64EncodedString.from_encoded_bytes(output),
            }
        )

    General.get_console_output = get_console_output


def _patch_instances(reboot: Callable[[str], None]) -> None:
    create, terminate = Instance.__init__, Instance.terminate
    set_groups = InstanceBackend.modify_instance_security_groups

    def created(self: Instance, *args: Any, **kwargs: Any) -> None:
        create(self, *args, **kwargs)
        set_state(self, "pending")
        asked = {str(nic.get("DeviceIndex")): nic for nic in kwargs.get("nics") or []}
        if asked.get("0", {}).get("DeleteOnTermination") is None and self.nics:
            self.nics[0].delete_on_termination = True

    def started(self: Instance) -> Any:
        before = _allowed(self, "stopped", "pending", "running")
        if before.name == "stopped":
            for nic in self.nics.values():
                nic.start()
            set_state(self, "pending")
            self.launch_time = utcnow()
            self._reason, self.state_reason = "", StateReason()
        return before

    def stopped(self: Instance) -> Any:
        before = _allowed(self, "running", "stopping", "stopped")
        if before.name == "running":
            for nic in self.nics.values():
                nic.stop()
            set_state(self, "stopping")
            _by_user(self)
        return before

    def terminated(self: Instance) -> Any:
        before = _copy(self._state)
        if before.name in ("terminated", "shutting-down"):
            return before
        for address in self.ec2_backend.addresses:
            if address.eni in self.nics.values():
                self.ec2_backend.disassociate_address(address=address.public_ip)
        terminate(self)
        set_state(self, "shutting-down")
        return before

    def rebooted(self: Instance) -> None:
        _allowed(self, "running", "pending")
        reboot(self.id)

    def regrouped(self: Any, instance_id: str, group_ids: list[str]) -> Instance:
        instance = set_groups(self, instance_id, group_ids)
        instance.nics[0]._group_set = list(instance.security_groups)
        return instance

    Instance.__init__, Instance.terminate = created, terminated
    Instance.start, Instance.stop, Instance.reboot = started, stopped, rebooted
    InstanceBackend.modify_instance_security_groups = regrouped


def _patch_addresses() -> None:
    delete_nat_gateway = NatGatewayBackend.delete_nat_gateway

    def has_elastic_address(nic: NetworkInterface) -> bool:
        return any(address.eni is nic for address in nic.ec2_backend.addresses)

    def lose_address(self: NetworkInterface) -> None:
        if self.public_ip_auto_assign and not has_elastic_address(self):
            self.public_ip = None

    def get_address(self: NetworkInterface) -> None:
        if str(self.public_ip_auto_assign).lower() == "true" and not self.public_ip:
            self.public_ip = take_address()

    def deleted(self: Any, nat_gateway_id: str) -> Any:
        gateway = delete_nat_gateway(self, nat_gateway_id)
        for address in self.addresses:
            if address.eni is gateway._eni:
                self.disassociate_address(address=address.public_ip)
        self.enis.pop(gateway._eni.id, None)
        return gateway

    NetworkInterface.stop = lose_address
    NetworkInterface.check_auto_public_ip = get_address
    NatGatewayBackend.delete_nat_gateway = deleted


def _allowed(instance: Instance, *states: str) -> Any:
    if instance.state not in states:
        raise EC2ClientError(
            "IncorrectInstanceState",
            f"The instance '{instance.id}' is not in a state from which this can be done: "
            f"it is {instance.state}.",
        )
    return _copy(instance._state)


def _copy(state: Any) -> Any:
    return type(state)(state.name, state.code)


def _by_user(instance: Instance) -> None:
    instance._reason = f"User initiated ({utcnow():%Y-%m-%d %H:%M:%S UTC})"
    instance.state_reason = StateReason(
        "Client.UserInitiatedShutdown: User initiated shutdown", "Client.UserInitiatedShutdown"
    )
