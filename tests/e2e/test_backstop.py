"""AI_Dev ends itself when its hours are over, whoever still thinks of it."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from tests.conftest import LabFixture
from tests.e2e.ansible_run import ROOT
from tests.lab import names
from tests.lab.world import AL2023, World, tcp

pytestmark = [pytest.mark.lab, pytest.mark.long]
SECONDS = 20


def backstop() -> str:
    """The role's user data for a machine that is to live SECONDS."""
    template = (ROOT / "roles/instances/templates/backstop.sh.j2").read_text()
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701
    return environment.from_string(template).render(instances_dev_max_hours=SECONDS / 3600)


def test_it_terminates_itself_after_its_hours_and_not_before(
    lab: LabFixture, tmp_path: Path
) -> None:
    world = World(lab.env, tmp_path, "10.96.0.0/16")
    try:
        group = world.group("all", tcp(22, f"{names.CONTROLLER_ADDRESS}/32"))
        world.run(
            "dev",
            group,
            public=True,
            of=AL2023,
            user_data=backstop(),
            InstanceInitiatedShutdownBehavior="terminate",
        )
        world.know("dev")
        timer = world.ssh(
            "dev", "cloud-init status --wait; systemctl is-active mnist-backstop.timer"
        )
        assert timer.stdout.split() == ["status:", "done", "active"]
        assert world.state("dev") == "running"
        world.wait_for("dev", "terminated", SECONDS + 30)
    finally:
        world.close()
