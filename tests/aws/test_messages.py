"""What cannot work ends in one message that says what to do, and changes nothing."""

from __future__ import annotations

import pytest
import requests

from tests.aws.conftest import OPERATOR, ROOT, Aws, Run, load
from tests.aws.strangers import census, tags


@pytest.fixture(autouse=True)
def _empty(aws: Aws) -> None:
    aws.reset()


def check(aws: Aws, *arguments: str, **environment: str | None) -> Run:
    """Run the preflight; it fails."""
    run = aws.play(
        "playbooks/check.yml",
        f"-enetwork_operator_cidrs={OPERATOR}",
        f"-eproject_root={ROOT}/tests/aws/inputs",
        *arguments,
        **environment,
    )
    assert run.code != 0
    assert "WARNING" not in run.output
    return run


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (
            {"AWS_ACCESS_KEY_ID": None},
            "There are no AWS credentials. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID",
        ),
        (
            {"AWS_PROFILE": "nobody"},
            "Both AWS_PROFILE and AWS_ACCESS_KEY_ID are set: unset the one that is not meant.",
        ),
        (
            {"AWS_PROFILE": "nobody", "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
            "There is no such AWS profile: set AWS_PROFILE to one that there is.",
        ),
        (
            {"AWS_REGION": None},
            "There is no AWS region: set AWS_REGION, for example to eu-central-1.",
        ),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
            "AWS does not answer at http://127.0.0.1:1. Is the network up",
        ),
    ],
)
def test_without_an_account_there_is_one_message(
    aws: Aws, environment: dict[str, str | None], message: str
) -> None:
    run = check(aws, **environment)
    assert run.message.startswith(message)
    assert run.message.endswith("Nothing has been changed.")


def test_wrong_credentials_give_one_message(aws: Aws) -> None:
    # From now on every key is looked at.
    requests.post(f"{aws.url}/moto-api/reset-auth", data="0", timeout=30).raise_for_status()
    run = check(aws)
    assert run.message.startswith("AWS does not accept the credentials. Set AWS_PROFILE, or")


def test_without_an_account_a_playbook_can_still_be_listed(aws: Aws) -> None:
    run = aws.play("playbooks/provision.yml", "--list-tasks", AWS_ACCESS_KEY_ID=None)
    assert run.code == 0
    assert "WARNING" not in run.output


@pytest.mark.parametrize(
    ("name", "cidr"),
    [("VPC_A19P1", "172.20.0.0/16"), ("office", "10.80.0.0/16"), ("office", "10.80.128.0/17")],
)
def test_busy_name_or_range_is_refused(aws: Aws, name: str, cidr: str) -> None:
    ec2 = aws.client()
    ec2.create_vpc(CidrBlock=cidr, TagSpecifications=tags("vpc", name))
    there = census(ec2)
    run = check(aws)
    assert run.message.startswith(
        f"VPC_A19P1 (10.80.0.0/16) cannot be built in eu-central-1: there is {name} ({cidr}"
    )
    assert run.message.endswith("Nothing has been changed.")
    assert census(ec2) == there


def test_project_under_another_name_is_not_built_twice(aws: Aws) -> None:
    aws.client().create_vpc(
        CidrBlock="10.80.0.0/16", TagSpecifications=tags("vpc", "VPC_B", Project="mnist-on-aws")
    )
    run = check(aws)
    assert "already has VPC_B (10.80.0.0/16" in run.message


def test_instance_of_the_same_name_is_refused(aws: Aws) -> None:
    aws.client().run_instances(
        ImageId="ami-0b200000000000001",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=tags("instance", "AI_Backend", Project="another"),
    )
    run = check(aws)
    assert run.message.startswith("In eu-central-1 there is already AI_Backend (i-")


def test_lost_key_is_said_before_anything_is_built(aws: Aws) -> None:
    ec2 = aws.client()
    project = {"Project": "mnist-on-aws"}
    ec2.create_key_pair(
        KeyName="mnist-on-aws-A19P1", TagSpecifications=tags("key-pair", "key", **project)
    )
    ec2.run_instances(
        ImageId="ami-0b200000000000001",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=tags("instance", "AI_Frontend", **project),
    )
    run = check(aws)
    assert run.message.startswith("The hosts of this project were built with another SSH key")


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        (
            "network_operator_cidrs=198.51.100.7/32,0.0.0.0/0",
            "network_operator_cidrs has 0.0.0.0/0: the whole world could knock at the bastion",
        ),
        (
            '{"dev_jupyter_cidrs": ["0.0.0.0/1"]}',
            "dev_jupyter_cidrs has 0.0.0.0/1: the whole world could knock at Jupyter",
        ),
    ],
)
def test_door_open_to_the_world_is_refused(aws: Aws, variable: str, message: str) -> None:
    assert check(aws, "-e", variable).message.startswith(message)


def test_door_open_to_the_world_is_let_pass_where_it_is_meant(aws: Aws) -> None:
    """The next thing that is wrong is said instead."""
    aws.client().create_vpc(CidrBlock="10.80.0.0/16")
    meant = "network_ssh_open_to_the_world_is_intended=true"
    run = check(aws, "-e", "network_operator_cidrs=0.0.0.0/0", "-e", meant)
    assert "there is a VPC without a name (10.80.0.0/16, vpc-" in run.message


def test_a_load_balancer_is_refused_where_nothing_would_pass_through_it(aws: Aws) -> None:
    run = check(aws, "-e", "network_front=alb")
    assert run.message.startswith(f"network_front=alb needs AWS: at {aws.url} a load balancer can")
    assert run.message.endswith("Nothing has been changed.")


def test_a_load_balancer_wants_two_zones(aws: Aws) -> None:
    few = '{"network_front": "alb", "network_public_cidrs": ["10.80.1.0/24"]}'
    run = check(
        aws,
        "-e",
        few,
        AWS_ENDPOINT_URL_EC2=aws.url,
        AWS_ENDPOINT_URL_STS=aws.url,
        AWS_ENDPOINT_URL=None,
    )
    assert run.message.startswith("network_front=alb needs two public and two private subnets")


def test_unknown_own_address_is_said(aws: Aws) -> None:
    run = check(aws, "-e", "network_operator_cidrs=", NETWORK_CHECKIP_URL=aws.url)
    assert run.message.startswith(f"{aws.url} does not say what address this controller has")


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("(RequestExpired) when calling", "The AWS credentials have expired: log in again."),
        ("(UnauthorizedOperation) You are not authorized", "may not describe instances"),
        ("something else", "The inventory of AWS cannot be read: something else"),
    ],
)
def test_reasons_are_explained(reason: str, sentence: str) -> None:
    assert sentence in load("inventory/plugins/guarded_aws_ec2.py").explain(reason)


def test_ranges_are_read_in_every_form() -> None:
    filters = load("roles/network/filter_plugins/network_filters.py")
    assert filters.network_cidrs("198.51.100.7, 10.0.0.1/8") == ["10.0.0.0/8", "198.51.100.7/32"]
    with pytest.raises(Exception, match=r"'office' is no IPv4 address range such as"):
        filters.network_cidrs(["office"])
