"""A small world on the lab by plain AWS calls: what the tests of the lab and its benchmark build.

bastion, web (public subnet) ── internet gateway        nat (public subnet, instance)
app, db (private subnet, no public address)
"""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3

AL2023 = ("137112412989", "al2023-ami-2023.*-x86_64")
UBUNTU = ("099720109477", "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*")
ANYWHERE = "0.0.0.0/0"
HOST_KEYS = re.compile(
    r"-----BEGIN SSH HOST KEY KEYS-----\s+(.*?)-----END SSH HOST KEY KEYS-----", re.S
)
# What a machine that forwards for others does; a NAT instance's user data on AWS, too.
MASQUERADE = """#!/bin/sh
sysctl -w net.ipv4.ip_forward=1
nft -f - <<'EOF'
table ip nat {
  chain post {
    type nat hook postrouting priority srcnat
    oifname "eth0" masquerade
  }
}
EOF
"""


def wait_until(what: str, test: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Give the first true answer of `test`; AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := test()):
        assert time.monotonic() < deadline, f"waited {seconds} s for: {what}"
        time.sleep(0.1)
    return answer


def tcp(port: int, peer: str) -> dict[str, Any]:
    """A permission for one TCP port and a range or a security group."""
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **_peer(peer)}


def everything(peer: str) -> dict[str, Any]:
    """A permission for every protocol and port."""
    return {"IpProtocol": "-1", **_peer(peer)}


def _peer(peer: str) -> dict[str, Any]:
    if peer.startswith("sg-"):
        return {"UserIdGroupPairs": [{"GroupId": peer}]}
    return {"IpRanges": [{"CidrIp": peer}]}


def controller_reaches(address: str, port: int) -> bool:
    """Tell whether this machine's packets reach a TCP port: it is answered, if only by refusal."""
    try:
        socket.create_connection((address, port), 1).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True


