"""Faults under a steady load: what must hold is written at each, and every request is counted.

Failed requests are allowed only where nobody was left to answer them. What a fault takes until all
is answered again is the time from the fault to the last failed or late request; at most
RECOVERY_SECONDS where it must go without a hand. FAULTS_REPORT=FILE writes the table of
docs/operations.md.
"""

from __future__ import annotations

import os
import random
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from mnist_api.trial import drawings
from tests.api.releases import another
from tests.e2e.ansible_run import ROOT, run_playbook
from tests.e2e.conftest import Site, instances
from tests.e2e.load import Load, posts
from tests.e2e.test_deploy import DEPLOY, balanced, deploy, scale, serving
from tests.e2e.test_site import inside

pytestmark = [pytest.mark.lab, pytest.mark.long]

RATE = 40
LATE_SECONDS = 2.0
"""An answer that took longer is no failure, but counts into the time until all was well again."""
RECOVERY_SECONDS = 10
IN_HAND = 4
"""Requests that one worker has at this load, in work or in its queue: a killed one cannot give them
back."""
PROVISION = "playbooks/provision.yml"


@dataclass
class Fault:
    """One fault's figures; `at`: time.monotonic() when it struck."""

    name: str
    load: Load
    at: float = 0.0

    @property
    def failed(self) -> int:
        return self.load.failures.total()

    @property
    def recovery(self) -> float:
        """Seconds from the fault until the last request that failed or was late had its answer."""
        late = [a for a in self.load.answers if a.failed or a.seconds > LATE_SECONDS]
        return max((one.due + one.seconds - self.at for one in late), default=0.0)

    @property
    def row(self) -> str:
        sent = len(self.load.answers)
        return f"| {self.name} | {sent:,} | {self.failed} | {self.recovery:.1f} |"


ROWS: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def report() -> Iterator[None]:
    yield
    head = ("| fault | requests | failed | seconds until all was well |", "|---|---|---|---|")
    table = "\n".join([*head, *ROWS])
    print(f"\n{table}")
    if file := os.environ.get("FAULTS_REPORT"):
        Path(file).write_text(f"{table}\n", encoding="utf-8")


@contextmanager
def under_load(site: Site, name: str, after: float = 3) -> Iterator[Fault]:
    """A steady load around a fault, and for so many seconds after it."""
    bodies = [one.png for one in drawings() if len(one.text) == 1]
    load = Load(site.page, posts(site.page, "/api/predict", bodies), RATE)
    with load:
        time.sleep(2)
        fault = Fault(name, load, time.monotonic())
        yield fault
        time.sleep(after)
    ROWS.append(fault.row)
    print(fault.row, dict(load.failures))
    assert len(load.answers) > RATE


def until(what: str, check: Any, seconds: float = 60) -> float:
    """Wait until something is so; return after how many seconds."""
    begun = time.monotonic()
    while not check():
        assert time.monotonic() - begun < seconds, f"not after {seconds} s: {what}"
        time.sleep(0.2)
    return time.monotonic() - begun


def host(site: Site, role: str) -> str:
    return str(site.hosts[role]["InstanceId"])


def workers(site: Site, name: str = "AI_Backend") -> set[str]:
    told = inside(site, name, "systemctl is-active mnist-api@1 mnist-api@2 || true")
    return set(told.split())


def stop(site: Site, instance: str) -> None:
    site.ec2.stop_instances(InstanceIds=[instance])
    site.ec2.get_waiter("instance_stopped").wait(
        InstanceIds=[instance], WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )


def start(site: Site, instance: str) -> None:
    site.ec2.start_instances(InstanceIds=[instance])
    site.ec2.get_waiter("instance_running").wait(
        InstanceIds=[instance], WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )


def test_a_worker_is_killed(site: Site) -> None:
    """The other answers; at most what the killed one had in hand fails, and it comes back."""
    with under_load(site, "kill -9 of a worker") as fault:
        inside(site, "AI_Backend", "sudo systemctl kill --signal=KILL mnist-api@1")
        until("both work again", lambda: workers(site) == {"active"})
    assert fault.failed <= IN_HAND, fault.load.failures


