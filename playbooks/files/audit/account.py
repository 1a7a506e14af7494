"""What AWS says there is: security groups, subnets with their routes, instances."""

from __future__ import annotations

from typing import Any

Found = dict[str, dict[str, Any]]


class Account:
    """Reads the objects of one project in one region. Raises what boto3 raises."""

    def __init__(self, ec2: Any, project: str) -> None:
        """Read everything at once. ec2: boto3's client."""
        self._ec2 = ec2
        self._ours = [{"Name": "tag:Project", "Values": [project]}]
        vpcs = [one["VpcId"] for one in ec2.describe_vpcs(Filters=self._ours)["Vpcs"]]
        self._in_vpc = [{"Name": "vpc-id", "Values": vpcs or ["vpc-none"]}]
        self._groups = self._all("describe_security_groups", "SecurityGroups")
        self._names = {one["GroupId"]: one["GroupName"] for one in self._groups}
        alive = {
            "Name": "instance-state-name",
            "Values": ["pending", "running", "stopping", "stopped"],
        }
        reservations = ec2.get_paginator("describe_instances").paginate(
            Filters=[*self._in_vpc, alive]
        )
        self.instances = {
            name(one): one
            for page in reservations
            for each in page["Reservations"]
            for one in each["Instances"]
        }

    def _all(self, call: str, key: str) -> list[dict[str, Any]]:
        pages = self._ec2.get_paginator(call).paginate(Filters=self._in_vpc)
        return [one for page in pages for one in page[key]]

    def security_groups(self) -> Found:
        """Return every group of the VPC but an empty `default`: its rules, one in each line."""
        found = {}
        for group in self._groups:
            rules = {
                "ingress": self._rules(group["IpPermissions"], "from"),
                "egress": self._rules(group["IpPermissionsEgress"], "to"),
            }
            used = any(
                group["GroupId"] in [one["GroupId"] for one in instance["SecurityGroups"]]
                for instance in self.instances.values()
            )
            # AWS makes it with every VPC, and nobody can delete it.
            if group["GroupName"] != "default" or used:
                found[group["GroupName"]] = rules
        return found

    def _rules(self, permissions: list[dict[str, Any]], way: str) -> list[str]:
        lines = []
        for rule in permissions:
            others = [one["CidrIp"] for one in rule.get("IpRanges", [])]
            others += [one["CidrIpv6"] for one in rule.get("Ipv6Ranges", [])]
            others += [one["PrefixListId"] for one in rule.get("PrefixListIds", [])]
            pairs = rule.get("UserIdGroupPairs", [])
            others += [self._names.get(one["GroupId"], one["GroupId"]) for one in pairs]
            lines += [f"{_what(rule)} {way} {other}" for other in others]
        return lines

    def subnets(self) -> Found:
        """Return every subnet of the VPC: where its routes lead, and whether it gives addresses."""
        tables = self._all("describe_route_tables", "RouteTables")
        main: dict[str, Any] = {}
        by_subnet: dict[str, dict[str, Any]] = {}
        for table in tables:
            for association in table["Associations"]:
                if association.get("Main"):
                    main = table
                elif "SubnetId" in association:
                    by_subnet[association["SubnetId"]] = table
        return {
            name(subnet): {
                "routes": self._routes(by_subnet.get(subnet["SubnetId"], main)),
                "public addresses are given": subnet["MapPublicIpOnLaunch"],
            }
            for subnet in self._all("describe_subnets", "Subnets")
        }

    def _routes(self, table: dict[str, Any]) -> list[str]:
        names = {one["InstanceId"]: each for each, one in self.instances.items()}
        lines = []
        for route in table.get("Routes", []):
            to = route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock", "?")
            gateway = route.get("GatewayId", "")
            if gateway.startswith("igw-"):
                by = "internet gateway"
            elif route.get("NatGatewayId"):
                by = "NAT gateway"
            elif route.get("InstanceId"):
                by = names.get(route["InstanceId"], route["InstanceId"])
            else:
                by = gateway or route.get("NetworkInterfaceId") or "nowhere"
            lines.append(f"{to} {by}")
        return lines

    def hosts(self) -> Found:
        """Return every instance of the VPC that is not terminated."""
        identities = [
            mapping["Ebs"]["VolumeId"]
            for instance in self.instances.values()
            for mapping in instance.get("BlockDeviceMappings", [])
        ]
        volumes = self._ec2.describe_volumes(VolumeIds=identities)["Volumes"] if identities else []
        plain = {one["VolumeId"] for one in volumes if not one["Encrypted"]}
        found = {}
        for each, instance in self.instances.items():
            mine = {one["Ebs"]["VolumeId"] for one in instance.get("BlockDeviceMappings", [])}
            tokens = instance.get("MetadataOptions", {}).get("HttpTokens")
            found[each] = {
                "security groups": [one["GroupName"] for one in instance["SecurityGroups"]],
                "public address": bool(instance.get("PublicIpAddress")),
                "metadata": "IMDSv2 only" if tokens == "required" else "IMDSv1, too",
                "volumes": "encrypted" if not mine & plain else "not encrypted",
            }
        return found


def name(thing: dict[str, Any]) -> str:
    """Return an object's Name tag, or its id where it has none."""
    tags = {one["Key"]: one["Value"] for one in thing.get("Tags", [])}
    return tags.get("Name") or thing.get("InstanceId") or thing.get("SubnetId") or "?"


def role(thing: dict[str, Any]) -> str:
    """Return an object's Role tag."""
    return next((one["Value"] for one in thing.get("Tags", []) if one["Key"] == "Role"), "")


def _what(rule: dict[str, Any]) -> str:
    if rule["IpProtocol"] == "-1":
        return "all"
    first, last = rule.get("FromPort"), rule.get("ToPort")
    ports = str(first) if first == last else f"{first}-{last}"
    return f"{rule['IpProtocol']} {ports}"
