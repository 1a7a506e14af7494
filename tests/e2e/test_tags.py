"""Each tag of site.yml alone, on the system as it stands: it runs through, and changes nothing."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Site
from tests.roles.test_tags import PLAYBOOKS

pytestmark = [pytest.mark.lab, pytest.mark.long]


@pytest.mark.parametrize("tag", PLAYBOOKS)
def test_a_tag_alone_changes_nothing(site: Site, tag: str) -> None:
    assert site.second.changes == []
    run = site.playbook("site.yml", "--tags", tag)
    assert run.returncode == 0, run.lines
    assert run.changes == []
