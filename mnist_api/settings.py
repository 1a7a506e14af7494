"""Settings: read from the environment once, checked, and never changed after that."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from mnist_api.clients import Network

PREFIX = "MNIST_API_"


class SettingsError(ValueError):
    """A setting that cannot work; the message is one sentence that says what to write instead."""


@dataclasses.dataclass(frozen=True)
class Address:
    """Where to listen: a host name or an IP address, and a TCP port (0: any free one)."""

    host: str
    port: int

    def __str__(self) -> str:
        """Give the address as it stands in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that can be set about one process of the API.

    release: the directory of the release to serve.
    listen: where to listen; systemd's socket, if there is one, is used instead.
    threads: requests worked on at the same time. Reading holds the interpreter's lock most of the
        time, so that several threads hinder each other; several processes do not.
    max_body_bytes: the largest upload that is read.
    max_pixels: the largest picture (width x height) that is decoded.
    queue: how many requests may wait for a thread; one more, and the oldest is answered 503.
    deadline_milliseconds: how long one may wait; after that it is answered 503, not worked on.
    receive_seconds: how long a client may take to send a request, or to take its answer.
    requests_per_second: how many a client may send, in the long run; 0 is no limit.
    requests_at_once: how many it may send at once, after it has sent none for a while.
    drain_seconds: how long a stopping process waits for what is in flight.
    metrics: a directory where all workers count together; without, each counts for itself.
    feedback: a directory to keep feedback in, shared by all workers; without, none is taken.
    feedback_drawings, feedback_bytes: how much of it is kept.
    feedback_per_client: how many drawings a client may send a day.
    trusted_proxies: networks whose X-Forwarded-For is believed, in its last entry.
    cors_origins: origins whose pages may ask from a browser, as https://example.org.
    path: a path below which the API answers, too, for a load balancer that cannot take it away.
    """

    release: Path
    listen: Address = Address("127.0.0.1", 5000)
    threads: int = 1
    max_body_bytes: int = 2**20
    max_pixels: int = 10**6
    queue: int = 16
    deadline_milliseconds: int = 1000
    receive_seconds: int = 20
    requests_per_second: int = 0
    requests_at_once: int = 500
    drain_seconds: int = 20
    metrics: Path | None = None
    feedback: Path | None = None
    feedback_drawings: int = 10_000
    feedback_bytes: int = 64 * 2**20
    feedback_per_client: int = 50
    trusted_proxies: tuple[Network, ...] = ()
    cors_origins: tuple[str, ...] = ()
    path: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings; raise SettingsError for the first one that is wrong."""
        given = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
        known = {PREFIX + field.name.upper() for field in dataclasses.fields(cls)}
        for name in sorted(given.keys() - known):
            raise SettingsError(f"{name} is no setting; the settings are {_words(known)}.")
        return cls(
            release=_directory(given, "RELEASE"),
            listen=_address(given, "LISTEN", cls.listen),
            threads=_number(given, "THREADS", cls.threads, 1, 64),
            max_body_bytes=_number(given, "MAX_BODY_BYTES", cls.max_body_bytes, 1024, 64 * 2**20),
            max_pixels=_number(given, "MAX_PIXELS", cls.max_pixels, 28 * 28, 10**8),
            queue=_number(given, "QUEUE", cls.queue, 1, 10_000),
            deadline_milliseconds=_number(
                given, "DEADLINE_MILLISECONDS", cls.deadline_milliseconds, 10, 60_000
            ),
            receive_seconds=_number(given, "RECEIVE_SECONDS", cls.receive_seconds, 1, 300),
            requests_per_second=_number(
                given, "REQUESTS_PER_SECOND", cls.requests_per_second, 0, 100_000
            ),
            requests_at_once=_number(given, "REQUESTS_AT_ONCE", cls.requests_at_once, 1, 1_000_000),
            drain_seconds=_number(given, "DRAIN_SECONDS", cls.drain_seconds, 1, 300),
            metrics=_place(given, "METRICS"),
            feedback=_place(given, "FEEDBACK"),
            feedback_drawings=_number(
                given, "FEEDBACK_DRAWINGS", cls.feedback_drawings, 1, 1_000_000
            ),
            feedback_bytes=_number(given, "FEEDBACK_BYTES", cls.feedback_bytes, 2**20, 2**32),
            feedback_per_client=_number(
                given, "FEEDBACK_PER_CLIENT", cls.feedback_per_client, 1, 10_000
            ),
            trusted_proxies=_networks(given, "TRUSTED_PROXIES"),
            cors_origins=_origins(given, "CORS_ORIGINS"),
            path=_path(given, "PATH"),
        )


def _directory(given: Mapping[str, str], key: str) -> Path:
    value = given.get(PREFIX + key, "")
    if not value:
        raise SettingsError(f"{PREFIX}{key} is not set; give it the directory of a release.")
    if not Path(value).is_dir():
        raise SettingsError(
            f"{PREFIX}{key}={value} is no directory; give it the directory of a release."
        )
    return Path(value)


def _place(given: Mapping[str, str], key: str) -> Path | None:
    """Read a directory to write into; empty is none."""
    value = given.get(PREFIX + key, "")
    if not value:
        return None
    if not Path(value).is_dir() or not os.access(value, os.W_OK | os.X_OK):
        raise SettingsError(
            f"{PREFIX}{key}={value} is no directory that can be written to; make it, or leave the "
            "setting out."
        )
    return Path(value)


def _networks(given: Mapping[str, str], key: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(one) for one in _list(given, key))
    except ValueError as error:
        raise SettingsError(
            f"{PREFIX}{key} does not work: {error}; write networks with commas between, as in "
            "10.0.0.0/8,192.168.1.5."
        ) from None


def _origins(given: Mapping[str, str], key: str) -> tuple[str, ...]:
    found = _list(given, key)
    for one in found:
        parts = urlsplit(one)
        if parts.scheme not in ("http", "https") or one != f"{parts.scheme}://{parts.netloc}":
            raise SettingsError(
                f"{PREFIX}{key} does not work: {one} is no origin; write origins with commas "
                "between, as in https://example.org,http://localhost:3000."
            )
    return found


def _path(given: Mapping[str, str], key: str) -> str:
    value = given.get(PREFIX + key, "")
    if value and not re.fullmatch(r"(/[A-Za-z0-9_-]+)+", value):
        raise SettingsError(f"{PREFIX}{key}={value} does not work; write a path, as in /api.")
    return value


def _list(given: Mapping[str, str], key: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in given.get(PREFIX + key, "").split(",") if one.strip())


def _address(given: Mapping[str, str], key: str, default: Address) -> Address:
    value = given.get(PREFIX + key)
    if value is None:
        return default
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\s\[\]]+)):([0-9]{1,5})", value)
    if not match or int(match[3]) > 2**16 - 1:
        raise SettingsError(
            f"{PREFIX}{key}={value} is no address; "
            "write host:port, as in 127.0.0.1:5000 or [::1]:5000."
        )
    return Address(match[1] or match[2], int(match[3]))


def _number(given: Mapping[str, str], key: str, default: int, low: int, high: int) -> int:
    value = given.get(PREFIX + key)
    if value is None:
        return default
    if not re.fullmatch(r"[0-9]{1,12}", value) or not low <= int(value) <= high:
        raise SettingsError(
            f"{PREFIX}{key}={value} does not work; give it a whole number from {low} to {high}."
        )
    return int(value)


def _words(names: set[str]) -> str:
    *most, last = sorted(names)
    return f"{', '.join(most)} and {last}"
