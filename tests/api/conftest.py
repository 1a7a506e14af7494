from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyramid.request import Request
from webtest import TestApp, TestResponse

from mnist_api import app as api
from mnist_api.demo import RELEASES, newest_release
from mnist_api.reader import Reader
from mnist_api.settings import Settings
from mnist_api.views import Life
from mnist_model.release import verify_release
from tests.api.contract import check_answer, check_headers


class Api(TestApp):
    """The application; every answer it gives must keep the contract and be safe to show."""

    def do_request(self, req: Request, *args: Any, **kwargs: Any) -> TestResponse:
        kwargs["expect_errors"] = True
        args = ()
        answer = super().do_request(req, *args, **kwargs)
        path = req.environ["PATH_INFO"]
        status, headers = answer.status_code, answer.headers
        # What a browser asks before another site's page may (CORS) is not the contract's.
        if (req.method, status) != ("OPTIONS", 204):
            check_answer(req.method, path, status, answer.content_type, answer.body)
            check_headers(req.method, path, status, headers)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Request-Id"]
        return answer

    def predict(self, body: bytes, media_type: str = "image/png", **headers: str) -> TestResponse:
        return self.post("/predict", body, headers={"Content-Type": media_type, **headers})


@pytest.fixture(scope="session")
def release() -> Path:
    return newest_release(RELEASES[1:])


@pytest.fixture(scope="session")
def settings(release: Path) -> Settings:
    return Settings(release)


@pytest.fixture(scope="session")
def reader(release: Path) -> Reader:
    reader = Reader(verify_release(release))
    reader.warm_up()
    return reader


@pytest.fixture
def life() -> Life:
    return Life()


@pytest.fixture
def compose(settings: Settings, life: Life) -> Callable[..., Api]:
    def make(reader: Any, settings: Settings = settings) -> Api:
        config = api.configure(settings, reader, life)
        config.include(api)
        return Api(config.make_wsgi_app())

    return make


@pytest.fixture
def app(compose: Callable[..., Api], reader: Reader) -> Api:
    return compose(reader)
