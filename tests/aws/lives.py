"""The lives of two systems, as far as AWS is called: what the IAM policies must allow.

What a second run asks that changes nothing is part of the run that changes a few things. A
neighbour in the account has everything that a system has.
"""

from __future__ import annotations

from typing import Any

from tests.aws.conftest import Aws, Run
from tests.aws.strangers import tags
from tests.aws.test_load_balancer import GROUP, build, settle
from tests.aws.test_provision import WITHOUT_INPUTS, hosts, named, ours, provision

RELEASE = "mnist-cnn-20260101-0badcafe"
DESTROY = ("playbooks/destroy.yml", "-e", "destroy_confirm=yes")


def succeed(run: Run) -> None:
    assert run.code == 0, run.output


def behind_apache(account: Aws) -> None:
    """Build, change and rehearse; take away, with what was left over."""
    settle(account)
    succeed(provision(account, "-e", "network_nat=gateway"))
    change_by_hand(account)
    other = ("-e", "instances_backend_type=t3.small", "-e", "instances_backend_count=2")
    succeed(provision(account, *other, release=RELEASE))
    succeed(account.play("playbooks/plan.yml", "--check", *WITHOUT_INPUTS))
    leave_something(account)
    succeed(account.play(*DESTROY))


def change_by_hand(account: Aws) -> None:
    """Change hosts and network as a person might."""
    ec2 = account.client()
    now = hosts(account)
    ec2.terminate_instances(InstanceIds=[now["JB_A19P1"]["InstanceId"]])
    ec2.stop_instances(InstanceIds=[now["AI_Frontend"]["InstanceId"]])
    (group,) = [
        g["GroupId"]
        for g in ours(account, "describe_security_groups", "SecurityGroups")
        if g["GroupName"] == "SG_AI_Backend"
    ]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=9, ToPort=9, CidrIp="0.0.0.0/0"
    )
    (vpc,) = ours(account, "describe_vpcs", "Vpcs")
    public = named(ours(account, "describe_route_tables", "RouteTables"))["PublicRoute_A19P1"]
    (gateway,) = ours(account, "describe_internet_gateways", "InternetGateways")
    ec2.create_route(
        RouteTableId=public["RouteTableId"],
        DestinationCidrBlock="10.200.0.0/16",
        GatewayId=gateway["InternetGatewayId"],
    )
    ec2.delete_tags(Resources=[vpc["VpcId"]], Tags=[{"Key": "Role"}])


def leave_something(account: Aws) -> None:
    """Leave what a run that was cut off, or a person, leaves with the project's tag."""
    ec2 = account.client()
    ours_tag = {"Project": "mnist-on-aws"}
    (subnet, *_) = ours(account, "describe_subnets", "Subnets")
    volume = ec2.create_volume(
        AvailabilityZone="eu-central-1a", Size=1, TagSpecifications=tags("volume", "x", **ours_tag)
    )
    ec2.create_snapshot(
        VolumeId=volume["VolumeId"], TagSpecifications=tags("snapshot", "x", **ours_tag)
    )
    ec2.create_network_interface(
        SubnetId=subnet["SubnetId"], TagSpecifications=tags("network-interface", "x", **ours_tag)
    )
    ec2.allocate_address(Domain="vpc", TagSpecifications=tags("elastic-ip", "x", **ours_tag))


def behind_a_load_balancer(account: Aws) -> None:
    """Build, change, deploy again; go back to Apache, and take away what is left."""
    settle(account)
    succeed(build(account))
    change_the_balancer(account)
    change_the_group(account)
    # Of the two images only the newer one stays.
    succeed(build(account, "-e", "instances_images_kept=1", deploy="two"))
    succeed(build(account, front="apache"))
    succeed(account.play(*DESTROY))


def change_the_balancer(account: Aws) -> None:
    """Change as a person might: the load balancer, its listeners, rules and target groups."""
    elb = account.client("elbv2")
    (balancer,) = elb.describe_load_balancers(Names=["ALB-A19P1"])["LoadBalancers"]
    arn = balancer["LoadBalancerArn"]
    api, page = target_groups(elb)
    forward = [{"Type": "forward", "TargetGroupArn": api}]
    (listener,) = elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    first, second, _ = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    elb.set_rule_priorities(RulePriorities=[{"RuleArn": first["RuleArn"], "Priority": 7}])
    elb.modify_rule(
        RuleArn=second["RuleArn"], Actions=[{"Type": "forward", "TargetGroupArn": page}]
    )
    elb.create_rule(
        ListenerArn=listener["ListenerArn"],
        Priority=9,
        Conditions=[{"Field": "path-pattern", "Values": ["/x"]}],
        Actions=forward,
    )
    elb.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=forward)
    elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=8080, DefaultActions=forward)
    elb.modify_target_group(TargetGroupArn=api, HealthCheckPath="/")
    now = hosts(account)
    elb.deregister_targets(TargetGroupArn=page, Targets=[target(now["AI_Frontend"])])
    elb.register_targets(TargetGroupArn=page, Targets=[target(now["JB_A19P1"])])
    elb.remove_tags(ResourceArns=[arn, page], TagKeys=["Role"])
    move_it(account, arn, balancer["VpcId"])


def target_groups(elb: Any) -> tuple[str, str]:
    """Give those of the API and of the page."""
    found = {
        one["TargetGroupName"]: one["TargetGroupArn"]
        for one in elb.describe_target_groups()["TargetGroups"]
    }
    return found["API-A19P1"], found["Page-A19P1"]


def target(host: dict[str, Any]) -> dict[str, Any]:
    return {"Id": host["InstanceId"], "Port": 80}


def move_it(account: Aws, arn: str, vpc: str) -> None:
    """Put the load balancer elsewhere: into a private subnet, behind the VPC's own group."""
    elb = account.client("elbv2")
    subnets = named(ours(account, "describe_subnets", "Subnets"))
    there = [subnets["PublicSubnet1_A19P1"], subnets["PrivateSubnet2_A19P1"]]
    elb.set_subnets(LoadBalancerArn=arn, Subnets=[one["SubnetId"] for one in there])
    (default,) = account.client().describe_security_groups(
        Filters=[
            {"Name": "vpc-id", "Values": [vpc]},
            {"Name": "group-name", "Values": ["default"]},
        ]
    )["SecurityGroups"]
    elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[default["GroupId"]])


def change_the_group(account: Aws) -> None:
    """Change the scaling group as a person might."""
    scaling, elb = account.client("autoscaling"), account.client("elbv2")
    api, _ = target_groups(elb)
    (vpc,) = ours(account, "describe_vpcs", "Vpcs")
    (other,) = elb.create_target_group(
        Name="by-hand", Protocol="HTTP", Port=80, VpcId=vpc["VpcId"]
    )["TargetGroups"]
    name = {"AutoScalingGroupName": GROUP}
    scaling.attach_load_balancer_target_groups(**name, TargetGroupARNs=[other["TargetGroupArn"]])
    scaling.detach_load_balancer_target_groups(**name, TargetGroupARNs=[api])
    scaling.suspend_processes(**name, ScalingProcesses=["AlarmNotification"])
    role = {"ResourceId": GROUP, "ResourceType": "auto-scaling-group", "Key": "Role"}
    scaling.delete_tags(Tags=[role])
