"""The page opens without a network, whole or not at all, and what is new is seen at once."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from mnist_api.pages import MEDIA_TYPES
from tests.api.process import HOUSE, Server, demo
from tests.browser.drawing import DIGITS, draw_with_mouse

SITE = HOUSE / "site"
COPIED = """async () => {
    const addresses = [];
    for (const name of await caches.keys()) {
        for (const request of await (await caches.open(name)).keys()) addresses.push(request.url);
    }
    return addresses;
}"""
TAGS = """async () => {
    const tags = [];
    for (const name of await caches.keys()) {
        const files = await (await caches.open(name)).matchAll(undefined, { ignoreVary: true });
        tags.push(files.map((file) => file.headers.get("ETag")));
    }
    return tags;
}"""
"""Of every copy, the ETags of its files."""


def shell() -> list[str]:
    """Return what the service worker says that the page consists of."""
    source = (SITE / "service-worker.js").read_text(encoding="utf-8")
    listed = re.search(r"const FILES = (\[.*?\]);", source, re.S)
    assert listed is not None
    files: list[str] = json.loads(re.sub(r",\s*\]", "]", listed[1]))
    return files


def test_every_file_belongs_to_the_copy() -> None:
    files = {str(path.relative_to(SITE)) for path in SITE.rglob("*") if path.is_file()}
    expected = files - {"service-worker.js", "index.html"} | {"./"}
    assert sorted(shell()) == sorted(expected)


def test_the_manifest_names_icons_that_are_there() -> None:
    manifest = json.loads((SITE / "manifest.webmanifest").read_text(encoding="utf-8"))
    for page in ("index.html", "how.html"):
        html = (SITE / page).read_text(encoding="utf-8")
        assert '<link rel="manifest" href="manifest.webmanifest">' in html
    assert manifest["name"]
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        file = SITE / icon["src"]
        assert icon["type"] == MEDIA_TYPES[file.suffix]
        if file.suffix == ".png":
            side = int(icon["sizes"].split("x")[0])
            with Image.open(file) as picture:
                assert picture.size == (side, side)
    purposes = {
        purpose for icon in manifest["icons"] for purpose in icon.get("purpose", "").split()
    }
    assert "maskable" in purposes


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Open an address as somebody new does."""
    errors: list[str] = []
    with ExitStack() as stack:

        def visit(address: str) -> Page:
            context = stack.enter_context(browser.new_context(locale="en"))
            page = context.new_page()
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.goto(address)
            return page

        yield visit
    assert errors == []


def wait_for(page: Page, script: str, true: Callable[[Any], bool]) -> None:
    """Run a script until what it says is true of it."""
    for _ in range(100):
        if true(said := page.evaluate(script)):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"still {said}")


def wait_for_copy(page: Page) -> None:
    """Wait until all files are copied."""
    wait_for(page, COPIED, lambda addresses: len(addresses) == len(shell()))


def title(page: Page) -> str:
    return page.locator("h1").inner_text()


def test_it_opens_without_a_network_but_answers_nothing(
    open_page: Callable[[str], Page], release: Path
) -> None:
    with demo(release) as server:
        origin = f"http://{server.address}"
        page = open_page(f"{origin}/")
        wait_for_copy(page)
        draw_with_mouse(page, page.locator("#sheet"), DIGITS[7])
        expect(page.locator("#digit")).to_have_text("7")
        assert server.stop() == 0
    assert [address for address in page.evaluate(COPIED) if "/api/" in address] == []
    page.goto(f"{origin}/")
    assert title(page) == "Draw a digit"
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached")
    page.goto(f"{origin}/how.html#release")
    assert title(page) == "How it works"
    page.goto(f"{origin}/index.html?from=somewhere")
    assert title(page) == "Draw a digit"
    with demo(release, LISTEN=server.address):
        page.reload()
        expect(page.locator("#digit")).to_have_text("7")


def test_what_is_new_is_seen_at_once_and_then_copied(
    open_page: Callable[[str], Page], release: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    shutil.copytree(SITE, site)
    index = site / "index.html"
    with demo(release, "--site", str(site)) as server:
        page = open_page(f"http://{server.address}/")
        wait_for_copy(page)
        (old,) = page.evaluate(TAGS)
        page.reload()
        page.wait_for_load_state("networkidle")
        assert page.evaluate(TAGS) == [old], "nothing has changed, and nothing is copied"
        index.write_text(index.read_text().replace("Draw a digit</h1>", "Draw two digits</h1>"))
        page.reload()
        assert title(page) == "Draw two digits"
        wait_for_copy(page)
        wait_for(page, TAGS, lambda tags: len(tags) == 1 and sorted(tags[0]) != sorted(old))
        wait_for_copy(page)
        assert server.stop() == 0
    page.reload()
    assert title(page) == "Draw two digits"


def test_half_of_a_deployment_is_never_copied(
    open_page: Callable[[str], Page], release: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    shutil.copytree(SITE, site)
    index = site / "index.html"
    with demo(release, "--site", str(site)) as server:
        page = open_page(f"http://{server.address}/")
        wait_for_copy(page)
        index.write_text(index.read_text().replace("Draw a digit</h1>", "Draw two digits</h1>"))
        (site / "app" / "words.js").rename(tmp_path / "words.js")
        page.reload()
        assert title(page) == "Draw two digits"
        page.wait_for_load_state("networkidle")
        assert server.stop() == 0
    page.reload()
    assert title(page) == "Draw a digit"


def test_an_address_that_is_not_the_page_s_is_left_alone(
    open_page: Callable[[str], Page], server: Server
) -> None:
    page = open_page(f"http://{server.address}/")
    wait_for_copy(page)
    answer = page.goto(f"http://{server.address}/nothing.html")
    assert answer is not None
    assert answer.status == 404
