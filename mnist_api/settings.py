"""Settings: read from the environment once, checked, and never changed after that."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path

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
    threads: requests worked on at the same time.
    max_body_bytes: the largest upload that is read.
    max_pixels: the largest picture (width x height) that is decoded.
    queue: how many requests may wait for a thread; further ones are answered 503 at once.
    deadline_milliseconds: how long one may wait; after that it is answered 503, not worked on.
    receive_seconds: how long a client may take to send a request, or to take its answer.
    drain_seconds: how long a stopping process waits for what is in flight.
    """

    release: Path
    listen: Address = Address("127.0.0.1", 5000)
    threads: int = 4
    max_body_bytes: int = 2**20
    max_pixels: int = 10**6
    queue: int = 64
    deadline_milliseconds: int = 1000
    receive_seconds: int = 20
    drain_seconds: int = 20

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
            drain_seconds=_number(given, "DRAIN_SECONDS", cls.drain_seconds, 1, 300),
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
