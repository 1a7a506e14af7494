"""`make plan`: what is checked before it costs money, what would be done, and its price."""

from __future__ import annotations

import re

import pytest

from tests.aws.conftest import Aws, Run, load
from tests.aws.strangers import census, tags
from tests.aws.test_provision import WITHOUT_INPUTS

costs_of = load("roles/account/filter_plugins/account_filters.py")
HOST = {"name": "A", "role": "backend", "type": "small", "volume_gb": 10, "public": False}
PRICES = {
    "as_of": "2020-01-01",
    "hours_per_month": 100,
    "regions": {
        "here": {
            "instance_hour": {"small": 0.01, "large": 1.0},
            "gp3_gb_month": 0.1,
            "public_ipv4_hour": 0.005,
            "nat_gateway_hour": 0.04,
            "nat_gateway_gb": 0.03,
            "load_balancer_hour": 0.02,
            "load_balancer_unit_hour": 0.008,
        }
    },
}
WANTED = {"dev_hours": 2, "nat": "instance", "nat_host": HOST, "load_balancer": False}


@pytest.fixture(autouse=True)
def _empty(aws: Aws) -> None:
    aws.reset()


def plan(aws: Aws, *arguments: str, **environment: str | None) -> Run:
    return aws.play(
        "playbooks/plan.yml",
        "--check",
        *WITHOUT_INPUTS,
        *arguments,
        ANSIBLE_STDOUT_CALLBACK="plan",
        ANSIBLE_CALLBACKS_ENABLED="plan",
        **environment,
    )


def check(aws: Aws, *arguments: str, **environment: str | None) -> Run:
    return aws.play("playbooks/check.yml", *WITHOUT_INPUTS, *arguments, **environment)


def test_plan_names_every_object_and_what_it_costs_and_changes_nothing(aws: Aws) -> None:
    ec2 = aws.client()
    # One that is there and not as it should be.
    ec2.create_vpc(
        CidrBlock="10.80.0.0/16",
        TagSpecifications=tags("vpc", "VPC_A19P1", Project="mnist-on-aws"),
    )
    there = census(ec2)
    run = plan(aws)
    assert run.code == 0, run.output
    assert census(ec2) == there
    lines = [line.strip() for line in run.output.splitlines()]
    assert "~ vpc VPC_A19P1" in lines
    for what in (
        "subnet PrivateSubnet1_A19P1",
        "security-group SG_AI_Backend",
        "key-pair mnist-on-aws-A19P1",
        "instance AI_Dev: t3.large, 16 GB",
        "route-table PrivateRoute_A19P1",
    ):
        assert f"+ {what}" in lines
    created = sum(line.startswith("+ ") for line in lines)
    assert f"{created} to create, 1 to change, 0 to destroy. Nothing has been changed." in lines
    assert any(re.fullmatch(r"together +0\.1723 +51\.80", line) for line in lines)
    assert any(re.fullmatch(r"NAT gateway, .* 41\.61 \+ 0\.052 a GB", line) for line in lines)
    assert "actions of roles/account/files/iam-policy.json are allowed" in run.output
    assert "VPCs: 1 wanted, 1 used by others, of 5" in lines


def test_a_plan_is_a_rehearsal_only(aws: Aws) -> None:
    run = aws.play("playbooks/plan.yml", *WITHOUT_INPUTS)
    assert run.message.startswith("`make plan` rehearses; by hand, say --check")


def test_more_than_the_limit_is_refused_and_a_region_without_prices_is_not_guessed(
    aws: Aws,
) -> None:
    run = check(aws, "-e", "aws_monthly_limit=51.79")
    assert run.message.startswith("It would cost 51.80 USD a month in eu-central-1")
    assert run.message.endswith("Nothing has been changed.")
    unknown = check(aws, "-e", "aws_monthly_limit=1000", AWS_REGION="eu-north-1")
    assert "has no prices of eu-north-1: what it costs there is not known" in unknown.message


def test_what_the_caller_may_not_do_is_said_before_it_is_tried(aws: Aws) -> None:
    (aws.directory / "denied").write_text("ec2:CreateVpc ec2:DeleteRoute")
    run = check(aws)
    assert "may not do ec2:CreateVpc, ec2:DeleteRoute (asked by simulation)." in run.message
    assert "Give it the policy roles/account/files/iam-policy.json" in run.message


