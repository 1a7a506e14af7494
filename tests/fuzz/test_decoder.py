"""The decoder with a share of the inputs of the long run (`python -m tests.fuzz decoder`)."""

from __future__ import annotations

import pytest

from mnist_api.problems import Problem
from tests.fuzz import decoder
from tests.fuzz.corpus import corpus
from tests.fuzz.mutate import mutant

INPUTS = 5_000


def test_no_spoilt_picture_gets_more_than_a_documented_answer() -> None:
    outcome = decoder.fuzz(seed=1, first=0, count=INPUTS)
    assert outcome.failures == []
    assert outcome.inputs == INPUTS == outcome.answers.total()
    assert outcome.extra_kib < decoder.EXTRA_KIB
    # The mutations reach the decoders, and do not all end at the first byte.
    assert outcome.answers["picture"] > INPUTS / 20
    assert outcome.answers["400"] > INPUTS / 20


@pytest.mark.parametrize("name", corpus())
def test_the_corpus_itself_is_read_or_refused_as_animated(name: str) -> None:
    media_type, content = corpus()[name]
    if name.endswith("animated"):
        with pytest.raises(Problem, match="is animated"):
            decoder.decode(content, media_type, 10_000)
    else:
        assert decoder.read(media_type, content) == "picture"


def test_a_mutant_is_made_again_by_its_number() -> None:
    assert mutant(3, 17) == mutant(3, 17)
    assert len({mutant(3, number)[1] for number in range(100)}) > 90


def crash(*_: object) -> str:
    raise RuntimeError("undocumented")


def test_an_undocumented_exception_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "read", crash)
    sent: list[decoder.Outcome] = []
    sender = type("Sender", (), {"send": staticmethod(sent.append)})
    decoder._work(sender(), type("At", (), {})(), 1, 0, 3)  # type: ignore[arg-type]
    assert [number for number, _ in sent[0].failures] == [0, 1, 2]
