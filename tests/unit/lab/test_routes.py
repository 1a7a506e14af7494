from __future__ import annotations

from dataclasses import replace

from tests.lab import routes
from tests.lab.model import NAT_GATEWAY, Network, Route

PUBLIC = routes.table_number("rtb-public")
PRIVATE = routes.table_number("rtb-private")


def test_a_packet_is_routed_as_its_senders_subnet_says(network: Network) -> None:
    routing = routes.routing(network)
    assert routing["rule iif m-app"] == f"lookup {PRIVATE} priority 1000"
    assert routing["rule iif m-bastion"] == f"lookup {PUBLIC} priority 1000"


def test_the_internet_gateway(network: Network) -> None:
    assert routes.routing(network)[f"route 0.0.0.0/0 table {PUBLIC}"] == routes.VIA_GATEWAY


def test_a_route_to_the_internet_leads_nowhere_without_a_gateway(network: Network) -> None:
    closed = replace(network, vpcs=(replace(network.vpcs[0], internet=False),))
    assert routes.routing(closed)[f"route 0.0.0.0/0 table {PUBLIC}"] == routes.NO_ROUTE


def test_a_nat_instance(network: Network) -> None:
    routing = routes.routing(network)
    assert routing[f"route 0.0.0.0/0 table {PRIVATE}"] == "via 10.80.1.5 dev m-nat onlink"


def test_a_nat_instance_that_is_gone(network: Network) -> None:
    without = replace(network, hosts=(network.hosts[0], network.hosts[2]))
    assert routes.routing(without)[f"route 0.0.0.0/0 table {PRIVATE}"] == routes.NO_ROUTE


def test_a_nat_gateway(network: Network) -> None:
    private = replace(network.tables[1], routes=(Route("0.0.0.0/0", NAT_GATEWAY),))
    routing = routes.routing(replace(network, tables=(network.tables[0], private)))
    assert routing[f"route 0.0.0.0/0 table {PRIVATE}"] == routes.VIA_NAT_GATEWAY


def test_a_table_without_a_default_route(network: Network) -> None:
    private = replace(network.tables[1], routes=())
    routing = routes.routing(replace(network, tables=(network.tables[0], private)))
    assert routing[f"route 0.0.0.0/0 table {PRIVATE}"] == routes.NO_ROUTE


def test_neighbours_are_reached_by_their_own_links_and_the_rest_of_the_vpc_not_at_all(
    network: Network,
) -> None:
    routing = routes.routing(network)
    for table in (PUBLIC, PRIVATE):
        assert routing[f"route 10.80.1.4/32 table {table}"] == "dev m-bastion"
        assert routing[f"route 10.80.0.0/16 table {table}"] == routes.NO_ROUTE


def test_a_host_of_another_vpc_is_no_neighbour(network: Network) -> None:
    other = replace(network.vpcs[0], id="vpc-2", ranges=("10.81.0.0/16",))
    bastion = replace(network.hosts[0], vpc="vpc-2", table="rtb-other", private="10.81.1.4")
    table = replace(network.tables[0], id="rtb-other")
    routing = routes.routing(
        replace(
            network,
            vpcs=(*network.vpcs, other),
            tables=(*network.tables, table),
            hosts=(bastion, *network.hosts[1:]),
        )
    )
    assert f"route 10.81.1.4/32 table {PRIVATE}" not in routing
