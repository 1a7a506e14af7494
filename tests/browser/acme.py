"""An ACME authority for tests (Debian's `pebble`), with names of its own, on the loopback."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.browser.apache import ROLE, free_port

PROGRAM = "/usr/bin/pebble"
NAMES = "/usr/bin/pebble-challtestsrv"
START_SECONDS = 10


@dataclass(frozen=True)
class Authority:
    """directory: where ACME begins. ca_file: what its own certificate is checked with."""

    directory: str
    management: str
    ca_file: Path

    def root(self) -> str:
        """Return the certificate that those it gives are checked with."""
        return requests.get(f"{self.management}/roots/0", verify=self.ca_file, timeout=5).text


@contextmanager
def authority(place: Path, http_port: int) -> Iterator[Authority]:
    """Run one for which every name leads to 127.0.0.1, where it asks for tokens at http_port."""
    key, certificate = place / "authority-key.pem", place / "authority.pem"
    make = [ROLE / "files" / "certificate.sh", "localhost", key, certificate, "2", "1"]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    ports = [free_port() for _ in range(4)]
    acme, management, names, names_management = (f"127.0.0.1:{port}" for port in ports)
    settings = {
        "listenAddress": acme,
        "managementListenAddress": management,
        "certificate": str(certificate),
        "privateKey": str(key),
        "httpPort": http_port,
        "tlsPort": free_port(),
    }
    (place / "pebble.json").write_text(json.dumps({"pebble": settings}))
    # It need not wait before it asks, nor refuse some good nonces to see what comes of it.
    env = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
    name_server = [NAMES, "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""]
    name_server += ["-dns01", names, "-management", names_management]
    name_server += ["-http01", "", "-https01", "", "-tlsalpn01", ""]
    log = (place / "pebble.log").open("w")
    with (
        log,
        subprocess.Popen(name_server, stdout=log, stderr=log) as first,
        subprocess.Popen(
            [PROGRAM, "-config", str(place / "pebble.json"), "-dnsserver", names],
            env=env,
            stdout=log,
            stderr=log,
        ) as second,
    ):
        try:
            found = Authority(
                f"https://localhost:{ports[0]}/dir", f"https://localhost:{ports[1]}", certificate
            )
            _wait_for(found)
            yield found
        finally:
            for process in (second, first):
                process.terminate()
                process.wait(START_SECONDS)


def _wait_for(found: Authority) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            found.root()
        except OSError:
            assert time.monotonic() < deadline, "pebble does not answer"
            time.sleep(0.1)
        else:
            return
