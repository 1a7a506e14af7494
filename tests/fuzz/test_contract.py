"""The contract with a share of the requests of the long run (`python -m tests.fuzz contract`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from tests.fuzz import contract

REQUESTS = 3_000


def test_every_answer_is_what_the_contract_says() -> None:
    outcome = contract.fuzz(seed=1, requests=REQUESTS)
    assert outcome.failures == []
    assert outcome.requests >= REQUESTS
    assert [status for status in outcome.statuses if status >= 500] == []
    # The requests reach what they are made for: readings, feedback, and its undoing.
    assert outcome.statuses[200] > REQUESTS / 10
    assert outcome.statuses[201] > 10
    assert outcome.statuses[204] > 5


def broken(app: Any) -> Callable[..., Iterable[bytes]]:
    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/readyz":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [b'{"status": "perhaps"}']
        found: Iterable[bytes] = app(environ, start_response)
        return found

    return answer


def test_an_answer_that_is_not_in_the_contract_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = contract.Counted

    def make(app: Any, outcome: contract.Outcome) -> contract.Counted:
        return counted(broken(app), outcome)

    monkeypatch.setattr(contract, "Counted", make)
    monkeypatch.setattr(contract, "EXAMPLES", 3)
    outcome = contract.fuzz(seed=1, requests=1)
    assert outcome.failures
    assert "/readyz" in "".join(outcome.failures)
