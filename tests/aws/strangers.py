"""Things in the account that are not the project's, and must stay as they were."""

from __future__ import annotations

from typing import Any


def tags(kind: str, name: str, **others: str) -> list[dict[str, Any]]:
    """Write tags as boto3 wants them at creation."""
    pairs = {"Name": name, **others}
    return [{"ResourceType": kind, "Tags": [{"Key": k, "Value": v} for k, v in pairs.items()]}]


def settle(ec2: Any) -> None:
    """Build a neighbour with names and tags that are close to the project's."""
    vpc = ec2.create_vpc(
        CidrBlock="10.90.0.0/16", TagSpecifications=tags("vpc", "office", Project="office")
    )
    vpc_id = vpc["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(
        VpcId=vpc_id,
        CidrBlock="10.90.1.0/24",
        TagSpecifications=tags("subnet", "PublicSubnet1_A19P1"),
    )
    subnet_id = subnet["Subnet"]["SubnetId"]
    group = ec2.create_security_group(
        GroupName="SG_AI_Backend",
        Description="office",
        VpcId=vpc_id,
        TagSpecifications=tags("security-group", "x"),
    )
    gateway = ec2.create_internet_gateway(TagSpecifications=tags("internet-gateway", "IGW_A19P1"))
    ec2.attach_internet_gateway(
        InternetGatewayId=gateway["InternetGateway"]["InternetGatewayId"], VpcId=vpc_id
    )
    address = ec2.allocate_address(
        Domain="vpc", TagSpecifications=tags("elastic-ip", "EIP_NAT_A19P1")
    )
    ec2.create_nat_gateway(
        SubnetId=subnet_id,
        AllocationId=address["AllocationId"],
        TagSpecifications=tags("natgateway", "NATGW_A19P1", Role="nat"),
    )
    ec2.create_key_pair(
        KeyName="office", TagSpecifications=tags("key-pair", "office", Project="mnist-on-aws-2")
    )
    ec2.run_instances(
        ImageId="ami-0a100000000000001",
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet_id,
        SecurityGroupIds=[group["GroupId"]],
        TagSpecifications=tags("instance", "office", Role="backend"),
    )
    ec2.create_volume(
        AvailabilityZone="eu-central-1a", Size=1, TagSpecifications=tags("volume", "AI_Dev")
    )


def census(ec2: Any) -> dict[str, list[str]]:
    """List everything in the account by kind and id, but for what is terminated or deleted."""
    instances = [
        instance["InstanceId"]
        for reservation in ec2.describe_instances()["Reservations"]
        for instance in reservation["Instances"]
        if instance["State"]["Name"] not in ("terminated", "shutting-down")
    ]
    gateways = ec2.describe_nat_gateways()["NatGateways"]
    return {
        "instances": sorted(instances),
        "nat gateways": sorted(g["NatGatewayId"] for g in gateways if g["State"] != "deleted"),
        "addresses": sorted(a["AllocationId"] for a in ec2.describe_addresses()["Addresses"]),
        "volumes": sorted(v["VolumeId"] for v in ec2.describe_volumes()["Volumes"]),
        "interfaces": sorted(
            i["NetworkInterfaceId"] for i in ec2.describe_network_interfaces()["NetworkInterfaces"]
        ),
        "groups": sorted(g["GroupId"] for g in ec2.describe_security_groups()["SecurityGroups"]),
        "routes": sorted(r["RouteTableId"] for r in ec2.describe_route_tables()["RouteTables"]),
        "igws": sorted(
            g["InternetGatewayId"] for g in ec2.describe_internet_gateways()["InternetGateways"]
        ),
        "subnets": sorted(s["SubnetId"] for s in ec2.describe_subnets()["Subnets"]),
        "vpcs": sorted(v["VpcId"] for v in ec2.describe_vpcs()["Vpcs"]),
        "keys": sorted(k["KeyName"] for k in ec2.describe_key_pairs()["KeyPairs"]),
    }
