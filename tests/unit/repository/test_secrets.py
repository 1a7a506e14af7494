"""The repository holds no secret, and what is private is never committed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PATTERNS = {
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{60}"),
    "AWS access key": re.compile(r"\b(?:AKIA|ASIA)(?!TEST|LAB|WRONG|IOSFODNN7)[A-Z0-9]{16}\b"),
    "AWS secret key": re.compile(r"(?i)aws_secret_access_key\s*[=:]\s*[\"']?[A-Za-z0-9/+]{40}\b"),
    "Jupyter token": re.compile(r"[?&]token=[A-Za-z0-9]{20,}"),
    "GitHub token": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}\b"),
    "address with a password": re.compile(r"\bhttps?://[^\s/:@\"'`<>{}]+:[^\s/@\"'`<>{}]+@"),
}
SAMPLES = {
    "private key": "-----BEGIN RSA PRIVATE " + "KEY-----\n" + "MIIEpAIBAAKCAQEA" * 5,
    "AWS access key": "AKIA" + "J5QWERTYUIOPASDF",
    "AWS secret key": "aws_secret_access_key = " + "a1B2" * 10,
    "Jupyter token": "/lab?" + "token=" + "a1" * 20,
    "GitHub token": "ghp" + "_" + "a" * 36,
    "address with a password": "https://" + "me:word@example.org/simple",
}
PRIVATE = [".lab/env", "artifacts/ssh/id_ed25519"]


def git(*arguments: str) -> list[str]:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.split("\0")[:-1] if "-z" in arguments else done.stdout.splitlines()


@pytest.mark.parametrize("kind", PATTERNS)
def test_a_secret_would_be_found(kind: str) -> None:
    assert PATTERNS[kind].search(f"x {SAMPLES[kind]}\n")


def test_no_file_has_one() -> None:
    found = []
    for name in git("ls-files", "-z"):
        text = (ROOT / name).read_bytes().decode("latin-1")
        found += [f"{name}: {kind}" for kind, pattern in PATTERNS.items() if pattern.search(text)]
    assert found == []


@pytest.mark.parametrize("path", PRIVATE)
def test_what_is_private_is_ignored(path: str) -> None:
    assert git("check-ignore", path) == [path]


def test_what_the_vault_example_leads_to_is_committed_encrypted_only() -> None:
    example = (ROOT / "inventory/group_vars/vault.example.yml").read_text(encoding="utf-8")
    (vault,) = set(re.findall(r"inventory/group_vars/\w+\.yml", example))
    if vault in git("ls-files"):
        assert (ROOT / vault).read_text(encoding="utf-8").startswith("$ANSIBLE_VAULT;")
