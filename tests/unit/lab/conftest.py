"""A network for the tests of rules and routes: a bastion, an application, a NAT instance."""

from __future__ import annotations

import pytest

from tests.lab.model import INTERNET, Group, Host, Network, Route, RouteTable, Rule, Vpc

OPERATOR = "203.0.113.254/32"


def host(name: str, private: str, group: str, **options: object) -> Host:
    return Host(
        id=f"i-{name}",
        link=f"m-{name}",
        private=private,
        router="10.80.1.1",
        vpc="vpc-1",
        groups=(group,),
        **{"table": "rtb-public", **options},  # type: ignore[arg-type]
    )


@pytest.fixture
def network() -> Network:
    everywhere = (Rule("-1", cidr="0.0.0.0/0"),)
    return Network(
        vpcs=(Vpc("vpc-1", ("10.80.0.0/16",), internet=True),),
        tables=(
            RouteTable("rtb-public", (Route("0.0.0.0/0", INTERNET),)),
            RouteTable("rtb-private", (Route("0.0.0.0/0", "i-nat"),)),
        ),
        groups=(
            Group("sg-bastion", (Rule("tcp", (22, 22), cidr=OPERATOR),), everywhere),
            Group("sg-nat", (Rule("-1", cidr="10.80.2.0/24"),), everywhere),
            Group("sg-app", (Rule("tcp", (5000, 5001), group="sg-bastion"),), everywhere),
        ),
        hosts=(
            host("bastion", "10.80.1.4", "sg-bastion", public="203.0.113.7"),
            host("nat", "10.80.1.5", "sg-nat", public="203.0.113.8", source_dest_check=False),
            host("app", "10.80.2.4", "sg-app", table="rtb-private"),
        ),
    )
