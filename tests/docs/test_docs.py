"""The documentation is true: links lead somewhere, commands exist, messages are the program's."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_api.demo import RELEASES, newest_release
from tests.api.process import demo
from tests.browser.drawing import DIGITS, encoded, picture
from tests.docs.prose import PAGES, ROOT, blocks, commands, links, page_names

SOURCES = (
    "roles",
    "playbooks",
    "inventory",
    "mnist_model",
    "mnist_api",
    "requirements",
    "tests/lab",
)
"""Where messages and variables come from."""


def words(text: str) -> str:
    return re.sub(r"[\s\"'`]+", " ", text)


@cache
def sources() -> str:
    listed = subprocess.run(
        ["git", "ls-files", *SOURCES], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [ROOT / name for name in listed.stdout.split()]
    return "\n".join(_said(f) for f in files if f.suffix in {".yml", ".py", ".sh", ".j2"})


def _said(file: Path) -> str:
    """A file's text with an ellipsis where something is filled in."""
    text = file.read_text()
    if file.suffix == ".py":
        return re.sub(r"\{[^{}\n]*\}", "…", text)
    return re.sub(r"\{\{.*?\}\}", "…", text)


@pytest.mark.parametrize("page", PAGES, ids=page_names())
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        assert (page.parent / link.partition("#")[0]).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=page_names())
def test_every_command_can_be_given(page: Path) -> None:
    """Targets, playbooks, modules, their options and Ansible's variables exist."""
    for command in commands(page):
        check(command)


def check(command: str) -> None:
    name, *rest = shlex.split(command.replace("…", "x"))
    if name == "make":
        check_target(rest, command)
    elif name == "python":
        check_module(rest[1:], command)
    elif name.startswith("ansible-"):
        for playbook in (word for word in rest if word.endswith(".yml")):
            assert (ROOT / playbook).exists() or playbook == "inventory/hosts.yml", command
        check_variables(rest, command)


def check_target(words: list[str], command: str) -> None:
    """Compare with the Makefile's text: even a dry run would run the recipes that call make."""
    makefile = (ROOT / "Makefile").read_text()
    for word in words:
        name, is_set, value = word.partition("=")
        pattern = rf"^{name} \?=|\$\({name}\)" if is_set else rf"^{name}:.* ## "
        assert re.search(pattern, makefile, re.MULTILINE), f"{command}: no {name}"
        if name == "ARGS":
            check_variables(shlex.split(value), command)


def check_variables(words: list[str], command: str) -> None:
    for flag, value in pairwise(words):
        if flag == "-e":
            variable = value.partition("=")[0]
            assert re.search(rf"\b{variable}\b", sources()), f"{command}: no variable {variable}"


def check_module(words: list[str], command: str) -> None:
    module, *rest = words
    sub = [rest[0]] if rest and re.fullmatch(r"[a-z]+", rest[0]) else []
    if module == "mnist_model" and rest[:1] == ["release"]:
        sub = rest[:2]
    if module == "tests.lab":
        sub = []
    if "argparse" not in source_of(module):
        assert not any(word.startswith("-") for word in rest), command
        return
    shown = help_of(module, *sub)
    for option in (word.partition("=")[0] for word in rest if word.startswith("--")):
        assert option in shown, f"{command}: no {option}"
    if module == "tests.lab":
        assert rest[0] in shown, command


def source_of(module: str) -> str:
    path = ROOT / module.replace(".", "/")
    file = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    text = file.read_text()
    return text + (path.parent / "client_command.py").read_text() if "client" in module else text


@cache
def help_of(module: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *words, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{module} {words}: {done.stderr}"
    return done.stdout


def test_every_message_in_troubleshooting_is_the_program_s() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    first = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    messages = [message for cell in first for message in re.findall(r"`([^`]+)`", cell)]
    assert len(messages) > 30
    said = words(sources())
    for message in messages:
        for part in re.split(r"…|\d+ of \d+|8080", message):
            assert words(part).strip() in said, message


def test_the_api_s_examples_work(tmp_path: Path) -> None:
    """Every line of shell and of Python in docs/api.md, against the demo."""
    page = ROOT / "docs" / "api.md"
    (tmp_path / "seven.png").write_bytes(encoded(picture(DIGITS[7])))
    digits = [np.asarray(picture(DIGITS[digit]).convert("L")) for digit in (9, 4, 1, 0, 5)]
    (tmp_path / "zip.png").write_bytes(encoded(Image.fromarray(np.hstack(digits))))
    [script] = [block for block in blocks(page, "sh") if "seven.png" in block]
    [program] = blocks(page, "python")
    (tmp_path / "feedback").mkdir()
    with demo(newest_release(RELEASES[1:]), FEEDBACK=tmp_path / "feedback") as server:
        url = f"http://{server.address}/api"
        # Fail where curl does: with -f it tells a refusal from an answer.
        script = re.sub(r"\bcurl\b", "curl -sS -f", script)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"url={url}\n{script}"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count('"release"') >= 4
        done = subprocess.run(
            [sys.executable, "-c", program.replace("http://localhost:8000/api", url)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("7 ")
