"""Page and API in one process on this computer."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from pyramid.config import Configurator

from mnist_api import app, logs, pages, serve
from mnist_api.settings import PREFIX, Settings, SettingsError
from mnist_model.release import Release, ReleaseError, verify_release

HOUSE = Path(__file__).resolve().parent.parent
SITE = HOUSE / "site"
RELEASES = (HOUSE / "artifacts" / "releases", HOUSE / "tests" / "fixtures" / "release")
"""Where releases are looked for, best place first."""
FEEDBACK = HOUSE / "artifacts" / "feedback"
"""Where the demo keeps feedback; set MNIST_API_FEEDBACK to nothing to keep none."""


def run_demo(site: Path | None, release: Path | None) -> int:
    """Serve page and API until told to stop; return the exit status. Raises SettingsError."""
    logs.configure(logging.WARNING)
    site = site or SITE
    if not (site / "index.html").is_file():
        raise SettingsError(f"{site} holds no index.html; name the page's directory with --site.")
    given = {PREFIX + "LISTEN": "127.0.0.1:8000", **os.environ}
    if release or PREFIX + "RELEASE" not in given:
        given[PREFIX + "RELEASE"] = str(release or newest_release())
    if PREFIX + "FEEDBACK" not in given:
        FEEDBACK.mkdir(parents=True, exist_ok=True)
        given[PREFIX + "FEEDBACK"] = str(FEEDBACK)

    def compose(config: Configurator) -> None:
        config.include(app, route_prefix="api")
        pages.add_pages(config, site)

    return serve.run(Settings.from_environment(given), compose, _announce)


def newest_release(places: tuple[Path, ...] = RELEASES) -> Path:
    """Return the newest release that verifies, from the first place that has one."""
    for place in places:
        found = [release for path in place.glob("mnist-cnn-*") if (release := _verified(path))]
        if found:
            return max(found, key=lambda release: str(release.manifest["created"])).path
    raise SettingsError(
        f"There is no release in {places[0]} yet; 'make train' makes one, --release DIR names one."
    )


def _verified(path: Path) -> Release | None:
    try:
        return verify_release(path)
    except ReleaseError as error:
        logging.getLogger(__name__).warning("release left out: %s", error)
        return None


def _announce(_: Settings, address: str, release: str) -> None:
    print(f"Draw a digit on http://{address}/ (release {release}; Ctrl-C ends it)", flush=True)
