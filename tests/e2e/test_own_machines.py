"""site.yml on machines that are there already: three plain ones, by inventory/hosts.example.yml."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.browser.drawing import DIGITS, encoded, picture
from tests.conftest import LabFixture
from tests.e2e.ansible_run import ROOT, run_playbook
from tests.lab import names
from tests.lab.world import ANYWHERE, World, tcp

pytestmark = [pytest.mark.lab, pytest.mark.long]
RELEASE = next((ROOT / "tests/fixtures/release").glob("mnist-cnn-*"))


@pytest.fixture(scope="module")
def world(lab: LabFixture, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A bastion, a frontend and a backend, of nobody's project."""
    world = World(lab.env, tmp_path_factory.mktemp("own"), "10.97.0.0/16")
    try:
        bastion = world.group("bastion", tcp(22, f"{names.CONTROLLER_ADDRESS}/32"))
        frontend = world.group("frontend", tcp(22, bastion), tcp(80, ANYWHERE))
        backend = world.group("backend", tcp(22, bastion), tcp(5000, frontend))
        world.run("gate", bastion, public=True)
        world.run("page", frontend, public=True)
        world.run("reader", backend, public=True, InstanceType="t3.small")
        world.know("gate", "page", "reader")
        yield world
    finally:
        world.close()


def inventory(world: World, bastion: bool) -> Path:
    """Fill in the example, as its reader would."""
    hosts: dict[str, Any] = yaml.safe_load((ROOT / "inventory/hosts.example.yml").read_text())
    groups = hosts["all"]["children"]
    hosts["all"]["vars"]["machines_ssh_args"] = f"-F {world.directory}/ssh_config"
    address = world.private_ip("reader")
    groups["backend"]["hosts"] = {"reader": {"private_address": address}}
    groups["frontend"]["hosts"] = {
        "page": {
            "private_address": world.private_ip("page"),
            "public_address": world.public_ip("page"),
        }
    }
    groups["bastion"]["hosts"] = {"gate": {}} if bastion else {}
    shutil.copytree(
        ROOT / "inventory/group_vars", world.directory / "group_vars", dirs_exist_ok=True
    )
    file = world.directory / "hosts.yml"
    file.write_text(yaml.safe_dump(hosts))
    return file


def without_aws() -> dict[str, str]:
    """An environment in which nothing of AWS can be reached."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MNIST_"))}
    return {**environment, "AWS_EC2_METADATA_DISABLED": "true"}


def test_site_yml_serves_the_page_on_them(world: World) -> None:
    arguments = ("-e", f"releases_dir={RELEASE.parent}", "-e", f"release={RELEASE.name}")
    run = run_playbook(
        without_aws(), "-i", str(inventory(world, bastion=True)), "site.yml", *arguments
    )
    assert run.returncode == 0, run.lines
    assert set(run.changed) == {"localhost", "gate", "page", "reader"}
    warnings = [line for line in run.output.splitlines() if "WARNING" in line]
    # Ansible itself makes a new host's directory for temporary files, and says so.
    assert [line for line in warnings if "remote_tmp" not in line] == []
    answer = requests.post(
        f"http://{world.public_ip('page')}/api/predict",
        data=encoded(picture(DIGITS[7])),
        headers={"Content-Type": "image/png"},
        timeout=10,
    )
    assert answer.json()["digit"] == 7


def test_without_a_bastion_nothing_is_left_to_do(world: World) -> None:
    """A second run, by an inventory whose bastion is none of its hosts."""
    arguments = ("-e", f"releases_dir={RELEASE.parent}", "-e", f"release={RELEASE.name}")
    run = run_playbook(
        without_aws(), "-i", str(inventory(world, bastion=False)), "site.yml", *arguments
    )
    assert run.returncode == 0, run.lines
    assert set(run.changed) == {"localhost", "page", "reader"}
    assert run.changes == []


def test_what_the_inventory_lacks_is_said_before_anything_is_changed(world: World) -> None:
    file = inventory(world, bastion=True)
    file.write_text(file.read_text().replace("public_address:", "some_address:"))
    run = run_playbook(without_aws(), "-i", str(file), "site.yml")
    assert run.returncode != 0
    assert "Give page a public_address in the inventory" in " ".join(run.output.split())
