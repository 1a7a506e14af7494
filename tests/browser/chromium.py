"""Debian's Chromium, driven by Playwright; without it these tests are skipped, but not in CI."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserType, sync_playwright

PROGRAM = "/usr/bin/chromium"
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium without a window."""
    if not shutil.which(PROGRAM):
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say(f"{PROGRAM} is missing; install the packages in requirements/debian-test.txt")
    with sync_playwright() as playwright:
        browser = launch(playwright.chromium)
        try:
            yield browser
        finally:
            browser.close()


def launch(kind: BrowserType, *options: str) -> Browser:
    """Start one more Chromium, with further options."""
    # Its sandbox does not work for root.
    flags = [*FLAGS, *options, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    return kind.launch(executable_path=PROGRAM, args=flags)
