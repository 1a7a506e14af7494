"""Each tag of site.yml alone, rehearsed on an empty account, runs through."""

from __future__ import annotations

import pytest

from tests.aws.conftest import OPERATOR, Aws
from tests.roles.test_tags import PLAYBOOKS

pytestmark = pytest.mark.long


@pytest.mark.parametrize("tag", PLAYBOOKS)
def test_a_tag_alone_runs_through(account: Aws, tag: str) -> None:
    given = (f"releases_dir={account.directory}/releases", f"network_operator_cidrs={OPERATOR}")
    extra = [argument for value in given for argument in ("-e", value)]
    run = account.play("site.yml", "--check", "--tags", tag, *extra)
    assert run.code == 0, run.output
    assert account.client().describe_instances()["Reservations"] == []