def test_both_workers_are_killed(site: Site) -> None:
    """systemd holds the socket: requests wait in its queue until the workers are there again.

    Of those that waited, what the workers' own queues do not hold is told to come again (503).
    """
    with under_load(site, "kill -9 of both workers", after=5) as fault:
        inside(site, "AI_Backend", "sudo systemctl kill --signal=KILL mnist-api@1 mnist-api@2")
        until("both work again", lambda: workers(site) == {"active"})
    failures = fault.load.failures
    assert fault.failed - failures["503"] <= 2 * IN_HAND, failures
    assert fault.recovery <= RECOVERY_SECONDS


def test_a_whole_backend_goes_and_comes(site: Site) -> None:
    """It leaves the balancer before its workers stop; the one that is back is used."""
    scale(site, 2)
    (second,) = [
        one["InstanceId"]
        for one in instances(site.env, "running")
        if {t["Key"]: t["Value"] for t in one["Tags"]}["Name"] == "AI_Backend2"
    ]
    try:
        with under_load(site, "stop and start of one backend of two", after=5) as fault:
            stop(site, second)
            start(site, second)
            until("it serves again", lambda: workers(site, "AI_Backend2") == {"active"})
        assert fault.failed == 0, fault.load.failures
        until("it is used again", lambda: balanced(site) == [True, True])
    finally:
        scale(site, 1)


def test_the_nat_instance_is_gone(site: Site) -> None:
    """Serving needs no way out; without it a backend reaches nothing; provisioning heals it."""
    look = f"curl --silent --max-time 3 {site.env['NETWORK_CHECKIP_URL']} || echo no way"
    with under_load(site, "the NAT instance is gone") as fault:
        stop(site, host(site, "nat"))
        assert "no way" in inside(site, "AI_Backend", look)
    assert fault.failed == 0, fault.load.failures
    healed = site.playbook(PROVISION)
    assert healed.returncode == 0, healed.lines
    until("there is a way out", lambda: "no way" not in inside(site, "AI_Backend", look))


def test_the_frontend_is_rebooted(site: Site) -> None:
    """Nobody else can answer meanwhile; it serves again without a hand."""
    with under_load(site, "the frontend is rebooted", after=12) as fault:
        site.ec2.reboot_instances(InstanceIds=[host(site, "frontend")])
    assert fault.failed > 0  # otherwise it was not rebooted
    assert fault.recovery <= RECOVERY_SECONDS
    assert balanced(site) == [True]


def test_the_disk_of_a_backend_is_full(site: Site, tmp_path: Path) -> None:
    """Reading goes on; a deploy fails with what served before; with room again it works."""
    (first,) = site.releases.iterdir()
    second = another(first, tmp_path, "2026-04-01T00:00:00Z")
    fill = (
        "sudo sh -c 'fallocate -l $(df --output=avail -B1 / | tail -1) /full; echo >/more' || true"
    )
    try:
        with under_load(site, "a full disk on the backend, and a deploy onto it") as fault:
            inside(site, "AI_Backend", fill)
            run = deploy(site, second)
        assert run.returncode != 0
        assert fault.failed == 0, fault.load.failures
        assert serving(site) == {first.name}
    finally:
        inside(site, "AI_Backend", "sudo rm -f /full /more")
    healed = site.playbook(DEPLOY)
    assert healed.returncode == 0, healed.lines
    assert serving(site) == {first.name}


def test_one_bit_of_the_release_flips(site: Site) -> None:
    """A worker refuses it and goes on with what it has in memory; a deploy replaces the file."""
    (first,) = site.releases.iterdir()
    file = f"$(sudo find /opt/mnist-api/releases/{first.name} -name model.tflite)"
    flip = (
        "import sys; f = open(sys.argv[1], 'r+b'); f.seek(5000); b = f.read(1)[0]; "
        "f.seek(5000); f.write(bytes([b ^ 1]))"
    )
    with under_load(site, "one bit of the release flips, and workers reload it") as fault:
        inside(site, "AI_Backend", f'sudo python3 -c "{flip}" {file}')
        inside(site, "AI_Backend", "sudo systemctl reload mnist-api@1 mnist-api@2")
        time.sleep(2)
        assert workers(site) == {"active"}
        healed = site.playbook(DEPLOY)
    assert healed.returncode == 0, healed.lines
    assert fault.failed == 0, fault.load.failures
    check = "/opt/mnist-api/current/venv/bin/python -m mnist_model release verify"
    inside(site, "AI_Backend", f"sudo {check} /opt/mnist-api/releases/{first.name}")


