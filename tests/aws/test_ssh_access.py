"""The way to the hosts: host keys from consoles, ssh_config, what is said when there is none."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws.conftest import Aws, Run, load
from tests.aws.fake_aws import console, host_key

BASTION = "i-0000000000000000a"
BACKEND = "i-0000000000000000b"
SUCCESSOR = "i-0000000000000000c"


keys = load("roles/ssh_access/library/instance_host_keys.py")


def test_keys_are_read_from_a_console() -> None:
    assert keys.host_keys(console(BASTION)) == [host_key(BASTION)]


def test_other_lines_in_the_block_do_no_harm() -> None:
    text = console(BASTION).replace(
        "\r\nssh-ed25519", "\r\n[ 9.1] audit: type=1\r\n[ 9.2] cloud-init: ssh-ed25519"
    )
    assert keys.host_keys(text) == [host_key(BASTION)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GRUB loading.\r\n",
        console(BASTION).replace("BEGIN SSH HOST KEY KEYS", "BEGIN SSH HOST KEY FINGERPRINTS"),
        console(BASTION)[: console(BASTION).index("-----END")],  # not yet printed to the end
        console(BASTION).replace(host_key(BASTION), host_key(BASTION)[:-8]),  # cut off
        console(BASTION).replace("ssh-ed25519 ", "ssh-rsa "),  # not what it says it is
    ],
)
def test_what_is_no_whole_key_is_none(text: str) -> None:
    assert keys.host_keys(text) == []


def test_the_last_block_counts() -> None:
    assert keys.host_keys(console(BACKEND) + console(BASTION)) == [host_key(BASTION)]


class OldMachine:
    """A client for a machine that has no current console."""

    def get_console_output(self, **request: Any) -> dict[str, str]:
        if request.get("Latest"):
            answer = {"Error": {"Code": "UnsupportedOperation", "Message": "not a Nitro instance"}}
            raise ClientError(answer, "GetConsoleOutput")
        return {"Output": "the console as AWS has kept it"}


def test_a_machine_without_a_current_console_gives_the_kept_one() -> None:
    assert keys.console_output(OldMachine(), BASTION) == "the console as AWS has kept it"


@pytest.fixture
def ssh(aws: Aws) -> Aws:
    """A controller that knows no host."""
    aws.reset()
    (aws.directory / "ssh").mkdir()
    for instance_id in (BASTION, BACKEND, SUCCESSOR):
        aws.client().get_console_output(InstanceId=instance_id)  # the next answer has the keys
    return aws


def play(ssh: Aws, bastion: str = BASTION) -> Run:
    return ssh.play("tests/aws/ssh_access.yml", "-e", f"bastion_id={bastion}")


def test_configuration_leads_through_the_bastion_and_checks_strictly(ssh: Aws) -> None:
    assert play(ssh).code == 0
    seen = {}
    for host in ("AI_Backend", "10.80.2.4", "JB_A19P1"):
        text = subprocess.run(
            ["/usr/bin/ssh", "-G", "-F", ssh.directory / "ssh" / "ssh_config", host],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        seen[host] = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
    backend = seen["AI_Backend"]
    assert backend["hostname"] == "10.80.2.4"
    assert backend["user"] == "ubuntu"
    assert backend["hostkeyalias"] == BACKEND
    assert backend["proxyjump"] == "JB_A19P1"
    assert backend["stricthostkeychecking"] == "true"
    assert backend["userknownhostsfile"] == str(ssh.directory / "ssh" / "known_hosts")
    assert backend["identitiesonly"] == "yes"
    assert backend["forwardagent"] == "no"
    assert {key: seen["10.80.2.4"][key] for key in backend if key != "host"} == {
        key: value for key, value in backend.items() if key != "host"
    }
    assert seen["JB_A19P1"]["hostname"] == "203.0.113.5"
    assert "proxyjump" not in seen["JB_A19P1"]


def test_known_key_stays_and_a_new_machine_of_the_name_gets_its_own(ssh: Aws) -> None:
    known = ssh.directory / "ssh" / "known_hosts"
    # Learnt long ago: no console shows it any more.
    known.write_text(f"{BACKEND} ssh-ed25519 AAAAkept\ni-00000000000000bad ssh-ed25519 AAAAgone\n")
    assert play(ssh).code == 0
    assert known.read_text().splitlines() == [
        f"{BASTION} {host_key(BASTION)}",
        f"{BACKEND} ssh-ed25519 AAAAkept",
    ]
    again = play(ssh)
    assert (again.code, again.changed) == (0, 0)
    assert play(ssh, SUCCESSOR).code == 0
    assert known.read_text().splitlines() == [
        f"{BACKEND} ssh-ed25519 AAAAkept",
        f"{SUCCESSOR} {host_key(SUCCESSOR)}",
    ]


def test_console_without_keys_ends_in_one_message(ssh: Aws) -> None:
    run = ssh.play(
        "tests/aws/ssh_access.yml",
        "-e",
        "bastion_id=i-silent",
        "-e",
        "ssh_access_console_seconds=5",
    )
    assert run.code != 0
    assert "console output of i-silent" in run.message
    assert "terminate the instance and run again" in run.message


def test_no_route_to_the_bastion_ends_in_one_message(ssh: Aws) -> None:
    (ssh.directory / "answers" / "JB_A19P1").write_text(
        "ssh: connect to host 203.0.113.5 port 22: Connection timed out\n"
    )
    run = play(ssh)
    assert run.code != 0
    assert run.message.startswith(
        "There is no way to the bastion JB_A19P1: ssh: connect to host 203.0.113.5"
    )
    assert "lets in only 198.51.100.7/32" in run.message


def test_wrong_host_key_ends_in_one_message(ssh: Aws) -> None:
    (ssh.directory / "answers" / "JB_A19P1").write_text(
        "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n"
    )
    run = play(ssh)
    assert run.code != 0
    assert run.message.startswith(f"JB_A19P1 ({BASTION}) does not show the SSH host key")
    assert f"delete the lines of {BASTION} in {ssh.directory}/ssh/known_hosts" in run.message
