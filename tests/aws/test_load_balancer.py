"""network_front=alb: the load balancer, and a scaling group of machines like the first backend."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.aws.conftest import OPERATOR, ROOT, Aws, Run, load
from tests.aws.strangers import census, tags
from tests.aws.test_provision import (
    ANYWHERE,
    BACKEND,
    BASTION,
    FRONTEND,
    INGRESS,
    TWO_ZONES,
    named,
    ours,
    rules,
)
from tests.aws.test_provision import tags as tags_of

pytestmark = pytest.mark.long

ALB, GROUP = "SG_ALB_A19P1", "AI_Backend_A19P1"
ZONES = ["eu-central-1a", "eu-central-1b"]


def build(aws: Aws, *arguments: str, front: str = "alb", deploy: str = "one") -> Run:
    """Provision, and make the scaling group of what the first backend has in service."""
    return aws.play(
        "tests/aws/load_balancer.yml",
        *("-e", f"network_operator_cidrs={OPERATOR}"),
        *("-e", f"project_root={ROOT}/tests/aws/inputs"),
        *("-e", f"network_front={front}"),
        *("-e", f'{{"network_availability_zones": ["{ZONES[0]}", "{ZONES[1]}"]}}'),
        *("-e", f"group_deploy={deploy}"),
        *arguments,
        FAKE_RELEASE="mnist-cnn-20260101-0badcafe",
    )


def balancers(aws: Aws) -> dict[str, list[str]]:
    """List what a load balancer and a scaling group consist of, of everybody."""
    elb, scaling, ec2 = (aws.client(service) for service in ("elbv2", "autoscaling", "ec2"))
    return {
        "load balancers": sorted(
            one["LoadBalancerName"] for one in elb.describe_load_balancers()["LoadBalancers"]
        ),
        "target groups": sorted(
            one["TargetGroupName"] for one in elb.describe_target_groups()["TargetGroups"]
        ),
        "scaling groups": sorted(
            one["AutoScalingGroupName"]
            for one in scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        ),
        "templates": sorted(
            one["LaunchTemplateName"] for one in ec2.describe_launch_templates()["LaunchTemplates"]
        ),
        "images": sorted(one["Name"] for one in images(ec2)),
    }


def images(ec2: Any) -> list[dict[str, Any]]:
    return list(ec2.describe_images(Owners=["self"])["Images"])


def settle(aws: Aws) -> None:
    """Build a neighbour that has a load balancer, a target group, a template and an image, too."""
    elb, ec2 = aws.client("elbv2"), aws.client()
    mark = [{"Key": "Project", "Value": "office"}]
    vpc = ec2.create_vpc(CidrBlock="10.90.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.90.{n}.0/24", AvailabilityZone=zone)["Subnet"]
        for n, zone in enumerate(ZONES)
    ]
    elb.create_load_balancer(Name="office", Subnets=[one["SubnetId"] for one in subnets], Tags=mark)
    elb.create_target_group(Name="office", Protocol="HTTP", Port=80, VpcId=vpc, Tags=mark)
    instance = ec2.run_instances(
        ImageId="ami-0a100000000000001",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnets[0]["SubnetId"],
        TagSpecifications=tags("instance", "office"),
    )["Instances"][0]["InstanceId"]
    ec2.create_image(InstanceId=instance, Name="office")
    ec2.create_launch_template(
        LaunchTemplateName="office", LaunchTemplateData={"InstanceType": "t3.micro"}
    )


@pytest.fixture(scope="module")
def before(account: Aws) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    settle(account)
    return census(account.client()), balancers(account)


@pytest.fixture(scope="module")
def first(account: Aws, before: tuple[Any, Any]) -> Run:
    assert before[1]["load balancers"] == ["office"]
    return build(account)


def targets(aws: Aws, name: str) -> list[tuple[str, int]]:
    elb = aws.client("elbv2")
    (group,) = elb.describe_target_groups(Names=[name])["TargetGroups"]
    health = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
    return sorted(
        (one["Target"]["Id"], one["Target"]["Port"]) for one in health["TargetHealthDescriptions"]
    )


def group(aws: Aws) -> dict[str, Any]:
    answer = aws.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])
    (found,) = answer["AutoScalingGroups"]
    return dict(found)


LED = {
    ("1", "/api/metrics"): "fixed-response",
    ("2", "/api/*"): "API-A19P1",
    ("default",): "Page-A19P1",
}


def doors(aws: Aws) -> dict[tuple[str, int], dict[tuple[str, ...], str]]:
    """List where each listener leads by each of its rules: a target group, or another action."""
    elb = aws.client("elbv2")
    (balancer,) = elb.describe_load_balancers(Names=["ALB-A19P1"])["LoadBalancers"]
    found = elb.describe_target_groups()["TargetGroups"]
    names = {one["TargetGroupArn"]: one["TargetGroupName"] for one in found}
    table: dict[tuple[str, int], dict[tuple[str, ...], str]] = {}
    listeners = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    for listener in listeners:
        led = table[listener["Protocol"], listener["Port"]] = {}
        for rule in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
            (action,) = rule["Actions"]
            paths = [path for one in rule["Conditions"] for path in one["Values"]]
            led[rule["Priority"], *paths] = names.get(action.get("TargetGroupArn"), action["Type"])
    return table


def machines(aws: Aws) -> list[dict[str, Any]]:
    """Describe the group's running machines."""
    ids = [one["InstanceId"] for one in group(aws)["Instances"]]
    found = aws.client().describe_instances(InstanceIds=ids)["Reservations"]
    return [instance for each in found for instance in each["Instances"]]


