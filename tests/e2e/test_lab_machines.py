"""Machines on the lab: what they are at first boot, and what the API's calls do to them."""

from __future__ import annotations

import ipaddress
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conftest import LabFixture
from tests.lab import cgroups, machine, names
from tests.lab.world import AL2023, World, tcp, wait_until

pytestmark = pytest.mark.lab
USER_DATA = "#!/bin/sh\necho user data of $(hostname) | tee /root/ran\n"


@pytest.fixture(scope="module")
def world(lab: LabFixture, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(lab.env, tmp_path_factory.mktemp("machines"), "10.98.0.0/16")
    try:
        group = world.group("all", tcp(22, f"{names.CONTROLLER_ADDRESS}/32"))
        world.allow("all", tcp(22, group))
        world.run("amazon", group, public=True, of=AL2023, user_data=USER_DATA)
        world.run("ubuntu", group, public=True)
        world.know("amazon", "ubuntu")
        yield world
    finally:
        world.close()


def boot_id(world: World, name: str) -> str:
    return world.ssh(name, "cat /proc/sys/kernel/random/boot_id").stdout


def refused(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_the_login_user_is_the_images_and_may_do_everything(world: World) -> None:
    for name, user in (("amazon", "ec2-user"), ("ubuntu", "ubuntu")):
        assert world.ssh(name, "id -un; sudo -n id -un").stdout == f"{user}\nroot\n"


def test_a_machine_is_a_whole_system_that_came_up(world: World) -> None:
    assert world.ssh("ubuntu", "systemctl is-system-running --wait").stdout == "running\n"


def test_the_console_names_the_host_keys_that_the_machine_has(world: World) -> None:
    scanned = subprocess.run(
        ["ssh-keyscan", "-t", "ed25519,ecdsa", world.public_ip("amazon")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    keys = [line.split(" ", 1)[1] for line in scanned.splitlines() if not line.startswith("#")]
    assert sorted(keys) == sorted(world.host_keys("amazon"))
    assert "-----BEGIN SSH HOST KEY FINGERPRINTS-----" in world.console("amazon")


def test_user_data_ran_at_first_boot(world: World) -> None:
    world.ssh("amazon", "cloud-init status --wait")
    address = world.private_ip("amazon").replace(".", "-")
    expected = f"user data of ip-{address}\n"
    assert world.ssh("amazon", "sudo cat /root/ran").stdout == expected
    assert expected.strip() in world.console("amazon")
    assert world.ssh("ubuntu", "test -e /var/lib/cloud/instance/boot-finished").returncode == 0


def test_public_addresses_are_of_the_documentation_range(world: World) -> None:
    for name in ("amazon", "ubuntu"):
        address = world.public_ip(name)
        assert ipaddress.ip_address(address) in names.PUBLIC_RANGE
        assert address in names.PUBLIC_ADDRESSES


def test_a_machine_has_its_instance_types_memory_and_no_more(world: World) -> None:
    (directory, *_) = cgroups.directories(names.machine_name(world.ids["ubuntu"]))
    limits = [directory / "memory.max", directory / "memory.limit_in_bytes"]
    assert [int(file.read_text()) for file in limits if file.exists()] == [2**30]
    hog = world.ssh("ubuntu", "python3 -c 'bytearray(3 * 2**29)'; echo $?")
    assert hog.stdout == "137\n"
    assert world.ssh("ubuntu", "echo alive").stdout == "alive\n"


def test_a_machine_has_its_own_share_of_the_processors(world: World) -> None:
    name = names.machine_name(world.ids["ubuntu"])
    for directory in cgroups.directories(name):
        for file, share in (("cpu.weight", cgroups.SHARE), ("cpu.shares", 1024)):
            if (directory / file).exists():
                assert int((directory / file).read_text()) == share
    # Lines are number:controllers:path; version 2 of cgroups has one line, without controllers.
    one = max(machine.processes(name))
    lines = [line.split(":", 2) for line in Path(f"/proc/{one}/cgroup").read_text().splitlines()]
    counted = {kind: path for _, kinds, path in lines for kind in kinds.split(",")}
    assert f"/{name}" in (counted.get("cpu") or counted[""])


def test_what_is_done_over_ssh_can_be_set_aside(world: World) -> None:
    name = names.machine_name(world.ids["ubuntu"])

    def is_aside() -> bool:
        cgroups.set_aside_sessions(name)  # again: sshd may just have been started anew
        return f"{name}{cgroups.SESSIONS}" in world.ssh("ubuntu", "cat /proc/self/cgroup").stdout

    if (cgroups.CGROUPS / "cpu").is_dir():  # version 1
        assert any(is_aside() for _ in range(10))
    else:
        assert not is_aside()


def test_stop_and_start(world: World) -> None:
    ec2, ids = world.ec2, [world.ids["amazon"]]
    before, keys = world.describe("amazon"), world.host_keys("amazon")
    world.ssh("amazon", "echo kept > file")
    ec2.stop_instances(InstanceIds=ids)
    assert world.state("amazon") == "stopping"
    world.wait_for("amazon", "stopped")
    assert "PublicIpAddress" not in world.describe("amazon")
    assert machine.processes(names.machine_name(ids[0])) == set()
    ec2.start_instances(InstanceIds=ids)
    world.wait_for("amazon", "running")
    after = world.describe("amazon")
    assert after["PrivateIpAddress"] == before["PrivateIpAddress"]
    assert after["PublicIpAddress"] != before["PublicIpAddress"]
    config = world.directory / "ssh_config"
    text = config.read_text()
    config.write_text(text.replace(before["PublicIpAddress"], after["PublicIpAddress"]))
    # known_hosts is as it was: the host keys stay, and so does the disk; user data ran only once
    ran = world.ssh("amazon", "cat file; sudo cat /root/ran").stdout.splitlines()
    assert [line.split()[0] for line in ran] == ["kept", "user"]
    assert keys[0].split()[1] in (world.directory / "known_hosts").read_text()


def test_an_elastic_address_stays_over_stop_and_start(world: World) -> None:
    ec2, ids = world.ec2, [world.ids["ubuntu"]]
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=ids[0])
    ec2.stop_instances(InstanceIds=ids)
    world.wait_for("ubuntu", "stopped")
    ec2.start_instances(InstanceIds=ids)
    world.wait_for("ubuntu", "running")
    assert world.public_ip("ubuntu") == address["PublicIp"]
    ec2.release_address(AllocationId=address["AllocationId"])


def test_reboot_by_the_api_and_from_inside(world: World) -> None:
    first = boot_id(world, "amazon")
    world.ec2.reboot_instances(InstanceIds=[world.ids["amazon"]])
    second = wait_until("a new boot", lambda: new_boot(world, "amazon", first))
    assert world.state("amazon") == "running"
    world.ssh("amazon", "sudo systemctl reboot", check=False)
    wait_until("a new boot", lambda: new_boot(world, "amazon", second))
    assert world.state("amazon") == "running"


def new_boot(world: World, name: str, old: str) -> str | None:
    done = world.ssh(name, "cat /proc/sys/kernel/random/boot_id", check=False)
    return done.stdout if done.returncode == 0 and done.stdout != old else None


def test_powered_off_from_inside_it_is_stopped(world: World) -> None:
    world.ssh("ubuntu", "sudo systemctl poweroff", check=False)
    world.wait_for("ubuntu", "stopped")
    world.ec2.start_instances(InstanceIds=[world.ids["ubuntu"]])
    world.wait_for("ubuntu", "running")


def test_terminated_nothing_of_it_is_left(world: World) -> None:
    instance = world.run("brief", world.groups["all"], public=True)
    world.wait_for("brief", "running")
    world.ec2.terminate_instances(InstanceIds=[instance])
    world.wait_for("brief", "terminated", 10)
    name = names.machine_name(instance)
    assert machine.processes(name) == set()
    assert not (names.MACHINES / instance).exists()
    wait_until("no namespace", lambda: not Path(f"/run/netns/{name}").exists(), 5)
    assert "PublicIpAddress" not in world.describe("brief")
    with pytest.raises(ClientError) as error:
        world.ec2.start_instances(InstanceIds=[instance])
    assert refused(error) == "IncorrectInstanceState"


def test_metadata_is_told_to_who_has_a_token(world: World) -> None:
    ask = "curl -s -m 5 -o /dev/stdout -w '%{http_code}'"
    url = f"http://{names.METADATA_ADDRESS}/latest"
    world.ec2.modify_instance_metadata_options(
        InstanceId=world.ids["ubuntu"], HttpTokens="required"
    )
    assert world.ssh("ubuntu", f"{ask} {url}/meta-data/instance-id").stdout == "401"
    with_token = (
        f"token=$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' {url}/api/token); "
        f'{ask} -H "X-aws-ec2-metadata-token: $token" {url}/meta-data/'
    )
    assert world.ssh("ubuntu", f"{with_token}instance-id").stdout == f"{world.ids['ubuntu']}200"
    assert world.ssh("ubuntu", f"{with_token}placement/").stdout == "availability-zone\nregion200"
    assert world.ssh("ubuntu", f"{with_token}nosuch").stdout == "404"


def test_user_data_that_cannot_be_run_is_told_on_the_console(world: World) -> None:
    world.run("odd", world.groups["all"], public=True, user_data="#cloud-config\nusers: []\n")
    wait_until("the reason", lambda: "not users" in world.console("odd"))


def test_why_an_instance_could_not_run_is_its_state_reason(
    world: World, lab: LabFixture, tmp_path: Path
) -> None:
    other = World(lab.env, tmp_path, "10.98.0.0/16")
    try:
        nic = {"SubnetId": other.public, "PrivateIpAddress": world.private_ip("ubuntu")}
        instance = other.ec2.run_instances(
            ImageId=other.image(AL2023), MinCount=1, MaxCount=1, **nic
        )["Instances"][0]
        other.ids["twin"] = instance["InstanceId"]
        other.wait_for("twin", "terminated", 10)
        reason = other.describe("twin")["StateReason"]["Message"]
        assert world.ids["ubuntu"] in reason
        assert world.ssh("ubuntu", "echo alive").stdout == "alive\n"
    finally:
        other.close()


def test_what_does_not_exist_cannot_be_run(world: World) -> None:
    for wrong, code in (
        ({"ImageId": "ami-00000000000000000"}, "InvalidAMIID.NotFound"),
        ({"ImageId": world.image(AL2023), "InstanceType": "t3.nosuch"}, "InvalidInstanceType"),
    ):
        with pytest.raises(ClientError) as error:
            world.ec2.run_instances(MinCount=1, MaxCount=1, **wrong)
        assert refused(error).startswith(code)


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("ec2", "describe_instances", "AuthFailure"),
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
    ],
)
def test_wrong_credentials_are_refused(lab: LabFixture, service: str, call: str, code: str) -> None:
    client = boto3.client(
        service,
        endpoint_url=lab.env["AWS_ENDPOINT_URL"],
        region_name=lab.env["AWS_REGION"],
        aws_access_key_id="AKIAWRONGWRONGWRONGW",
        aws_secret_access_key="wrong",  # noqa: S106
    )
    with pytest.raises(ClientError) as error:
        getattr(client, call)()
    assert refused(error) == code


def lab_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [f"{names.REPOSITORY}/.venv/bin/python", "-m", "tests.lab", *arguments],
        cwd=names.REPOSITORY,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_the_commands_that_look_at_machines(world: World) -> None:
    rows = [line.split() for line in lab_command("status").stdout.splitlines()]
    row = next(row for row in rows if row[0] == "amazon")
    addresses = [world.private_ip("amazon"), world.public_ip("amazon")]
    assert row[1:6] == [world.ids["amazon"], "t3.micro", "running", *addresses]
    assert "Multi-User System" in lab_command("console", world.ids["ubuntu"]).stdout
    assert lab_command("ssh", "amazon", "id", "-un").stdout == "ec2-user\n"
    unknown = lab_command("ssh", "nosuch")
    assert unknown.returncode == 1
    assert unknown.stderr.startswith("lab: there is no machine nosuch; there are: amazon")
