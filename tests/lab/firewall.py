"""This machine's other firewall rules, such as Docker's: they would drop the lab's packets.

The lab's own table has judged every packet of its link before they do (rules.outside); so their
chains get one rule at the top that lets that link through, recognised by its comment later.
"""

from __future__ import annotations

import json
from typing import Any

from tests.lab import names
from tests.lab.system import run

COMMENT = names.PREFIX
LINKS = {"forward": ("iifname", "oifname"), "input": ("iifname",)}


def let_through() -> None:
    """Put the rules in."""
    for chain in foreign_chains(_listing()):
        for key in LINKS[chain["hook"]]:
            where = f"{chain['family']} {chain['table']} {chain['name']}"
            rule = f'{key} "{names.OUTSIDE_LINK}" accept comment "{COMMENT}"'
            run("nft", f"insert rule {where} {rule}")


def take_back() -> None:
    """Take the rules out, wherever they are."""
    for rule in own_rules(_listing()):
        where = f"{rule['family']} {rule['table']} {rule['chain']}"
        run("nft", f"delete rule {where} handle {rule['handle']}", check=False)


def foreign_chains(listing: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the chains that judge forwarded or received packets and could drop some."""
    chains = [item["chain"] for item in listing if "chain" in item]
    filled = {_chain_of(item["rule"]) for item in listing if "rule" in item}
    return [
        chain
        for chain in chains
        if chain.get("hook") in LINKS
        and chain.get("type") == "filter"
        and chain["family"] in ("ip", "inet")
        and chain["table"] != names.TABLE
        and (chain.get("policy") == "drop" or (*_table(chain), chain["name"]) in filled)
    ]


def own_rules(listing: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the rules that the lab put in."""
    rules = [item["rule"] for item in listing if "rule" in item]
    return [rule for rule in rules if rule.get("comment") == COMMENT]


def _chain_of(rule: dict[str, Any]) -> tuple[str, str, str]:
    return (*_table(rule), str(rule["chain"]))


def _table(item: dict[str, Any]) -> tuple[str, str]:
    return str(item["family"]), str(item["table"])


def _listing() -> list[dict[str, Any]]:
    listing: list[dict[str, Any]] = json.loads(run("nft", "-j", "list", "ruleset"))["nftables"]
    return listing
