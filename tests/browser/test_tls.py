"""Apache's TLS door, by the role's own templates and the script that makes its certificate."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from mnist_api.pages import HEADERS
from tests.api.process import HOUSE, worker
from tests.browser import apache, observatory
from tests.browser.conftest import Desk
from tests.browser.drawing import DIGITS, encoded, picture

CERTIFICATE = apache.ROLE / "files" / "certificate.sh"
NAME = "localhost"
TOO_LARGE = apache.variables()["frontend_max_body_bytes"] + 1
INTERMEDIATE = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"}


def make(directory: Path, name: str = NAME, days: int = 90, renew: int = 30) -> tuple[str, str]:
    """Run the role's script; returns what it says, and the certificate."""
    certificate = directory / "certificate.pem"
    command = [CERTIFICATE, name, directory / "key.pem", certificate, str(days), str(renew)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert not list(directory.glob(".new.*"))
    return done.stdout.strip(), certificate.read_text()


def test_a_certificate_is_kept_until_it_does_not_fit_any_more(tmp_path: Path) -> None:
    said, first = make(tmp_path)
    assert said == "made"
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
    assert make(tmp_path) == ("kept", first)
    said, other = make(tmp_path, name="203.0.113.7")
    assert said == "made", "another name"
    assert make(tmp_path, name="203.0.113.7") == ("kept", other)
    said, renewed = make(tmp_path, name="203.0.113.7", renew=91)
    assert (said, renewed != other) == ("made", True), "it ends too soon"
    (tmp_path / "key.pem").write_text("no key")
    assert make(tmp_path, name="203.0.113.7")[0] == "made", "a key that does not fit"


@dataclass(frozen=True)
class Door:
    """Apache with TLS: its two ports, and what trusts its certificate."""

    port: int
    plain_port: int
    certificate: Path

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))

    def ask(
        self, path: str, tls: bool = True, method: str = "GET", **more: object
    ) -> tuple[int, dict[str, str], bytes]:
        connection = (
            http.client.HTTPSConnection(NAME, self.port, timeout=20, context=self.context())
            if tls
            else http.client.HTTPConnection(NAME, self.plain_port, timeout=20)
        )
        connection.request(method, path, **more)  # type: ignore[arg-type]
        response = connection.getresponse()
        content = response.read()
        connection.close()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return response.status, headers, content

    def curl(self, path: str, *options: str, body: bytes = b"") -> str:
        """Ask by curl; returns protocol and status."""
        command = ["curl", "--silent", "--cacert", str(self.certificate), "--output", "/dev/null"]
        command += ["--write-out", "%{http_version} %{http_code}", *options]
        command += [
            "--resolve",
            f"{NAME}:{self.port}:127.0.0.1",
            f"https://{NAME}:{self.port}{path}",
        ]
        done = subprocess.run(command, input=body, check=True, capture_output=True, timeout=20)
        return done.stdout.decode()


