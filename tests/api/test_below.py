"""Below a path, for a load balancer that hands requests on unchanged."""

from __future__ import annotations

import pytest
from webtest import TestApp

from mnist_api import app as api
from mnist_api.below import below
from mnist_api.reader import Reader
from mnist_api.settings import Settings


@pytest.fixture(scope="module")
def app(settings: Settings, reader: Reader) -> TestApp:
    config = api.configure(settings, reader)
    config.include(api)
    return TestApp(below("/api", config.make_wsgi_app()))


@pytest.mark.parametrize("path", ["/version", "/api/version"])
def test_answers_with_the_path_and_without(app: TestApp, path: str) -> None:
    assert app.get(path).json["release"]


@pytest.mark.parametrize("path", ["/apiversion", "/api", "/api/api/version", "/other/version"])
def test_nothing_else_is_led_there(app: TestApp, path: str) -> None:
    assert app.get(path, expect_errors=True).status_code == 404


def test_without_a_path_nothing_stands_between() -> None:
    def application(*_: object) -> list[bytes]:
        return []

    assert below("", application) is application
