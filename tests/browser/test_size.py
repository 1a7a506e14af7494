"""The page is small, asks nobody else for anything, and has nothing inline."""

from __future__ import annotations

import gzip
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.api.process import HOUSE

SITE = HOUSE / "site"
FILES = sorted(path for path in SITE.rglob("*") if path.is_file())
PAGES = [path for path in FILES if path.suffix == ".html"]
MOST_BYTES = 60_000
NAMESPACES = ("http://www.w3.org/2000/svg",)
"""Names that look like addresses; nobody is asked."""


def test_all_of_it_is_under_60_kb_over_the_wire() -> None:
    """As Apache and the demo send it: compressed, but for what is compressed in itself."""
    sizes = {}
    for path in FILES:
        content = path.read_bytes()
        packed = content if path.suffix == ".png" else gzip.compress(content, 6)
        sizes[str(path.relative_to(SITE))] = len(packed)
    assert sum(sizes.values()) < MOST_BYTES, sizes


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SITE)))
def test_no_address_of_anybody_else(path: Path) -> None:
    text = path.read_text(encoding="utf-8", errors="replace")
    for name in NAMESPACES:
        text = text.replace(name, "")
    assert re.findall(r"(?:https?:)?//[\w-]+\.[\w.-]+", text) == []


class Inline(HTMLParser):
    """Collects what a strict Content-Security-Policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(f"<{tag}>")
        self.found += [
            f"{tag} {name}" for name in names if name == "style" or name.startswith("on")
        ]
        self.found += [f"{tag} {v}" for v in names.values() if v and v.startswith("javascript:")]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_no_script_or_style_is_inline(page: Path) -> None:
    parser = Inline()
    parser.feed(page.read_text(encoding="utf-8"))
    assert parser.found == []


def test_no_script_makes_code_of_text() -> None:
    for path in FILES:
        if path.suffix == ".js":
            source = path.read_text(encoding="utf-8")
            found = re.findall(r"\beval\(|new Function|innerHTML|outerHTML|document\.write", source)
            assert found == [], path.name
