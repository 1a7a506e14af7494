"""An AWS for these tests, and Ansible pointed at it."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from tests.aws import calls

ROOT = Path(__file__).parents[2]
ANSIBLE_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
OPERATOR = "198.51.100.7/32"
RECAP = re.compile(
    r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", re.MULTILINE
)


@dataclass
class Run:
    """What a run of Ansible has said and done."""

    code: int
    output: str

    @property
    def text(self) -> str:
        """The output with every gap as one space, as Ansible breaks long lines."""
        return re.sub(r"\s+", " ", self.output)

    @property
    def changed(self) -> int:
        """How many tasks changed something, on all hosts."""
        return sum(int(match[2]) for match in RECAP.finditer(self.output))

    @property
    def message(self) -> str:
        """The one message of a failed run."""
        found = re.findall(
            r"^\[ERROR\]: Task failed: (?:Action|Module) failed: (.*?)^Origin:",
            self.output,
            re.M | re.S,
        )
        assert len(found) == 1, self.output
        return re.sub(r"\s+", " ", found[0]).strip()


@dataclass
class Aws:
    """The AWS of these tests."""

    url: str
    directory: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def calls(self) -> list[dict[str, Any]]:
        """What the playbooks have asked AWS for since the account was emptied."""
        return calls.read(self.directory / "calls")

    def client(self, service: str = "ec2") -> Any:
        """Give a boto3 client."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=self.env["AWS_REGION"],
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
        )

    def reset(self) -> None:
        """Empty the account, and let everybody in."""
        requests.post(f"{self.url}/moto-api/reset", timeout=30).raise_for_status()
        requests.post(f"{self.url}/moto-api/reset-auth", data=b"inf", timeout=30).raise_for_status()
        shutil.rmtree(self.directory / "ssh", ignore_errors=True)
        for answer in (self.directory / "answers").iterdir():
            answer.unlink()
        (self.directory / "calls").write_text("")
        (self.directory / "denied").unlink(missing_ok=True)

    def play(self, playbook: str, *arguments: str, **environment: str | None) -> Run:
        """Run a playbook from the repository's root; a variable that is None is unset."""
        env = {**self.env, **{k: v for k, v in environment.items() if v is not None}}
        for name in [name for name, value in environment.items() if value is None]:
            env.pop(name, None)
        done = subprocess.run(
            [ANSIBLE_PLAYBOOK, playbook, *arguments],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        return Run(done.returncode, done.stdout + done.stderr)


def load(path: str) -> Any:
    """Import a file that is no part of a package."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """Start the one AWS of all these tests."""
    directory = tmp_path_factory.mktemp("aws")
    programs = directory / "bin"
    programs.mkdir()
    shutil.copy(Path(__file__).with_name("ssh"), programs / "ssh")
    (directory / "answers").mkdir()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.aws.fake_aws"],
        cwd=ROOT,
        env={**os.environ, "FAKE_AWS_CALLS": str(directory / "calls")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "ANSIBLE_", "MNIST_"))
        }
        env = {
            **inherited,
            "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "FAKE_SSH": str(directory / "answers"),
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
            "AWS_SECRET_ACCESS_KEY": "secret-of-the-tests-secret-of-the-tests-00",
            "AWS_REGION": "eu-central-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "MNIST_SSH_DIR": str(directory / "ssh"),
            "HOME": str(directory),
            "ANSIBLE_NOCOLOR": "1",
        }
        yield Aws(url, directory, env)
        process.kill()


@pytest.fixture(scope="module")
def account(aws: Aws) -> Aws:
    """An empty account."""
    aws.reset()
    return aws
