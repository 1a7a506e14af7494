"""Requests made from the contract, against the application: schemathesis, stateful.

Right and wrong requests for every operation, and chains of them along the contract's links, as
feedback and its undoing. Wherever the contract asks for a picture, most are real ones, spoilt ones
among them. No answer may be of status 5xx, or be other than the contract says.
"""

from __future__ import annotations

import base64
import copy
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from mnist_api import app as api
from mnist_api.demo import RELEASES, newest_release
from mnist_api.reader import Reader
from mnist_api.settings import Settings
from mnist_model.release import verify_release
from tests.api.contract import contract
from tests.fuzz.corpus import corpus
from tests.fuzz.mutate import mutant

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
    checks.use_after_free,
]
"""Not `positive_data_acceptance`: the contract cannot say what bytes are a picture of a digit."""
EXAMPLES = 40
"""Requests of a kind for an operation, and chains of requests, before the next is taken."""
STEPS = 8
"""Requests of a chain, at most."""


@dataclass
class Outcome:
    """How many requests were made, how they were answered, and which answers were wrong."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


class Counted:
    """The application, and what it was asked so far."""

    def __init__(self, app: Any, outcome: Outcome) -> None:
        self.app, self.outcome = app, outcome

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        def started(status: str, headers: Any, exc_info: Any = None) -> Any:
            self.outcome.requests += 1
            self.outcome.statuses[int(status[:3])] += 1
            return start_response(status, headers, exc_info)

        answer: Iterable[bytes] = self.app(environ, started)
        return answer


def pictures(media_type: str | None = None) -> st.SearchStrategy[bytes]:
    """Pictures as files, whole or spoilt; of one type, or of any."""
    whole = [body for kind, body in corpus().values() if media_type in (None, kind)]
    spoilt = st.integers(0, 10**9).map(lambda number: mutant(0, number)[1])
    return st.one_of(st.sampled_from(whole), st.sampled_from(whole), spoilt, st.binary(max_size=99))


def data_urls() -> st.SearchStrategy[str]:
    """Pictures as data URLs, most of the type that they name."""
    kinds = st.sampled_from(["image/png", "image/jpeg", "image/webp", "image/gif", ""])
    encoded = pictures().map(lambda body: base64.b64encode(body).decode())
    right = st.sampled_from(sorted(corpus().values())).map(
        lambda one: f"data:{one[0]};base64,{base64.b64encode(one[1]).decode()}"
    )
    return st.one_of(
        right, right, st.builds(lambda kind, text: f"data:{kind};base64,{text}", kinds, encoded)
    )


def teach() -> None:
    """Tell schemathesis how the pictures of this contract look."""
    for media_type in ("image/png", "image/jpeg", "image/webp"):
        schemathesis.openapi.media_type(media_type, pictures(media_type))
    schemathesis.openapi.format("picture-url", data_urls())


def document() -> dict[str, Any]:
    """Return the contract, at the root, with a format wherever a picture is asked for as text.

    A pattern alone would make data URLs of noise: the API would say 400 to all of them.
    """
    found = copy.deepcopy(contract())
    found["servers"] = [{"url": "/"}]
    schemas = found["components"]["schemas"]
    schemas["DataUrl"] = {"type": "string", "format": "picture-url"}
    schemas["JsonPicture"]["properties"]["image"] = {"type": "string", "format": "picture-url"}
    # schemathesis holds what the YAML says against the schema of its text.
    found["paths"]["/openapi.yaml"]["get"]["responses"]["200"]["content"]["application/yaml"] = {}
    return found


@contextmanager
def application(outcome: Outcome) -> Any:
    """Give the application with feedback on, and room for as much as the fuzzer sends."""
    with tempfile.TemporaryDirectory() as feedback:
        release = newest_release(RELEASES[1:])
        reader = Reader(verify_release(release))
        reader.warm_up()
        given_settings = Settings(release, feedback=Path(feedback), feedback_per_client=10**6)
        config = api.configure(given_settings, reader)
        config.include(api)
        yield Counted(config.make_wsgi_app(), outcome)


def fuzz(seed: int, requests: int, tell: Callable[[str], None] = lambda _: None) -> Outcome:
    """Make at least so many requests, operation by operation and in chains, round after round."""
    teach()
    outcome = Outcome()
    with application(outcome) as app:
        schema = schemathesis.openapi.from_dict(document())
        schema.app = app
        schema.config.base_url = "http://localhost/"
        operations = [found.ok() for found in schema.get_all_operations()]
        rounds = 0
        while outcome.requests < requests and not outcome.failures:
            for number, operation in enumerate(operations):
                for mode in GenerationMode:
                    _catch(outcome, _single, operation, mode, seed + 1000 * rounds + number)
            _catch(outcome, _chains, schema, seed + 1000 * rounds)
            rounds += 1
            tell(f"{outcome.requests} of {requests}, {len(outcome.failures)} failures")
    return outcome


def _catch(outcome: Outcome, run: Callable[..., None], *args: Any) -> None:
    try:
        run(*args)
    except Unsatisfiable:
        pass  # an operation about which nothing can be wrong
    except (Exception, BaseExceptionGroup) as error:
        outcome.failures.append(f"{type(error).__name__}: {error}"[:4000])


def _settings() -> settings:
    return settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )


def _single(operation: Any, mode: GenerationMode, seed: int) -> None:
    @seeded(seed)
    @_settings()
    @given(case=operation.as_strategy(mode))
    def ask(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    ask()


def _chains(schema: Any, seed: int) -> None:
    machine = schema.as_state_machine()

    class Machine(machine):  # type: ignore[misc, valid-type]
        def validate_response(self, response: Any, case: Any, **more: Any) -> None:
            case.validate_response(response, checks=CHECKS, **more)

    seeded(seed)(Machine)
    run_state_machine_as_test(Machine, settings=_settings())