def test_a_deploy_is_interrupted_and_repeated(site: Site, tmp_path: Path) -> None:
    """At a random moment; what serves goes on serving, and the next run finishes it."""
    (first,) = site.releases.iterdir()
    second = another(first, tmp_path, "2026-05-01T00:00:00Z")
    moment = random.uniform(4, 25)  # noqa: S311 - no secret
    print(f"interrupted after {moment:.1f} s")
    named = ("-e", f"releases_dir={tmp_path}", "-e", f"release={second.name}")
    with under_load(site, "a deploy is interrupted and repeated") as fault:
        process = subprocess.Popen(
            ["ansible-playbook", DEPLOY, *named],
            cwd=ROOT,
            env=site.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        repeated = deploy(site, second)
    assert repeated.returncode == 0, repeated.lines
    assert fault.failed == 0, fault.load.failures
    assert serving(site) == {second.name}
    assert balanced(site) == [True]
    back = site.playbook(DEPLOY)
    assert back.returncode == 0, back.lines


def test_the_bastion_is_unreachable(site: Site) -> None:
    """Serving does not need it; a deploy says so and changes nothing; provisioning heals it."""
    with under_load(site, "the bastion is gone, and a deploy is tried") as fault:
        stop(site, host(site, "bastion"))
        run = run_playbook(site.env, DEPLOY, "-e", f"releases_dir={site.releases}")
    assert run.returncode != 0
    assert fault.failed == 0, fault.load.failures
    healed = site.playbook(PROVISION)
    assert healed.returncode == 0, healed.lines


def test_the_clock_is_wrong_by_a_day(site: Site) -> None:
    """The workers' clock, by a preloaded library: a machine of the lab has no clock of its own."""
    (first,) = site.releases.iterdir()
    source = shlex.quote((ROOT / "tests" / "e2e" / "wall_clock.c").read_text(encoding="utf-8"))
    library = "/usr/local/lib/wall-clock.so"
    compiler = "sudo apt-get -qq install -y --no-install-recommends gcc libc6-dev >/dev/null"
    build = f"printf %s {source} | sudo gcc -shared -fPIC -x c -o {library} -"
    inside(site, "AI_Backend", f"{compiler} && {build}")
    place = "/etc/systemd/system/mnist-api@.service.d"
    try:
        with under_load(site, "the workers' clocks are a day ahead, then a day behind") as fault:
            for shift in (86_400, -86_400):
                given = f"LD_PRELOAD={library} WALL_CLOCK_SHIFT={shift}"
                unit = f"[Service]\\nEnvironment={given}\\n"
                wrong = f"mkdir -p {place}; printf '{unit}' > {place}/clock.conf"
                inside(site, "AI_Backend", f'sudo sh -c "{wrong}; systemctl daemon-reload"')
                for number in (1, 2):
                    inside(site, "AI_Backend", f"sudo systemctl restart mnist-api@{number}")
                assert serving(site) == {first.name}
                assert clock_is_ahead(site) == pytest.approx(shift, abs=60)
        assert fault.failed == 0, fault.load.failures
    finally:
        inside(
            site,
            "AI_Backend",
            f"sudo sh -c 'rm -rf {place} {library}; systemctl daemon-reload; "
            "systemctl restart mnist-api@1; systemctl restart mnist-api@2'",
        )


def clock_is_ahead(site: Site) -> float:
    """Ask a worker for its time; return by how many seconds it is before the controller's."""
    address = site.hosts["backend"]["PrivateIpAddress"]
    head = inside(site, "AI_Backend", f"curl --silent --head http://{address}:5000/healthz")
    (date,) = re.findall(r"^Date: (.+?)\r?$", head, re.MULTILINE)
    return parsedate_to_datetime(date).timestamp() - time.time()


def test_a_second_run_of_everything_finds_all_as_it_should_be(site: Site) -> None:
    """No fault left anything that site.yml has to mend, or cannot."""
    healed = site.playbook("site.yml")
    assert healed.returncode == 0, healed.lines
    again = site.playbook("site.yml")
    assert again.changes == []
