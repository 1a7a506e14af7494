"""Puts another release into service while requests are answered.

The new one is verified, loaded and warmed up beside the old one; then it takes its place between
two requests. One that does not work changes nothing.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

from mnist_api.reader import Reader
from mnist_api.settings import SettingsError

LOOK_SECONDS = 1.0
"""How often the release's path is looked at."""

log = logging.getLogger(__name__)


class Reloader:
    """Watches the release's path: a link that points elsewhere, or another directory in its place.

    registry: the application's; its Reader is replaced.
    """

    def __init__(
        self, path: Path, registry: MutableMapping[Any, Any], load: Callable[[], Reader]
    ) -> None:
        """Take what is at the path now for the one in service. load: raises SettingsError."""
        self._path = path
        self._registry = registry
        self._load = load
        self._seen = self._look()
        self._look_at = 0.0
        self._asked = False
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        """Reload at the next turn; for signal handlers."""
        self._asked = True

    def turn(self) -> None:
        """Start to reload if asked to, or if another release is at the path; quick."""
        now = time.monotonic()
        if self._thread and self._thread.is_alive():
            return
        if self._asked or now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            found = self._look()
            if self._asked or (found and found != self._seen):
                self._asked = False
                self._seen = found
                self._thread = threading.Thread(target=self._reload, name="reload", daemon=True)
                self._thread.start()

    def _look(self) -> tuple[str, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None  # between two links, perhaps
        return os.path.realpath(self._path), found.st_dev, found.st_ino

    def _reload(self) -> None:
        old: Reader = self._registry[Reader]
        try:
            new = self._load()
            new.warm_up()
        except Exception as error:
            # Whatever is wrong with the new one, the old one is not: it must go on serving.
            known = isinstance(error, SettingsError)
            log.error(
                "release not changed, %s goes on serving: %s",
                old.release.name,
                error,
                exc_info=None if known else error,
            )
            return
        self._registry[Reader] = new
        fields = {"release": new.release.name, "before": old.release.name}
        log.info("release loaded", extra={"fields": fields})