def test_the_balancer_leads_to_page_and_api(account: Aws, first: Run) -> None:
    assert first.code == 0, first.output
    assert "WARNING" not in first.output
    elb = account.client("elbv2")
    (balancer,) = elb.describe_load_balancers(Names=["ALB-A19P1"])["LoadBalancers"]
    assert balancer["Scheme"] == "internet-facing"
    assert sorted(zone["ZoneName"] for zone in balancer["AvailabilityZones"]) == ZONES
    assert doors(account) == {("HTTP", 80): LED}
    (api,) = elb.describe_target_groups(Names=["API-A19P1"])["TargetGroups"]
    assert (api["Port"], api["HealthCheckPath"]) == (5000, "/readyz")


@pytest.mark.usefixtures("first")
def test_only_the_balancer_is_open_to_the_world(account: Aws) -> None:
    found = ours(account, "describe_security_groups", "SecurityGroups")
    names = {group["GroupId"]: group["GroupName"] for group in found}
    table = {g["GroupName"]: rules(g["IpPermissions"], names) for g in found}
    assert table[ALB] == {("tcp", 80, 80, ANYWHERE), ("tcp", 443, 443, ANYWHERE)}
    assert table[FRONTEND] == {("tcp", 22, 22, BASTION), ("tcp", 80, 80, ALB)}
    assert table[BACKEND] == INGRESS[BACKEND] | {("tcp", 5000, 5000, ALB)}
    egress = {g["GroupName"]: rules(g["IpPermissionsEgress"], names) for g in found}[ALB]
    assert egress == {
        *(("tcp", 5000, 5000, f"10.80.{n}.0/24") for n in (2, 4)),
        *(("tcp", 80, 80, f"10.80.{n}.0/24") for n in (1, 3)),
    }


