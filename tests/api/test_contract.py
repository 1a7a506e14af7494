"""What a request may say stands in openapi.yaml alone, and is enforced as JSON Schema means it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS31Validator

from mnist_api import contract, schema
from mnist_api.views import VIEWS
from tests.api.conftest import Api
from tests.api.contract import contract as document
from tests.browser.drawing import DIGITS, encoded, picture

SEVEN = encoded(picture(DIGITS[7]))
FEEDBACK = document()["components"]["schemas"]["Feedback"]
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "image": st.sampled_from(["data:image/png;base64,AA==", "DATA:,;base64,", "image", ""]),
    "kind": st.sampled_from(["digit", "line", "word", 1]),
    "said": st.sampled_from(["", "7", "77", "7" * 21, "seven", "7\n", None]),
    "right": st.sampled_from(["", "1", "12345", "1" * 21, "٣", 1, True]),
    "release": st.sampled_from(["mnist-cnn-20260131-1a2b3c4d", "mnist-cnn", "", 5]),
    "more": st.just(1),
}


@settings(deadline=None)  # a loaded machine is no fault
@given(st.one_of(st.fixed_dictionaries({}, optional=FIELDS), st.none(), st.lists(st.integers())))
def test_bodies_are_judged_as_a_whole_validator_judges_them(value: Any) -> None:
    whole = {**FEEDBACK, "components": document()["components"]}
    try:
        schema.check(value, FEEDBACK, contract.document())
        passed = True
    except schema.MismatchError:
        passed = False
    assert passed == OAS31Validator(whole).is_valid(value)


def test_every_operation_has_a_view_and_every_view_an_operation() -> None:
    assert {one.name for one in contract.operations()} == set(VIEWS)


def test_the_checker_knows_every_keyword_that_requests_are_described_with() -> None:
    known = {*schema.SIMPLE, *schema.WHOLE, *schema.ANNOTATIONS}
    for operation in contract.operations():
        for one in [*operation.query.values(), *filter(None, [operation.body])]:
            assert keywords(one) <= known


def keywords(part: Any) -> set[str]:
    resolved = {**part, **schema.resolve(part, contract.document())}
    found = set(resolved)
    below = [*resolved.get("properties", {}).values()]
    below += [resolved[key] for key in ("items", "if", "then") if key in resolved]
    return found.union(*(keywords(one) for one in below)) if below else found


def test_an_unknown_keyword_is_no_silent_pass() -> None:
    with pytest.raises(KeyError):
        schema.check([1, 1], {"uniqueItems": True}, {})


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/predict?included=normalised", "no query parameter 'included'"),
        ("/predict?include=", "must be normalised or saliency or stages"),
        ("/predict?include=normalised,everything", "'normalised,everything' does not work"),
        ("/predict?include=normalised&include=saliency", "given twice"),
        ("/predict?" + "&".join(f"a{n}=1" for n in range(20)), "at most 8 query parameters"),
        ("/predict?%ff=%ff", "no query parameter"),
        ("/read?include=saliency", "must be normalised"),
        ("/read?length=0", "at least 1"),
        ("/read?length=21", "at most 20"),
        ("/read?length=five", "must be of type integer"),
        ("/read?length=5.0", "must be of type integer"),
        ("/read?length=٣", "must be of type integer"),
        ("/predict?length=5", "no query parameter 'length'; it has include"),
        ("/predict/?digit=5", "no query parameter"),
    ],
)
def test_a_query_that_the_contract_does_not_have_is_refused(app: Api, path: str, said: str) -> None:
    answer = app.post(path, SEVEN, headers={"Content-Type": "image/png"})
    assert answer.status_code == 400
    assert said in answer.json["detail"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/version", "/metrics", "/docs"])
def test_addresses_without_parameters_say_so(app: Api, path: str) -> None:
    answer = app.get(f"{path}?verbose=1")
    assert answer.status_code == 400
    assert "it has none" in answer.json["detail"]
