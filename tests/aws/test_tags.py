"""Each tag of site.yml alone, rehearsed on an empty account, runs through."""

from __future__ import annotations

import pytest

from tests.aws.conftest import Aws
from tests.roles.test_tags import PLAYBOOKS

BEFORE_ANY_HOST = {"check", "prepare", "train", "deploy-api", "deploy-site", "verify"}


@pytest.mark.parametrize("tag", PLAYBOOKS)
def test_a_tag_alone_runs_through(account: Aws, tag: str) -> None:
    run = account.play(
        "site.yml", "--check", "--tags", tag, "-e", f"releases_dir={account.directory}/releases"
    )
    assert run.code == 0, run.output
    if tag in BEFORE_ANY_HOST:
        assert run.changed == 0, run.output
    assert account.client().describe_instances()["Reservations"] == []
