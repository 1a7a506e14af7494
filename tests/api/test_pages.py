from __future__ import annotations

from pathlib import Path

import pytest
from webtest import TestApp

from mnist_api import app as api
from mnist_api import pages
from mnist_api.demo import newest_release
from mnist_api.reader import Reader
from mnist_api.settings import Settings, SettingsError
from tests.browser.drawing import DIGITS, encoded, picture


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    (site / "sub").mkdir(parents=True)
    (site / "index.html").write_text("<!doctype html>ä", encoding="utf-8")
    (site / "sub" / "app.js").write_text("export {};", encoding="utf-8")
    (site / "icon.svg").write_text("<svg/>", encoding="utf-8")
    (site / "notes.md").write_text("not for the public", encoding="utf-8")
    (site / ".hidden.js").write_text("secret", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (site / "link.txt").symlink_to(tmp_path / "secret.txt")
    return site


@pytest.fixture
def demo(site: Path, settings: Settings, reader: Reader) -> TestApp:
    config = api.configure(settings, reader)
    config.include(api, route_prefix="api")
    pages.add_pages(config, site)
    return TestApp(config.make_wsgi_app())


@pytest.mark.parametrize(
    ("path", "media_type"),
    [("/", "text/html"), ("/sub/app.js", "text/javascript"), ("/icon.svg", "image/svg+xml")],
)
def test_serves_files_as_what_they_are(demo: TestApp, path: str, media_type: str) -> None:
    answer = demo.get(path)
    assert answer.content_type == media_type
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert demo.head(path).headers["Content-Length"] == str(len(answer.body))


def test_a_file_is_sent_again_only_when_it_changed(demo: TestApp, site: Path) -> None:
    known = {"If-None-Match": demo.get("/").headers["ETag"]}
    assert demo.get("/", headers=known).status_code == 304
    (site / "index.html").write_text("new", encoding="utf-8")
    assert demo.get("/", headers=known).text == "new"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/sub/../../secret.txt",
        "/..%2fsecret.txt",
        "/%2f%2fetc/passwd",
        "/sub/%00.js",
        "/link.txt",
        "/.hidden.js",
        "/notes.md",
        "/sub",
        "/sub/",
        "/nothing.js",
        pytest.param(f"/{'x' * 300}.js", id="long"),
    ],
)
def test_serves_nothing_else(demo: TestApp, path: str) -> None:
    answer = demo.get(path, status=404)
    assert answer.content_type == "application/problem+json"
    assert "secret" not in answer.text


def test_a_file_answers_get_and_head_only(demo: TestApp) -> None:
    assert demo.post("/", status=405).headers["Allow"] == "GET, HEAD"


def test_the_api_is_beside_the_page(demo: TestApp) -> None:
    assert demo.get("/api/readyz").json["status"] == "ready"
    body = encoded(picture(DIGITS[5]))
    assert demo.post("/api/predict", body, {"Content-Type": "image/png"}).json["digit"] == 5


def test_the_demo_takes_the_newest_release_of_the_first_place(
    release: Path, tmp_path: Path
) -> None:
    empty, full = tmp_path / "empty", release.parent
    (empty / "mnist-cnn-20200101-00000000").mkdir(parents=True)
    assert newest_release((tmp_path / "none", empty, full)).parent == full
    with pytest.raises(SettingsError, match="make train"):
        newest_release((tmp_path / "none", empty))
