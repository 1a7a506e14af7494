"""Scaled, deployed, rolled back and refused under load, without a failed request."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from mnist_api.trial import drawings
from tests.api.releases import another, worse
from tests.e2e.ansible_run import Run, run_playbook
from tests.e2e.conftest import Site, instances
from tests.e2e.load import Load, posts
from tests.e2e.test_site import inside

pytestmark = [pytest.mark.lab, pytest.mark.long]

RATE = 40
DEPLOY = "playbooks/deploy-api.yml"
ROLLBACK = "playbooks/rollback.yml"


@pytest.fixture
def load(site: Site) -> Iterator[Load]:
    """A light load while a test lasts; none of its requests may fail."""
    bodies = [one.png for one in drawings() if len(one.text) == 1]
    with Load(site.page, posts(site.page, "/api/predict", bodies), RATE) as load:
        time.sleep(1)
        yield load
        time.sleep(1)
    assert not load.failures, load.failures
    assert len(load.answers) > RATE


@pytest.fixture(scope="module")
def first(site: Site) -> Path:
    (release,) = site.releases.iterdir()
    return release


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of releases that the system does not know of yet."""
    return tmp_path_factory.mktemp("other-releases")


@pytest.fixture(scope="module")
def second(first: Path, others: Path) -> Path:
    return another(first, others, "2026-02-01T00:00:00Z")


@pytest.fixture(scope="module")
def bad(first: Path, others: Path) -> Path:
    return worse(first, others, "2026-03-01T00:00:00Z")


def deploy(site: Site, release: Path, *arguments: str) -> Run:
    named = ("-e", f"releases_dir={release.parent}", "-e", f"release={release.name}")
    return run_playbook(site.env, DEPLOY, *named, *arguments)


def serving(site: Site) -> set[str]:
    """What is seen to answer, whichever worker of whichever backend does."""
    answers = [requests.get(f"{site.page}/api/version", timeout=10).json() for _ in range(20)]
    return {answer["release"]["name"] for answer in answers}


def balanced(site: Site) -> list[bool]:
    """For each member of the balancer, whether it gets requests."""
    told = inside(site, "AI_Frontend", "sudo mnist-balancer status")
    return [member["in"] for member in json.loads(told)]


def scale(site: Site, backends: int) -> None:
    run = site.playbook("playbooks/scale.yml", "-e", f"instances_backend_count={backends}")
    assert run.returncode == 0, run.lines


def test_a_second_backend_comes_in_another_zone(site: Site, load: Load) -> None:
    scale(site, 2)
    backends = [one for one in instances(site.env, "running") if one["Role"] == "backend"]
    assert len({one["Placement"]["AvailabilityZone"] for one in backends}) == 2
    assert balanced(site) == [True, True]
    assert not load.failures


def test_a_second_release_is_deployed_on_both(
    site: Site, load: Load, first: Path, second: Path
) -> None:
    run = deploy(site, second)
    assert run.returncode == 0, run.lines
    assert serving(site) == {second.name}
    assert {one.release for one in load.answers if not one.failed} == {first.name, second.name}
    # Each left the balancer while its workers were replaced, and came back.
    moved = re.findall(r"^changed: \[(AI_Backend2?) -> AI_Frontend", run.output, re.MULTILINE)
    assert moved == ["AI_Backend", "AI_Backend", "AI_Backend2", "AI_Backend2"]
    assert balanced(site) == [True, True]


@pytest.mark.usefixtures("load")
def test_a_rollback_brings_the_first_again(site: Site, first: Path) -> None:
    run = site.playbook(ROLLBACK)
    assert run.returncode == 0, run.lines
    assert serving(site) == {first.name}


@pytest.mark.usefixtures("load")
def test_a_release_that_reads_worse_is_refused_and_marked(
    site: Site, first: Path, bad: Path
) -> None:
    run = deploy(site, bad)
    said = " ".join(run.output.split())
    assert run.returncode != 0
    assert f"{bad.name} (version" in said
    assert f"canned drawings, and {first.name}, which is in service, reads" in said
    # The first that refuses it is the last that was asked.
    assert re.search(r"is not put in service on AI_Backend\b", said)
    assert "on AI_Backend2" not in said
    again = deploy(site, bad)
    assert again.returncode != 0
    assert f"{bad.name} is marked as bad on AI_Backend" in " ".join(again.output.split())
    assert serving(site) == {first.name}


@pytest.mark.usefixtures("load")
def test_one_that_is_too_many_goes(site: Site, first: Path) -> None:
    scale(site, 1)
    backends = [one for one in instances(site.env, "running") if one["Role"] == "backend"]
    assert len(backends) == 1
    assert balanced(site) == [True]
    assert serving(site) == {first.name}
