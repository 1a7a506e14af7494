"""The whole system on the lab, built once by site.yml."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.e2e.ansible_run import Run, run_playbook


@dataclass(frozen=True)
class Site:
    """The system as it stands: how it was built, and where its hosts are."""

    env: dict[str, str]
    releases: Path
    rehearsal: Run
    first: Run
    second: Run

    @property
    def ec2(self) -> Any:
        return ec2_client(self.env)

    @property
    def hosts(self) -> dict[str, dict[str, Any]]:
        """The running instances by role."""
        return {instance["Role"]: instance for instance in instances(self.env, "running")}

    @property
    def page(self) -> str:
        return f"http://{self.hosts['frontend']['PublicIpAddress']}"

    def playbook(self, *arguments: str) -> Run:
        return run_playbook(self.env, *arguments, "-e", f"releases_dir={self.releases}")


def ec2_client(env: dict[str, str]) -> Any:
    return boto3.client(
        "ec2",
        endpoint_url=env["AWS_ENDPOINT_URL"],
        region_name=env["AWS_REGION"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )


def instances(env: dict[str, str], *states: str) -> list[dict[str, Any]]:
    """The project's instances in these states, with their Role beside what AWS says."""
    answer = ec2_client(env).describe_instances(
        Filters=[
            {"Name": "tag:Project", "Values": ["mnist-on-aws"]},
            {"Name": "instance-state-name", "Values": list(states)},
        ]
    )
    found = [instance for each in answer["Reservations"] for instance in each["Instances"]]
    return [{**i, "Role": {t["Key"]: t["Value"] for t in i["Tags"]}["Role"]} for i in found]


@pytest.fixture(scope="session")
def site(lab: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Rehearsed on an empty account, built, built again; destroyed at the end."""
    releases = tmp_path_factory.mktemp("releases")
    wanted = ("-e", f"releases_dir={releases}")
    rehearsal = run_playbook(lab.env, "site.yml", "--check", "--diff", *wanted)
    first = run_playbook(lab.env, "site.yml", *wanted)
    assert first.returncode == 0, first.lines
    second = run_playbook(lab.env, "site.yml", *wanted)
    yield Site(lab.env, releases, rehearsal, first, second)
    destroyed = run_playbook(lab.env, "playbooks/destroy.yml", "-e", "destroy_confirm=yes", *wanted)
    assert destroyed.returncode == 0, destroyed.lines
    assert not instances(lab.env, "pending", "running", "stopping", "stopped")
