"""Small parts of the lab: user data, the frontend's address, real addresses, the conda stand-in."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab import anaconda, control, dns, proxy, real, userdata
from tests.lab.anaconda import conda
from tests.lab.model import Group, Network, Rule


def test_a_script_is_run_as_it_is() -> None:
    assert userdata.to_script(b"#!/bin/sh\ntrue\n") == b"#!/bin/sh\ntrue\n"


def test_no_user_data_is_no_script() -> None:
    assert userdata.to_script(b"") == b""


def test_a_small_cloud_config_becomes_a_script() -> None:
    script = userdata.to_script(
        b"#cloud-config\npackages: [jq]\nruncmd: [[touch, /a b], 'id -u']\n"
    )
    assert script.splitlines()[0] == b"#!/bin/sh"
    assert script.splitlines()[-3:] == [b"apt-get install -q -y jq", b"touch '/a b'", b"id -u"]


@pytest.mark.parametrize(
    "text", [b"#cloud-config\nusers: []\n", b"Content-Type: multipart/mixed\n"]
)
def test_what_the_lab_cannot_run_fails_and_says_so(text: bytes) -> None:
    done = subprocess.run(["sh"], input=userdata.to_script(text), capture_output=True, check=False)
    assert done.returncode == 1
    assert b"the lab's machines run only" in done.stdout.replace(b"run of", b"run only of")


def test_the_frontend_is_who_lets_the_world_in_on_port_80(network: Network) -> None:
    assert proxy.frontend(network) is None
    web = Group("sg-nat", (Rule("tcp", (80, 80), cidr="0.0.0.0/0"),))
    assert proxy.frontend(replace(network, groups=(network.groups[0], web))) == "203.0.113.8"
    private = Group("sg-app", (Rule("tcp", (80, 80), cidr="0.0.0.0/0"),))
    assert proxy.frontend(replace(network, groups=(private,))) is None


def test_real_addresses_in_a_dns_answer() -> None:
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04"
    answer = record + bytes([203, 0, 113, 80]) + record + bytes([192, 0, 2, 80])
    assert real.in_answer(answer) == {"203.0.113.80"}


def test_a_question_that_no_resolver_answers_is_answered_with_servfail() -> None:
    question = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x01a\x00\x00\x01\x00\x01"
    answer = dns.failure(question)
    assert answer[:2] == question[:2]
    assert answer[2] & 0x80  # an answer
    assert answer[3] & 0x0F == 2  # SERVFAIL
    assert answer[4:] == question[4:]


def write(directory: Path, *dependencies: str) -> Path:
    file = directory / "environment.yml"
    file.write_text("dependencies:\n" + "".join(f"  - {item}\n" for item in dependencies))
    return file


def test_conda_leaves_the_pip_section_to_pip(tmp_path: Path) -> None:
    python = f"python={conda.PYTHON}"
    file = write(tmp_path, python, "pip", "pip: ['-r requirements.txt']")
    assert conda.requirements(file) == ["-r requirements.txt"]


@pytest.mark.parametrize("wanted", ["python=2.7", "python=3", "numpy"])
def test_conda_refuses_what_it_cannot_do(tmp_path: Path, wanted: str) -> None:
    if wanted == "python=3":
        assert conda.requirements(write(tmp_path, wanted)) == []
        return
    with pytest.raises(SystemExit, match="stand-in") as ended:
        conda.requirements(write(tmp_path, wanted))
    assert wanted.partition("=")[0] in str(ended.value)


def test_the_installer_is_a_valid_script_with_everything_inside() -> None:
    script = anaconda.installer()
    subprocess.run(["sh", "-n"], input=script, check=True)
    assert b"@LOCK@" not in script
    assert b"@CONDA@" not in script
    assert b"jupyterlab==" in script


def test_the_environment_is_parsed_as_bash_would(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = "# a comment\nexport A=1\nexport PATH=/lab/bin:$PATH\nunset AWS_PROFILE\n"
    monkeypatch.setattr(control, "environment_text", lambda: text)
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("PATH", str(tmp_path))
    settings = control.environment()
    assert settings["A"] == "1"
    assert settings["PATH"] == f"/lab/bin:{tmp_path}"
    assert "AWS_PROFILE" not in settings
