"""What Apache does with the page and the API's answers, by the role's own templates."""

from __future__ import annotations

import gzip
import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mnist_api.pages import HEADERS
from tests.api.process import HOUSE, Server, worker
from tests.browser import apache
from tests.browser.drawing import DIGITS, encoded, picture

Answer = tuple[int, dict[str, str], bytes]


def test_the_demo_and_apache_send_the_same_headers() -> None:
    served = {name: value for name, value in HEADERS.items() if name != "Vary"}
    assert served == {"Cache-Control": "no-cache", **apache.variables()["__frontend_headers"]}


def test_nothing_inline_and_nothing_from_elsewhere_is_allowed() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    for name in ("script-src", "style-src", "connect-src", "manifest-src", "worker-src"):
        assert directives[name] == "'self'"


@pytest.fixture(scope="module")
def front(release: Path) -> Iterator[str]:
    apache.require()
    with (
        worker(release) as backend,
        apache.apache(HOUSE / "site", [backend.address]) as address,
    ):
        yield address


def ask(
    address: str, path: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> Answer:
    connection = http.client.HTTPConnection(address, timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    seen: dict[str, str] = {}
    for name, value in response.getheaders():
        assert name.lower() not in seen, f"{name} is there twice"
        seen[name.lower()] = value
    return response.status, seen, content


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html"),
        ("/how.html", "text/html"),
        ("/style.css", "text/css"),
        ("/app/main.js", "text/javascript"),
        ("/service-worker.js", "text/javascript"),
        ("/favicon.svg", "image/svg+xml"),
        ("/manifest.webmanifest", "application/manifest+json"),
    ],
)
def test_apache_and_the_demo_serve_the_same(
    front: str, server: Server, path: str, media_type: str
) -> None:
    status, headers, content = ask(front, path)
    assert status == 200
    assert headers["content-type"].split(";")[0] == media_type
    demo_status, demo_headers, demo_content = ask(server.address, path)
    assert (demo_status, demo_content) == (status, content)
    for name in HEADERS:
        assert headers[name.lower()] == demo_headers[name.lower()] == HEADERS[name]
    assert headers["server"] == "Apache"
    assert "last-modified" not in headers


@pytest.mark.parametrize("front_is", ["apache", "demo"])
def test_what_is_compressed_is_asked_for_again_only_when_it_changed(
    front: str, server: Server, front_is: str
) -> None:
    address = front if front_is == "apache" else server.address
    _, _, plain = ask(address, "/style.css")
    status, headers, content = ask(address, "/style.css", Accept_Encoding="gzip")
    assert (status, headers["content-encoding"]) == (200, "gzip")
    assert gzip.decompress(content) == plain
    known = {"If_None_Match": headers["etag"], "Accept_Encoding": "gzip"}
    status, again, content = ask(address, "/style.css", **known)
    assert (status, content) == (304, b"")
    assert again["etag"] == headers["etag"]
    assert ask(address, "/style.css", "HEAD", Accept_Encoding="gzip")[1]["etag"] == headers["etag"]


def test_an_answer_of_the_api_keeps_its_own_headers(front: str) -> None:
    drawn = encoded(picture(DIGITS[5]))
    status, headers, content = ask(front, "/api/predict", "POST", drawn, Content_Type="image/png")
    assert (status, json.loads(content)["digit"]) == (200, 5)
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    "path",
    ["/api/metrics", "/api//metrics", "/api/%6Detrics", "/api/x/../metrics", "/api/metrics/"],
)
def test_figures_about_the_api_are_not_for_outside(front: str, path: str) -> None:
    status, headers, _ = ask(front, path)
    assert status in (403, 404)
    assert headers["content-type"] == "application/problem+json"


def test_a_body_is_limited(front: str) -> None:
    limit = apache.variables()["frontend_max_body_bytes"]
    status, headers, _ = ask(front, "/api/predict", "POST", b"x" * (limit + 1))
    assert (status, headers["content-type"]) == (413, "application/problem+json")
    status, _, _ = ask(front, "/api/predict", "POST", b"x" * limit, Content_Type="image/png")
    assert status in (400, 415), "the API itself refused it: it is no picture"


def test_a_form_and_a_data_url_get_through(front: str, server: Server) -> None:
    form = (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n'
        b"Content-Type: image/png\r\n\r\n" + encoded(picture(DIGITS[5])) + b"\r\n--b--\r\n"
    )
    for body, kind in (
        (form, "multipart/form-data; boundary=b"),
        (b"data:image/png;base64,AAAA", "text/plain"),
    ):
        through = ask(front, "/api/predict", "POST", body, Content_Type=kind)
        direct = ask(server.address, "/api/predict", "POST", body, Content_Type=kind)
        assert through[0] == direct[0]
        assert _timeless(through[2]) == _timeless(direct[2])


def _timeless(content: bytes) -> bytes:
    return re.sub(rb'"(milliseconds|request)": ?[^,}]*', b"", content)