class World:
    """A VPC of its own with everything in it; `close` removes all of it."""

    def __init__(self, env: Mapping[str, str], directory: Path, cidr: str = "10.99.0.0/16") -> None:
        self.directory = directory
        self.ec2 = boto3.client(
            "ec2",
            endpoint_url=env["AWS_ENDPOINT_URL"],
            region_name=env["AWS_REGION"],
            aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        )
        prefix = cidr.rsplit(".", 2)[0]
        self.key_name = f"key-{directory.name}"
        self.key = directory / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        public_key = self.key.with_suffix(".pub").read_bytes()
        self.ec2.import_key_pair(KeyName=self.key_name, PublicKeyMaterial=public_key)
        self.vpc = self.ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        self.public = self._subnet(f"{prefix}.1.0/24")
        self.private = self._subnet(f"{prefix}.2.0/24")
        self.gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.vpc)
        self.public_table = self._table(self.public)
        self.private_table = self._table(self.private)
        self.ec2.create_route(
            RouteTableId=self.public_table, DestinationCidrBlock=ANYWHERE, GatewayId=self.gateway
        )
        self.groups: dict[str, str] = {}
        self.ids: dict[str, str] = {}

    def _subnet(self, cidr: str) -> str:
        subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr)["Subnet"]["SubnetId"]
        return str(subnet)

    def _table(self, subnet: str) -> str:
        table = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return str(table)

    def group(self, name: str, *ingress: dict[str, Any]) -> str:
        """Make a security group with these permissions, and every egress."""
        group = self.ec2.create_security_group(
            GroupName=f"{name}-{self.directory.name}", Description=name, VpcId=self.vpc
        )["GroupId"]
        if ingress:
            self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=list(ingress))
        self.groups[name] = group
        return str(group)

    def image(self, of: tuple[str, str]) -> str:
        """The newest image of an owner."""
        owner, name = of
        images = self.ec2.describe_images(
            Owners=[owner], Filters=[{"Name": "name", "Values": [name]}]
        )["Images"]
        return str(max(images, key=lambda image: image["CreationDate"])["ImageId"])

    def run(
        self,
        name: str,
        group: str,
        *,
        public: bool,
        of: tuple[str, str] = UBUNTU,
        user_data: str = "",
        **options: Any,
    ) -> str:
        """Run an instance; give its id at once."""
        instance = self.ec2.run_instances(
            ImageId=self.image(of),
            InstanceType=options.pop("InstanceType", "t3.micro"),
            KeyName=self.key_name,
            MinCount=1,
            MaxCount=1,
            UserData=user_data,
            NetworkInterfaces=[
                {
                    "DeviceIndex": 0,
                    "SubnetId": self.public if public else self.private,
                    "Groups": [group],
                    "AssociatePublicIpAddress": public,
                }
            ],
            TagSpecifications=[
                {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}
            ],
            **options,
        )["Instances"][0]
        self.ids[name] = instance["InstanceId"]
        return str(instance["InstanceId"])

    def describe(self, name: str) -> dict[str, Any]:
        """What the API says about an instance."""
        answer = self.ec2.describe_instances(InstanceIds=[self.ids[name]])
        instance: dict[str, Any] = answer["Reservations"][0]["Instances"][0]
        return instance

    def state(self, name: str) -> str:
        """An instance's state."""
        return str(self.describe(name)["State"]["Name"])

    def wait_for(self, name: str, state: str, seconds: float = 40.0) -> None:
        """Wait until an instance is in a state."""
        wait_until(f"{name} is {state}", lambda: self._is(name, state), seconds)

    def _is(self, name: str, state: str) -> bool:
        instance = self.describe(name)
        now = instance["State"]["Name"]
        assert now == state or now != "terminated", f"{name} failed: {instance['StateReason']}"
        return bool(now == state)

    def private_ip(self, name: str) -> str:
        """An instance's private address."""
        return str(self.describe(name)["PrivateIpAddress"])

    def public_ip(self, name: str) -> str:
        """An instance's public address."""
        return str(self.describe(name)["PublicIpAddress"])

    def console(self, name: str) -> str:
        """An instance's console output."""
        return str(self.ec2.get_console_output(InstanceId=self.ids[name]).get("Output", ""))

    def host_keys(self, name: str) -> list[str]:
        """The SSH host keys that an instance printed on its console: type and key."""

        def printed() -> list[str]:
            found = HOST_KEYS.search(self.console(name))
            lines = found[1].splitlines() if found else []
            return [" ".join(line.split()[:2]) for line in lines if line.strip()]

        return list(wait_until(f"host keys on the console of {name}", printed))

    def know(self, *hosts: str) -> None:
        """Write ssh_config and known_hosts for hosts; the first is the bastion of the others."""
        for name in hosts:
            self.wait_for(name, "running")
        known, config = [], []
        for number, name in enumerate(hosts):
            instance = self.describe(name)
            address = instance["PrivateIpAddress"] if number else instance["PublicIpAddress"]
            known += [f"{name} {key}" for key in self.host_keys(name)]
            user = "ec2-user" if instance["ImageId"] == self.image(AL2023) else "ubuntu"
            config += [f"Host {name}", f"  HostName {address}", f"  HostKeyAlias {name}"]
            config += [f"  User {user}"] + ([f"  ProxyJump {hosts[0]}"] if number else [])
        config += [
            "Host *",
            f"  IdentityFile {self.key}",
            "  IdentitiesOnly yes",
            f"  UserKnownHostsFile {self.directory}/known_hosts",
            "  StrictHostKeyChecking yes",
            "  ConnectTimeout 10",
            "  ConnectionAttempts 20",
            "  LogLevel ERROR",
        ]
        (self.directory / "known_hosts").write_text("\n".join(known) + "\n")
        (self.directory / "ssh_config").write_text("\n".join(config) + "\n")

    def ssh(self, name: str, command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command on a host by real SSH."""
        done = subprocess.run(
            ["ssh", "-F", self.directory / "ssh_config", name, command],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, f"{name}: {command}: {done.stderr}{done.stdout}"
        return done

    def reaches(self, source: str, address: str, port: int = 5000) -> bool:
        """Tell whether a host's packets reach a TCP port: it is answered, if only by a refusal."""
        done = self.ssh(source, f"nc -z -v -w 1 {address} {port}", check=False)
        return done.returncode == 0 or "refused" in done.stderr

    def seen_as(self, source: str, url: str) -> str:
        """The address as which a host is seen outside; empty if it does not get there."""
        return self.ssh(source, f"curl -s -m 2 {url}", check=False).stdout.strip()

    def allow(self, group: str, *permissions: dict[str, Any]) -> None:
        """Add permissions to a security group's ingress."""
        self.ec2.authorize_security_group_ingress(
            GroupId=self.groups[group], IpPermissions=list(permissions)
        )

    def forbid(self, group: str, *permissions: dict[str, Any]) -> None:
        """Take permissions out of a security group's ingress."""
        self.ec2.revoke_security_group_ingress(
            GroupId=self.groups[group], IpPermissions=list(permissions)
        )

    def close(self) -> None:
        """Remove everything of this world."""
        if self.ids:
            self.ec2.terminate_instances(InstanceIds=list(self.ids.values()))
            for name in self.ids:
                self.wait_for(name, "terminated")
        self._remove_groups()
        self._remove_network()

    def _remove_groups(self) -> None:
        for group in self.groups.values():
            permissions = self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
            if permissions["IpPermissions"]:
                self.ec2.revoke_security_group_ingress(
                    GroupId=group, IpPermissions=permissions["IpPermissions"]
                )
        for group in self.groups.values():
            self.ec2.delete_security_group(GroupId=group)

    def _remove_network(self) -> None:
        self.ec2.detach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.vpc)
        self.ec2.delete_internet_gateway(InternetGatewayId=self.gateway)
        for table in (self.public_table, self.private_table):
            associations = self.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]
            for association in associations["Associations"]:
                self.ec2.disassociate_route_table(
                    AssociationId=association["RouteTableAssociationId"]
                )
            self.ec2.delete_route_table(RouteTableId=table)
        for subnet in (self.public, self.private):
            self.ec2.delete_subnet(SubnetId=subnet)
        self.ec2.delete_vpc(VpcId=self.vpc)
        self.ec2.delete_key_pair(KeyName=self.key_name)
