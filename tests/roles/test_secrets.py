"""No secret in --diff, in a log or in a specification: no_log stands where it must."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ROLES = ROOT / "roles"
TASKS = sorted([*ROLES.glob("*/tasks/*.yml"), *ROLES.glob("*/handlers/*.yml")])
TASKS += sorted([*ROOT.glob("playbooks/*.yml"), *ROOT.glob("playbooks/tasks/*.yml")])
READS = re.compile(r"ansible\.builtin\.(copy|template|slurp|fetch|lineinfile|blockinfile|shell)$")
SECRET = re.compile(r"password|passphrase|token|secret|(private|tls|ssl)_key", re.IGNORECASE)
CONTENT = {"content", "src", "path", "cmd", "_raw_params", "line", "block"}


def tasks(node: Any) -> Iterator[dict[str, Any]]:
    """Every task of a file, those in plays and blocks too."""
    for entry in node or []:
        nested = [entry[key] for key in NESTS if key in entry]
        if nested:
            for part in nested:
                yield from tasks(part)
        else:
            yield entry


JUPYTER_TASK = "Jupyter | Write the token that was given, or draw one, once"
NESTS = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always")


def handles_a_secret(task: dict[str, Any]) -> bool:
    """Whether a task reads or writes the content of something that is called a secret."""
    for module, arguments in task.items():
        if READS.match(module):
            told = arguments if isinstance(arguments, dict) else {"_raw_params": arguments}
            return any(SECRET.search(str(told.get(name, ""))) for name in CONTENT | {"dest"})
    return False


def test_what_reads_or_writes_a_secret_is_not_logged() -> None:
    found = [
        (path.relative_to(ROOT), task)
        for path in TASKS
        for task in tasks(yaml.safe_load(path.read_text(encoding="utf-8")))
        if handles_a_secret(task)
    ]
    assert JUPYTER_TASK in {task["name"] for _, task in found}
    told = [f"{path}: {task['name']}" for path, task in found if task.get("no_log") is not True]
    assert told == []


@pytest.mark.parametrize("path", sorted(ROLES.glob("*/meta/argument_specs.yml")), ids=str)
def test_a_variable_that_is_a_secret_says_so(path: Path) -> None:
    specs = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values()
    options = [item for spec in specs for item in (spec.get("options") or {}).items()]
    secrets = [
        name
        for name, option in options
        # A path is no secret, and neither is a name of a file's place.
        if SECRET.search(name) and option["type"] == "str" and not option.get("no_log")
    ]
    assert secrets == []


@pytest.mark.parametrize("given", ["", "of-the-one-who-gave-it-of-the-one-who-gave"])
def test_jupyters_token_is_in_no_output(tmp_path: Path, given: str) -> None:
    """The very task, with --diff and everything that Ansible can say."""
    source = yaml.safe_load((ROLES / "dev/tasks/jupyter.yml").read_text(encoding="utf-8"))
    (task,) = [each for each in source if each["name"] == JUPYTER_TASK]
    task.pop("notify")
    for option in ("owner", "group"):  # root only where the test is root
        task["ansible.builtin.copy"].pop(option)
    file = tmp_path / "token"
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"__dev_token_file": str(file), "dev_jupyter_token": given},
        "tasks": [task],
    }
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))

    def run() -> str:
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), "--diff", "-vvv", "play.yml"],
            cwd=tmp_path,
            env={**os.environ, "ANSIBLE_INVENTORY": "localhost,"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    outputs = [run(), run()]
    assert [re.search(r"changed=(\d)", output)[1] for output in outputs] == ["1", "0"]
    token = file.read_text()
    assert token == given if given else re.fullmatch(r"[A-Za-z0-9]{40}", token)
    assert [output for output in outputs if token in output] == []
    assert file.stat().st_mode & 0o777 == 0o600
