"""The main job: site.yml builds everything on the lab, and a drawn digit is read."""

from __future__ import annotations

import base64
import csv
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, expect

from mnist_model.recipes import RECIPES
from tests.browser.conftest import Desk
from tests.browser.drawing import DIGITS, encoded, picture
from tests.e2e.ansible_run import ROOT
from tests.e2e.conftest import Site, instances
from tests.e2e.probe import reached

pytestmark = pytest.mark.lab

PORTS = (22, 80, 443, 5000, 8888)
FRONT_DOOR = {80, 443}
REACHES = {
    ("outside", "bastion"): {22},
    ("outside", "frontend"): FRONT_DOOR,
    ("bastion", "nat"): {22},
    ("bastion", "dev"): {22},
    ("bastion", "backend"): {22},
    ("bastion", "frontend"): {22} | FRONT_DOOR,
    ("nat", "frontend"): FRONT_DOOR,
    ("dev", "frontend"): FRONT_DOOR,
    # What the private subnet may send out by the NAT instance.
    ("backend", "nat"): FRONT_DOOR,
    ("backend", "frontend"): FRONT_DOOR,
    ("frontend", "backend"): {5000},
}
"""The README's table: who reaches which of PORTS on whom. What is not here must not pass."""


def test_rehearsal_on_an_empty_account_runs_through(site: Site) -> None:
    assert site.rehearsal.returncode == 0, site.rehearsal.lines


def test_the_second_run_changes_nothing(site: Site) -> None:
    assert site.second.returncode == 0, site.second.lines
    assert set(site.second.changed) >= {"JB_A19P1", "NAT_A19P1", "AI_Backend", "AI_Frontend"}
    assert site.second.changes == []
    assert not any(site.second.changed.values())


def test_training_is_seen_epoch_by_epoch(site: Site) -> None:
    count = RECIPES["fast"].epochs
    epochs = re.findall(rf"(?<!lines: )epoch (\d+)/{count} ", site.first.output)
    assert sorted(set(epochs)) == [str(number + 1) for number in range(count)]


def test_dev_is_terminated_after_training(site: Site) -> None:
    assert "dev" not in site.hosts
    assert "dev" in {instance["Role"] for instance in instances(site.env, "terminated")}


def test_the_release_verifies_and_states_its_accuracy(site: Site) -> None:
    (release,) = site.releases.iterdir()
    command = [sys.executable, "-m", "mnist_model", "release", "verify", str(release)]
    subprocess.run(command, cwd=ROOT, check=True)
    manifest = json.loads((release / "manifest.json").read_text())
    assert manifest["accuracy"]["test"]["accuracy"] >= 0.99


def test_backend_has_no_public_address_and_every_instance_wants_imdsv2(site: Site) -> None:
    assert "PublicIpAddress" not in site.hosts["backend"]
    tokens = {role: i["MetadataOptions"]["HttpTokens"] for role, i in site.hosts.items()}
    assert set(tokens.values()) == {"required"}, tokens


