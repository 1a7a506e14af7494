from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mnist_api.reader import Reader
from mnist_api.settings import Settings
from tests.api.conftest import Api
from tests.browser.drawing import DIGITS, encoded, picture

SEVEN = encoded(picture(DIGITS[7]))
LISTED, OTHER = "https://example.org", "https://example.com"
ASKS = {"Access-Control-Request-Method": "POST"}


@pytest.fixture
def shared(compose: Callable[..., Api], reader: Reader, settings: Settings) -> Api:
    return compose(reader, replace(settings, cors_origins=(LISTED, "http://localhost:3000")))


def test_no_other_page_may_ask_unless_it_is_listed(app: Api, shared: Api) -> None:
    for one, origin in ((app, LISTED), (shared, OTHER), (shared, "null"), (shared, LISTED + ":8")):
        answer = one.predict(SEVEN, Origin=origin)
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
        asked = one.options("/predict", headers={"Origin": origin, **ASKS})
        assert asked.status_code == 405


def test_a_listed_page_may_ask_and_read_the_answer(shared: Api) -> None:
    asked = shared.options("/predict", headers={"Origin": LISTED, **ASKS})
    assert asked.status_code == 204
    assert asked.headers["Access-Control-Allow-Origin"] == LISTED
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    for body in (SEVEN, b""):
        answer = shared.predict(body, Origin=LISTED)
        assert answer.headers["Access-Control-Allow-Origin"] == LISTED
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_what_depends_on_the_origin_says_so(shared: Api) -> None:
    for origin in (LISTED, OTHER):
        assert shared.predict(SEVEN, Origin=origin).headers["Vary"] == "Origin"
