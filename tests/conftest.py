"""Fixtures that tests of several folders share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import chromium
from tests.lab import control, names


@dataclass(frozen=True)
class LabFixture:
    """The one running lab. `env`: os.environ as it is after `source .lab/env`."""

    env: dict[str, str]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Labs of their own first, then the shared lab while it is empty, then the site on it.

    What is long changes the site (releases, machines): it comes last.
    """

    def place(item: pytest.Item) -> tuple[bool, bool, bool]:
        fixtures = getattr(item, "fixturenames", ())
        return "no_lab" not in fixtures, "site" in fixtures, bool(item.get_closest_marker("long"))

    items.sort(key=place)


def require_lab() -> None:
    """Skip where the lab cannot work (fail in CI); fail if one is running."""
    if sys.platform != "linux" or os.geteuid() != 0:
        reason = "the lab needs Linux and root: nothing that runs on it was tested"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    run_lab("free")


@pytest.fixture(scope="session")
def lab() -> Iterator[LabFixture]:
    """Start the lab for the whole run, and take it down at its end."""
    require_lab()
    run_lab("up")
    try:
        yield LabFixture(control.environment())
    finally:
        run_lab("down")


@pytest.fixture
def no_lab() -> Iterator[None]:
    """Give a machine without any lab, and take down what the test left."""
    require_lab()
    run_lab("down")
    try:
        yield
    finally:
        run_lab("down")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give the one Chromium of the whole run."""
    with chromium() as browser:
        yield browser


def run_lab(command: str) -> None:
    """Run a command of the lab; its output is shown if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.lab", command],
        cwd=names.REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"the lab's `{command}` failed:\n{done.stdout}{done.stderr}")
