"""From settings to a worker that serves."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from pyramid.config import Configurator

from mnist_api import app, logs
from mnist_api.below import below
from mnist_api.heap import keep_freed_memory
from mnist_api.load import Load
from mnist_api.reader import Reader
from mnist_api.reload import Reloader
from mnist_api.server import Server
from mnist_api.settings import Settings, SettingsError
from mnist_api.sockets import own_socket, passed_socket, tell_systemd
from mnist_api.views import Life
from mnist_api.worker import Worker
from mnist_model.release import ReleaseError, verify_release

log = logging.getLogger(__name__)


def serve(settings: Settings) -> int:
    """Serve the API until told to stop; return the exit status. Raises SettingsError."""
    logs.configure()
    return run(settings, lambda config: config.include(app), started)


def started(settings: Settings, address: str, release: str) -> None:
    """Log that requests are answered now."""
    fields = {"address": address, "release": release, "threads": settings.threads}
    log.info("ready", extra={"fields": fields})


def run(
    settings: Settings,
    compose: Callable[[Configurator], None],
    announce: Callable[[Settings, str, str], None],
) -> int:
    """Load and warm up the release, serve what `compose` adds, and `announce` it when it is ready.

    Returns the exit status. Raises SettingsError when the socket or the release does not work.
    """
    keep_freed_memory()
    passed = passed_socket(os.environ)
    listener = passed or own_socket(settings.listen)
    reader = load(settings)
    life = Life()
    work = Load()
    config = app.configure(settings, reader, life, work)
    compose(config)
    application = below(settings.path, config.make_wsgi_app())
    server = Server(application, listener, settings, work)
    reloader = Reloader(settings.release, config.registry, lambda: load(settings))
    worker = Worker(server, reloader, life, settings.drain_seconds, shared=passed is not None)
    worker.handle_signals()
    reader.warm_up()
    host, port = listener.getsockname()[:2]
    announce(settings, f"{host}:{port}", reader.release.name)
    tell_systemd("READY=1", os.environ)
    worker.run()
    return 0


def load(settings: Settings) -> Reader:
    """Verify the release, then load it."""
    try:
        return Reader(verify_release(settings.release))
    except ReleaseError as error:
        raise SettingsError(
            f"MNIST_API_RELEASE={settings.release} cannot be used: {error}."
        ) from error