def balance(aws: Aws, project: str) -> None:
    """Build a load balancer that has a project's tag."""
    ec2 = aws.client()
    vpc = ec2.create_vpc(CidrBlock="10.90.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.90.{n}.0/24", AvailabilityZone=zone)["Subnet"]
        for n, zone in enumerate(("eu-central-1a", "eu-central-1b"))
    ]
    aws.client("elbv2").create_load_balancer(
        Name=project,
        Subnets=[one["SubnetId"] for one in subnets],
        Tags=[{"Key": "Project", "Value": project}],
    )


def test_a_load_balancer_that_is_wanted_or_would_go_needs_the_second_policy(aws: Aws) -> None:
    (aws.directory / "denied").write_text("elasticloadbalancing:DeleteLoadBalancer")
    balance(aws, "office")
    assert check(aws).code == 0
    denied = (
        "may not do elasticloadbalancing:DeleteLoadBalancer (asked by simulation). Give it the"
        " policy roles/account/files/iam-policy.json and roles/account/files/iam-policy-alb.json"
    )
    assert denied in check(aws, "-e", "account_load_balancer=true").message
    balance(aws, "mnist-on-aws")
    assert denied in check(aws).message


def test_where_iam_may_not_be_asked_it_is_said_that_little_is_known(aws: Aws) -> None:
    (aws.directory / "denied").write_text("iam:SimulatePrincipalPolicy")
    there = census(aws.client())
    run = check(aws)
    assert run.code == 0, run.output
    assert "Permissions: not known. IAM may not be asked" in run.text
    assert "so 4 calls were only tried, and allowed" in run.text
    assert census(aws.client()) == there


def test_a_quota_that_leaves_no_room_is_said(aws: Aws) -> None:
    ec2 = aws.client()
    for number in range(4):  # and the account's default VPC: the quota is 5
        ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")
    run = check(aws)
    assert run.message.startswith("eu-central-1 has a quota of 5 VPCs: others use 5, and 1 are")


def test_costs_are_the_sum_of_machines_volumes_addresses_and_the_way_out() -> None:
    dev = {"name": "D", "role": "dev", "type": "large", "volume_gb": 0, "public": True}
    costs = costs_of.account_costs([HOST, dev], PRICES, "here", WANTED)
    # 0.01 + 10 GB at 0.1 / 100 h, all the month; 1 + 0.005 for two hours.
    assert costs["hour"] == pytest.approx(0.02 + 1.005)
    assert costs["month"] == pytest.approx(2.0 + 2.01)
    gateway = costs_of.account_costs([HOST], PRICES, "here", {**WANTED, "nat": "gateway"})
    assert gateway["month"] == pytest.approx(2.0 + 4.5)
    balanced = costs_of.account_costs([HOST], PRICES, "here", {**WANTED, "load_balancer": True})
    assert balanced["month"] == pytest.approx(2.0 + 3.8)
    always = costs_of.account_costs([dev], PRICES, "here", {**WANTED, "dev_hours": 0})
    assert always["month"] == pytest.approx(100.5)


@pytest.mark.parametrize(
    ("region", "type_"), [("there", "small"), ("here", "gigantic")], ids=["region", "type"]
)
def test_a_price_that_is_not_in_the_table_is_not_guessed(region: str, type_: str) -> None:
    with pytest.raises(Exception, match="and none is guessed"):
        costs_of.account_costs([{**HOST, "type": type_}], PRICES, region, WANTED)


permissions = load("roles/account/library/account_permissions.py")


@pytest.mark.parametrize(
    ("arn", "source"),
    [
        ("arn:aws:iam::1:user/me", "arn:aws:iam::1:user/me"),
        ("arn:aws:sts::1:assumed-role/Admin/me@x", "arn:aws:iam::1:role/Admin"),
    ],
)
def test_a_session_is_simulated_as_its_role(arn: str, source: str) -> None:
    assert permissions.principal(arn) == source


def test_simulated_resources_are_of_this_account_and_region() -> None:
    patterns = ("*", "arn:aws:ec2:*:*:vpc/*", "arn:aws:ec2:*::image/*", "arn:aws:ec2:*:*:*/*")
    assert [permissions.concrete(p, "eu-west-1", "12") for p in patterns] == [
        "*",
        "arn:aws:ec2:eu-west-1:12:vpc/plan",
        "arn:aws:ec2:eu-west-1::image/plan",
        "arn:aws:ec2:eu-west-1:12:vpc/plan",
    ]
