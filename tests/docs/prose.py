"""What the documentation says: its pages, their commands, links and messages."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
PROGRAMS = ("make", "python -m", "ansible-playbook", "ansible-inventory")


def page_names() -> list[str]:
    return [str(page.relative_to(ROOT)) for page in PAGES]


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [body for kind, body in FENCE.findall(page.read_text()) if kind == language]


def commands(page: Path) -> list[str]:
    """Every command of the project's own, from fenced blocks and from the text."""
    text = page.read_text()
    lines = [line for _, body in FENCE.findall(text) for line in body.splitlines()]
    lines += SPAN.findall(FENCE.sub("", text))
    found = []
    for line in lines:
        for part in re.split(r"&&|\| |;", line.split("  #")[0].replace("\\", "")):
            words = part.strip().removeprefix("$ ").removeprefix("source .lab/env ")
            if words.startswith(PROGRAMS) and " (" not in words:
                # A table of commands has each one's explanation behind two or more spaces.
                found.append(re.split(r"\s{2,}", words)[0].strip())
    return found


def links(page: Path) -> list[str]:
    """The links to files of the repository."""
    targets = re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text()))
    return [target for target in targets if "://" not in target and not target.startswith("#")]
