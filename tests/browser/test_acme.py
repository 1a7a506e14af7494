"""The exchange with an ACME authority, for real: mod_md as the role configures it, and pebble."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.api.process import HOUSE
from tests.browser import acme, apache

NAME = "digits.example.org"
SECONDS = 60


def issuer(port: int, context: ssl.SSLContext) -> str:
    """Shake hands; returns the common name of who signed the certificate."""
    with (
        socket.create_connection(("127.0.0.1", port), 10) as connection,
        context.wrap_socket(connection, server_hostname=NAME) as secured,
    ):
        certificate = secured.getpeercert()
        assert certificate
        return dict(pair for (pair,) in certificate["issuer"])["commonName"]


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that Apache, which runs as somebody else, can come to."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="Apache gives its staging directory to www-data")
def test_a_certificate_is_got_and_put_into_service(place: Path) -> None:
    apache.require()
    apache.require(acme.PROGRAM)
    plain_port = apache.free_port()
    stamp = place / "stamp" / "renewed"
    stamp.parent.mkdir()
    shutil.chown(stamp.parent, "www-data")
    message = place / "message"
    message.write_text(apache.rendered("acme-message.j2", __frontend_acme_stamp=str(stamp)))
    message.chmod(0o755)
    with (
        acme.authority(place, plain_port) as authority,
        apache.running(
            HOUSE / "site",
            ["127.0.0.1:9"],
            frontend_tls="acme",
            frontend_domain=NAME,
            frontend_port=plain_port,
            frontend_acme_directory=authority.directory,
            frontend_acme_contact="somebody@example.org",
            frontend_acme_ca_file=str(authority.ca_file),
            __frontend_acme_message=str(message),
        ) as front,
    ):
        port = int(front.address.split(":")[1])
        trusting = ssl.create_default_context(cadata=authority.root())
        url = f"http://127.0.0.1:{plain_port}/"
        first = requests.get(url, headers={"Host": NAME}, allow_redirects=False, timeout=10)
        assert first.status_code == 308

        deadline = time.monotonic() + SECONDS
        while not stamp.exists():
            assert time.monotonic() < deadline, (front.root / "error.log").read_text()[-3000:]
            time.sleep(0.2)
        # What mnist-acme-reload.path does as soon as that file changes.
        front.process.send_signal(signal.SIGUSR1)
        while True:
            try:
                found = issuer(port, trusting)
                break
            except ssl.SSLCertVerificationError:
                assert time.monotonic() < deadline, "the new certificate is not in service"
                time.sleep(0.2)
        assert found.startswith("Pebble Intermediate CA")
        assert (front.root / "md" / "domains" / NAME / "pubcert.secp256r1.pem").exists()
