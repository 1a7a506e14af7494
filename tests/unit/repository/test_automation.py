"""CI and the commit hooks call make targets, so there is one definition of every check."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):(?!=)", MAKEFILE, re.MULTILINE))
LINTERS = re.search(r"^LINTERS := (.*)$", MAKEFILE, re.MULTILINE)[1].split()


def read(path: str) -> dict:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def test_ci_calls_make_targets_only() -> None:
    jobs = read(".github/workflows/ci.yml")["jobs"].values()
    steps = [step for job in jobs for step in job["steps"]]
    commands = [step["run"] for step in steps if "run" in step]
    assert commands
    assert [c for c in commands if not re.fullmatch(r"make [a-z-]+", c)] == []
    assert {command.split()[1] for command in commands} <= TARGETS
    assert {step["uses"].split("@")[0] for step in steps if "uses" in step} == {"actions/checkout"}


def test_every_linter_is_a_hook_and_every_hook_a_linter() -> None:
    repos = read(".pre-commit-config.yaml")["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    entries = sorted(hook["entry"] for hook in repos[0]["hooks"])
    assert entries == sorted(f"make {linter}" for linter in LINTERS)
    assert set(LINTERS) <= TARGETS


def test_the_hooks_see_files_that_are_there() -> None:
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    hooks = read(".pre-commit-config.yaml")["repos"][0]["hooks"]
    for hook in hooks:
        if "files" in hook:
            assert [f for f in files.stdout.split() if re.search(hook["files"], f)], hook["id"]


def test_dependabot_looks_where_locks_are() -> None:
    marks = {"uv": "*.in", "npm": "package-lock.json", "github-actions": ".github/workflows/*.yml"}
    for update in read(".github/dependabot.yml")["updates"]:
        folder = ROOT / update["directory"].strip("/")
        assert list(folder.glob(marks[update["package-ecosystem"]])), update


def test_the_version_stands_in_pyproject_only() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    elsewhere = [
        path
        for name in ("mnist_api", "mnist_model", "site", "playbooks", "roles", "inventory")
        for path in (ROOT / name).rglob("*")
        if path.suffix in {".py", ".js", ".yml", ".yaml", ".html", ".j2", ".json", ".webmanifest"}
        and re.search(rf"(?<![\d.]){re.escape(version)}(?![\d.])", path.read_text(encoding="utf-8"))
    ]
    assert elsewhere == []