@pytest.mark.usefixtures("first")
def test_the_groups_machines_are_copies_in_two_zones_and_are_led_to(account: Aws) -> None:
    found = machines(account)
    (image,) = [one for one in images(account.client()) if one["Name"] == f"{GROUP}-one"]
    assert tags_of(image)["Project"] == "mnist-on-aws"
    assert {one["ImageId"] for one in found} == {image["ImageId"]}
    # moto starts all in the first subnet; AWS spreads them over those that the group has.
    subnets = named(ours(account, "describe_subnets", "Subnets"))
    private = [subnets[f"PrivateSubnet{n}_A19P1"] for n in (1, 2)]
    assert sorted(one["AvailabilityZone"] for one in private) == ZONES
    assert set(group(account)["VPCZoneIdentifier"].split(",")) == {s["SubnetId"] for s in private}
    assert {name["GroupName"] for one in found for name in one["SecurityGroups"]} == {BACKEND}
    assert not any("PublicIpAddress" in one for one in found)
    assert {tuple(sorted(tags_of(one).keys() & {"Project", "Role", "Login"})) for one in found} == {
        ("Project", "Role")
    }
    assert targets(account, "API-A19P1") == sorted((one["InstanceId"], 5000) for one in found)
    frontend = named(ours_running(account))["AI_Frontend"]["InstanceId"]
    assert targets(account, "Page-A19P1") == [(frontend, 80)]
    (version,) = account.client().describe_launch_template_versions(
        LaunchTemplateName=GROUP, Versions=["$Default"]
    )["LaunchTemplateVersions"]
    data = version["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert base64.b64decode(data["UserData"]).startswith(b"#cloud-config\nbootcmd:")


def ours_running(aws: Aws) -> list[dict[str, Any]]:
    reservations = aws.client().describe_instances(
        Filters=[
            {"Name": "tag:Project", "Values": ["mnist-on-aws"]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
    )["Reservations"]
    return [instance for each in reservations for instance in each["Instances"]]


@pytest.mark.usefixtures("first")
def test_a_second_run_changes_nothing(account: Aws) -> None:
    there = census(account.client()), balancers(account)
    again = build(account)
    assert (again.code, again.changed) == (0, 0), again.output
    assert (census(account.client()), balancers(account)) == there


@pytest.mark.usefixtures("first")
def test_a_certificate_opens_https_and_http_leads_there(account: Aws) -> None:
    asked = account.client("acm").request_certificate(DomainName="digits.example")
    given = ("-e", f"network_certificate_arn={asked['CertificateArn']}")
    run = build(account, *given)
    assert run.code == 0, run.output
    assert doors(account) == {("HTTP", 80): {("default",): "redirect"}, ("HTTPS", 443): LED}
    assert build(account, *given).changed == 0
    run = build(account)
    assert run.code == 0, run.output
    assert doors(account) == {("HTTP", 80): LED}


@pytest.mark.usefixtures("first")
def test_another_deploy_renews_every_machine_and_ansible_looks_for_none(account: Aws) -> None:
    was = {one["InstanceId"] for one in machines(account)}
    for deploy in ("two", "three"):
        run = build(account, deploy=deploy)
        assert run.code == 0, run.output
    now = machines(account)
    assert len(now) == 2
    assert was.isdisjoint(one["InstanceId"] for one in now)
    found = images(account.client())
    assert {one["Name"] for one in found} == {"office", f"{GROUP}-two", f"{GROUP}-three"}
    (newest,) = [one for one in found if one["Name"] == f"{GROUP}-three"]
    assert {one["ImageId"] for one in now} == {newest["ImageId"]}
    size = group(account)
    assert (size["MinSize"], size["DesiredCapacity"], size["MaxSize"]) == (2, 2, 4)
    known = (account.directory / "ssh" / "known_hosts").read_text()
    assert not any(one["InstanceId"] in known for one in now)


@pytest.mark.usefixtures("first")
def test_destroy_leaves_nothing_of_the_project_and_everything_of_others(
    account: Aws, before: tuple[Any, Any]
) -> None:
    run = account.play("playbooks/destroy.yml", "-e", "destroy_confirm=yes")
    assert run.code == 0, run.output
    assert "Nothing with the tag Project=mnist-on-aws is left in eu-central-1" in run.text
    assert (census(account.client()), balancers(account)) == before


@pytest.mark.slow
def test_apache_takes_over_again(account: Aws, before: tuple[Any, Any]) -> None:
    assert build(account).code == 0
    run = build(account, front="apache")
    assert run.code == 0, run.output
    assert balancers(account) == before[1]
    found = ours(account, "describe_security_groups", "SecurityGroups")
    names = {group["GroupId"]: group["GroupName"] for group in found}
    assert {g["GroupName"]: rules(g["IpPermissions"], names) for g in found} == TWO_ZONES


def test_a_balancers_interfaces_are_no_guests() -> None:
    """Moto makes none; AWS does, without a tag, and they go with the balancer."""
    module = load("roles/network/library/tagged_objects.py")
    arn = (
        "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/ALB-A19P1/50dc6c4"
    )

    class Client:
        def can_paginate(self, _: str) -> bool:
            return False

        def describe_nat_gateways(self, **_: Any) -> dict[str, Any]:
            return {"NatGateways": []}

        def describe_network_interfaces(self, **_: Any) -> dict[str, Any]:
            names = {"eni-1": "ELB app/ALB-A19P1/50dc6c4", "eni-2": "ELB app/office/1f2e3d"}
            found = [{"NetworkInterfaceId": i, "Description": text} for i, text in names.items()]
            return {"NetworkInterfaces": found}

    described = module.interfaces_of({"LoadBalancerArn": arn})
    objects = [
        {"kind": "load-balancer", "id": arn, "description": described},
        {"kind": "vpc", "id": "vpc-1", "description": ""},
    ]
    assert module.guests(Client(), objects) == ["eni-2"]