def inside(site: Site, instance: str, command: str) -> str:
    """Run a command on a machine, past bastion and security groups."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.lab", "ssh", instance, command],
        cwd=ROOT,
        env=site.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, f"{instance}: {command}: {process.stderr}"
    return process.stdout


@pytest.fixture
def dev_like(site: Site) -> Iterator[dict[str, Any]]:
    """A machine where AI_Dev was, in its security group: AI_Dev itself is gone by now."""
    frontend = site.hosts["frontend"]
    group = site.ec2.describe_security_groups(
        Filters=[{"Name": "group-name", "Values": ["SG_AI_Dev"]}]
    )["SecurityGroups"][0]["GroupId"]
    (started,) = site.ec2.run_instances(
        ImageId=frontend["ImageId"],
        InstanceType="t3.micro",
        KeyName=frontend["KeyName"],
        SubnetId=frontend["SubnetId"],
        SecurityGroupIds=[group],
        MinCount=1,
        MaxCount=1,
    )["Instances"]
    site.ec2.get_waiter("instance_running").wait(InstanceIds=[started["InstanceId"]])
    yield started
    site.ec2.terminate_instances(InstanceIds=[started["InstanceId"]])
    site.ec2.get_waiter("instance_terminated").wait(InstanceIds=[started["InstanceId"]])


def test_packets_pass_where_the_table_says_and_nowhere_else(
    site: Site, dev_like: dict[str, Any]
) -> None:
    hosts = {**site.hosts, "dev": dev_like}
    assert set(hosts) == {"bastion", "nat", "dev", "backend", "frontend"}
    roles = {host["PrivateIpAddress"]: role for role, host in hosts.items()}
    script = shlex.quote((Path(__file__).parent / "probe.py").read_text())

    measured: dict[tuple[str, str], set[int]] = {}
    for source, host in hosts.items():
        targets = [[a, port] for a, role in roles.items() if role != source for port in PORTS]
        command = f"python3 -c {script} {shlex.quote(json.dumps(targets))}"
        for address, port in json.loads(inside(site, host["InstanceId"], command)):
            measured.setdefault((source, roles[address]), set()).add(port)
    for role, host in hosts.items():
        public = host.get("PublicIpAddress")
        if open_ports := {port for port in PORTS if public and reached([public, port])}:
            measured["outside", role] = open_ports

    for (source, target), ports in sorted(measured.items()):
        print(f"{source:>9} -> {target:<9} {sorted(ports)}")
    assert measured == REACHES


def test_the_backend_goes_out_by_the_nat_instance_only(site: Site) -> None:
    url = site.env["NETWORK_CHECKIP_URL"]
    seen_as = inside(site, "AI_Backend", f"curl --silent --max-time 10 {url}").strip()
    assert seen_as == site.hosts["nat"]["PublicIpAddress"]


@pytest.mark.parametrize("door", ["public address", "localhost"])
def test_a_drawn_seven_is_read(
    site: Site, browser: Browser, door: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    origin = site.page if door == "public address" else "http://localhost:8080"
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    desk = Desk(page, origin)
    desk.draw(DIGITS[7])
    expect(desk.digit).to_have_text("7")
    picture_file = tmp_path_factory.getbasetemp() / f"seven by {door}.png"
    page.screenshot(path=picture_file, animations="disabled")
    page.close()
    assert desk.errors == []
    assert {urlsplit(request.url)[:2] for request in desk.requests} == {urlsplit(origin)[:2]}


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"no picture at all", "text/plain", 415),
        (b"no picture at all", "image/png", 415),
        (encoded(picture(DIGITS[7]))[:300], "image/png", 400),
        (bytes(3 << 20), "image/png", 413),
        (encoded(picture([])), "image/png", 422),
    ],
    ids=["not a picture's type", "not a picture", "damaged", "too large", "empty"],
)
def test_a_bad_upload_gets_a_clear_answer(site: Site, body: bytes, kind: str, status: int) -> None:
    answer = requests.post(
        f"{site.page}/api/predict", data=body, headers={"Content-Type": kind}, timeout=10
    )
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert len(answer.json()["detail"]) > 20


def test_a_correction_is_collected_once_and_waits_for_a_review(site: Site, tmp_path: Path) -> None:
    drawing = base64.b64encode(encoded(picture(DIGITS[7]))).decode()
    (release,) = site.releases.iterdir()
    correction = {
        "image": f"data:image/png;base64,{drawing}",
        "kind": "digit",
        "said": "1",
        "right": "7",
        "release": release.name,
    }
    sent = requests.post(f"{site.page}/api/feedback", json=correction, timeout=10)
    assert sent.status_code == 201, sent.text
    collect = ["playbooks/collect-feedback.yml", "-e", f"feedback_dir={tmp_path}"]
    settled = site.playbook(*collect)
    assert "0 new drawings" in settled.output, "its sender may take it back for an hour"
    runs = [site.playbook(*collect, "-e", "feedback_settled=false") for _ in range(2)]
    assert [run.returncode for run in (settled, *runs)] == [0, 0, 0], runs[0].lines
    assert [sum(run.changed.values()) for run in (settled, *runs)] == [0, 2, 0]
    (day,) = tmp_path.iterdir()
    (row,) = csv.DictReader((day / "labels.csv").read_text(encoding="utf-8").splitlines())
    assert (row["label"], row["said"], row["reviewed"]) == ("7", "1", "")
    assert (day / row["file"]).read_bytes().startswith(b"\x89PNG")


def test_a_wrong_host_key_ends_in_one_clear_message(site: Site) -> None:
    known_hosts = Path(site.env["MNIST_SSH_DIR"]) / "known_hosts"
    right = known_hosts.read_text()
    ids = [site.hosts["frontend"]["InstanceId"], site.hosts["backend"]["InstanceId"]]
    known_hosts.write_text(
        "".join(
            line.replace(ids[0], "x").replace(ids[1], ids[0]).replace("x", ids[1])
            for line in right.splitlines(keepends=True)
        )
    )
    try:
        run = site.playbook("playbooks/provision.yml")
    finally:
        known_hosts.write_text(right)
    assert run.returncode != 0
    assert "does not show the SSH host key that its console showed" in " ".join(run.output.split())


def test_no_way_to_the_bastion_ends_in_one_clear_message(site: Site) -> None:
    # Who may reach the bastion, by the playbook's own variable: somebody else.
    run = site.playbook(
        "playbooks/provision.yml",
        "-e",
        "network_operator_cidrs=198.51.100.7/32",
        "-e",
        "ssh_access_tries=1",
    )
    healed = site.playbook("playbooks/provision.yml")
    assert run.returncode != 0
    assert "There is no way to the bastion JB_A19P1" in " ".join(run.output.split())
    assert healed.returncode == 0, healed.lines
