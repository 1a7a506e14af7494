"""The IAM policies allow every call that the playbooks make, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from tests.aws import lives
from tests.aws.conftest import ROOT, Aws
from tests.aws.iam import (
    FILES,
    POLICY,
    POLICY_ALB,
    Policy,
    Request,
    allowing,
    name,
    parts,
    requests,
    written,
)

pytestmark = pytest.mark.long

DOCUMENT = ROOT / "docs" / "iam.md"
# What AWS allows a managed policy, without white space.
LONGEST = 6144


@dataclass(frozen=True)
class Life:
    """A system's life: what IAM was asked, and what must allow it."""

    asked: list[Request]
    policy: Policy
    """The one that this life is to justify."""
    beside: tuple[Policy, ...] = ()

    @property
    def policies(self) -> tuple[Policy, ...]:
        return (*self.beside, self.policy)

    @property
    def own(self) -> list[Request]:
        """What the policies beside it do not allow."""
        return [request for request in self.asked if not allowing(request, *self.beside)]


LIVES: dict[str, tuple[Callable[[Aws], None], Policy, tuple[Policy, ...]]] = {
    "apache": (lives.behind_apache, POLICY, ()),
    "alb": (lives.behind_a_load_balancer, POLICY_ALB, (POLICY,)),
}


@pytest.fixture(scope="module", params=LIVES)
def front(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def life(aws: Aws, front: str) -> Life:
    live, policy, beside = LIVES[front]
    aws.reset()
    live(aws)
    return Life([one for call in aws.calls for one in requests(call)], policy, beside)


def test_every_call_is_allowed(life: Life) -> None:
    assert {name(r) for r in life.asked if not allowing(r, *life.policies)} == set()


def test_nothing_in_the_policy_is_superfluous(life: Life) -> None:
    used = {
        (statement["Sid"], part)
        for request in life.own
        for statement in allowing(request, life.policy)
        for part in parts(statement, request)
    }
    assert written(life.policy) - used == set()


@pytest.mark.parametrize("whose", ["aws:ResourceTag/Project", "aws:RequestTag/Project"])
def test_what_is_anothers_cannot_be_made_or_touched(life: Life, whose: str) -> None:
    """Every changing call of the playbooks, but with another project's tag, is refused."""
    others = [
        replace(request, context={**request.context, whose: "office"})
        for request in life.asked
        if whose in request.context
    ]
    assert len({request.action for request in others}) > 8
    assert {name(r) for r in others if allowing(r, *life.policies)} == set()


def test_what_has_no_tag_is_known_by_its_name(life: Life, front: str) -> None:
    """Listeners and their rules never have one, target groups get theirs when they are there."""
    bare = [
        request
        for request in life.asked
        if "A19P1" in request.resource and "aws:ResourceTag/Project" not in request.context
        # What is made with the tag may have any name.
        if "new" not in request.resource or "aws:RequestTag/Project" not in request.context
    ]
    others = [
        *(replace(r, resource=r.resource.replace("A19P1", "office")) for r in bare),
        *(replace(r, context={**r.context, "aws:ResourceTag/Project": "office"}) for r in bare),
    ]
    assert (len({request.action for request in others}) > 8) == (front == "alb")
    assert {name(r) for r in others if allowing(r, *life.policies)} == set()


def test_the_table_in_the_documentation_is_that_of_these_calls(life: Life, front: str) -> None:
    """With UPDATE_DOCS=1 it is written."""
    sids: dict[str, set[str]] = {}
    for request in life.own:
        of = {statement["Sid"] for statement in allowing(request, life.policy)}
        sids.setdefault(request.action, set()).update(of)
    rows = [
        f"| `{action}` | {', '.join(f'`{sid}`' for sid in sorted(sids[action]))} |"
        for action in sorted(sids)
    ]
    begin = f"<!-- table: network_front={front} -->\n\n| call | allowed by |\n|---|---|\n"
    end = "\n\n<!-- end of the table -->"
    head, _, rest = DOCUMENT.read_text().partition(begin)
    text = head + begin + "\n".join(rows) + end + rest.partition(end)[2]
    if os.environ.get("UPDATE_DOCS"):
        DOCUMENT.write_text(text)
    assert DOCUMENT.read_text() == text, "UPDATE_DOCS=1 pytest tests/aws/test_policy.py writes it"


def test_aws_takes_each_policy_for_its_length() -> None:
    lengths = {f.name: len("".join(f.read_text().split())) for f in FILES.glob("iam-policy*.json")}
    assert len(lengths) == len(LIVES)
    assert max(lengths.values()) <= LONGEST, lengths


def test_a_statements_name_says_which_policy_it_is_in() -> None:
    sids = [
        statement["Sid"] for policy in (POLICY, POLICY_ALB) for statement in policy["Statement"]
    ]
    assert len(sids) == len(set(sids))
