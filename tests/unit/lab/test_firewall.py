from __future__ import annotations

from typing import Any

from tests.lab import firewall


def chain(name: str, policy: str, hook: str = "forward", table: str = "filter") -> dict[str, Any]:
    keys = {"family": "ip", "table": table, "name": name, "type": "filter"}
    return {"chain": {**keys, "hook": hook, "policy": policy}}


def rule(of: str, **more: object) -> dict[str, Any]:
    return {"rule": {"family": "ip", "table": "filter", "chain": of, "handle": 7, **more}}


def test_chains_that_could_drop_the_labs_packets_are_found() -> None:
    listing = [
        {"metainfo": {}},
        chain("FORWARD", "drop"),
        chain("INPUT", "accept", "input"),
        chain("empty", "accept"),
        chain("OUTPUT", "drop", "output"),
        chain("through", "accept", table="mnistlab"),
        {"chain": {"family": "ip", "table": "filter", "name": "DOCKER"}},
        rule("INPUT"),
    ]
    assert [c["name"] for c in firewall.foreign_chains(listing)] == ["FORWARD", "INPUT"]


def test_only_the_labs_rules_are_taken_back() -> None:
    listing = [rule("FORWARD", comment="docker"), rule("FORWARD", comment="mnistlab"), rule("x")]
    assert firewall.own_rules(listing) == [listing[1]["rule"]]