@pytest.fixture(scope="module")
def door(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    apache.require()
    directory = tmp_path_factory.mktemp("tls")
    make(directory)
    plain_port = apache.free_port()
    with (
        worker(release) as backend,
        apache.apache(
            HOUSE / "site",
            [backend.address],
            frontend_tls="selfsigned",
            frontend_domain=NAME,
            frontend_port=plain_port,
            frontend_tls_key=directory / "key.pem",
            frontend_tls_certificate=directory / "certificate.pem",
        ) as address,
    ):
        yield Door(int(address.split(":")[1]), plain_port, directory / "certificate.pem")


def test_the_page_has_an_a_plus_by_the_observatorys_scoring(door: Door) -> None:
    status, page, html = door.ask("/")
    plain_status, plain, _ = door.ask("/", tls=False)
    url = f"https://{NAME}:{door.port}/"
    found = observatory.modifiers(url, page, html.decode(), (plain_status, plain))
    points = observatory.score(found)
    print(points, found)
    assert status == 200
    assert not [name for name, value in found.items() if value < 0], found
    assert observatory.grade(points) == "A+"
    # The scoring itself: the same page without what is asked for.
    bare = {
        k: v for k, v in page.items() if k not in ("content-security-policy", "x-frame-options")
    }
    worse = observatory.modifiers(url, bare, html.decode(), (200, {}))
    assert observatory.grade(observatory.score(worse)) == "C or worse"


def test_without_tls_there_is_only_the_way_to_it(door: Door) -> None:
    for path in ("/", "/how.html?x=1", "/api/readyz"):
        status, headers, _ = door.ask(path, tls=False)
        assert (status, headers["location"]) == (308, f"https://{NAME}:{door.port}{path}")
        assert "strict-transport-security" not in headers
        assert headers["server"] == "Apache"
    upgrade = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": ""}
    status, headers, _ = door.ask("/", tls=False, headers=upgrade)
    assert status == 308, "HTTP/2 is not for connections without TLS"


def test_page_and_api_have_their_headers(door: Door) -> None:
    _, page, _ = door.ask("/")
    for name, value in HEADERS.items():
        assert page[name.lower()] == value
    assert page["cross-origin-opener-policy"] == "same-origin"
    drawn = encoded(picture(DIGITS[5]))
    send = {"method": "POST", "body": drawn, "headers": {"Content-Type": "image/png"}}
    status, answer, content = door.ask("/api/predict", **send)  # type: ignore[arg-type]
    assert (status, b'"digit": 5' in content or b'"digit":5' in content) == (200, True)
    for headers in (page, answer):
        assert headers["strict-transport-security"] == "max-age=63072000"


def shaken(door: Door, least: ssl.TLSVersion, most: ssl.TLSVersion) -> tuple[str, str]:
    """Shake hands within these versions; returns version and cipher."""
    context = door.context()
    # Below what OpenSSL would offer by itself.
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = least, most
    with (
        socket.create_connection(("127.0.0.1", door.port), 10) as connection,
        context.wrap_socket(connection, server_hostname=NAME) as secured,
    ):
        cipher = secured.cipher()
        assert cipher
        return secured.version() or "", cipher[0]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_only_modern_tls(door: Door) -> None:
    assert shaken(door, ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3)[0] == "TLSv1.3"
    version, cipher = shaken(door, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)
    assert version == "TLSv1.2"
    assert cipher in INTERMEDIATE
    for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            shaken(door, old, old)


def test_http_2_by_tls(door: Door) -> None:
    assert door.curl("/") == "2 200"
    assert door.curl("/", "--http1.1") == "1.1 200"
    assert door.curl("/api/readyz") == "2 200"


def test_an_upload_over_http_2_is_limited_without_its_length_too(door: Door) -> None:
    drawn = encoded(picture(DIGITS[5]))
    kind = ("--header", "Content-Type: image/png")
    assert door.curl("/api/predict", *kind, "--data-binary", "@-", body=drawn) == "2 200"
    # HTTP/2 has no chunks: a body without its length is told apart by nothing but that.
    unknown = ("--request", "POST", "--upload-file", "-")
    assert door.curl("/api/predict", *kind, *unknown, body=drawn) == "2 411"


def test_the_page_reads_over_http_2(door: Door, browser: Browser) -> None:
    context = browser.new_context(ignore_https_errors=True)
    desk = Desk(context.new_page(), f"https://{NAME}:{door.port}")
    desk.draw(DIGITS[7])
    expect(desk.digit).to_have_text("7")
    status = """async (bytes) => {
        const body = new Uint8Array(bytes);
        return (await fetch("/api/predict", { method: "POST", body })).status;
    }"""
    assert desk.page.evaluate(status, TOO_LARGE) == 413
    protocols = desk.page.evaluate(
        "[...new Set(performance.getEntriesByType('resource').map(one => one.nextHopProtocol))]"
    )
    context.close()
    assert set(protocols) - {""} == {"h2"}, "pictures that the page makes itself have none"
    # A browser lets nobody wave a service worker through.
    assert [error for error in desk.errors if "SSL certificate error" not in error] == []
