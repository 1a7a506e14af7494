"""Feeds spoilt pictures to the decoder, in a process that may crash without taking this one along.

Allowed are a picture, a Problem that the contract names, and a NoDigitError. Everything else, and
memory that grows, is a failure; its input is made again by its seed and number.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from mnist_api.pictures import decode
from mnist_api.problems import Problem
from mnist_api.settings import Settings
from mnist_model.ink import ink_from_image
from mnist_model.normalise import NoDigitError, normalise
from tests.fuzz.mutate import mutant

DOCUMENTED = {400, 413, 415}
EXTRA_KIB = 64 * 2**10
"""Memory that the process may take beyond what it had after FIRST inputs: a picture of the largest
size is decoded in about a third of that."""
FIRST = 500
REPORT_EVERY = 500
STUCK_SECONDS = 60


@dataclass
class Outcome:
    """What came of the inputs, how many there were, and those that failed: (number, what)."""

    inputs: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[int, str]] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, 0)
    extra_kib: int = 0


def read(media_type: str | None, body: bytes) -> str:
    """Decode and normalise; return what came of it in a word. Raises what is not documented."""
    try:
        picture = decode(body, media_type, Settings.max_pixels)
    except Problem as problem:
        if problem.status not in DOCUMENTED or not problem.detail.endswith("."):
            raise
        return str(problem.status)
    try:
        normalise(ink_from_image(picture))
    except NoDigitError:
        return "no digit"
    return "picture"


def fuzz(
    seed: int, first: int, count: int, tell: Callable[[Outcome], None] = lambda _: None
) -> Outcome:
    """Try inputs `first` to `first + count`; go on behind one that crashes the process."""
    outcome, number = Outcome(), first
    while number < first + count:
        number = _run(outcome, seed, number, first + count, tell)
    return outcome


def _run(
    outcome: Outcome, seed: int, number: int, end: int, tell: Callable[[Outcome], None]
) -> int:
    """Run a process until it ends or is ended; return the number to go on with."""
    context = multiprocessing.get_context("spawn")
    at = context.Value("q", number)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sender, at, seed, number, end))
    process.start()
    sender.close()
    try:
        while True:
            if not receiver.poll(STUCK_SECONDS):
                outcome.failures.append((at.value, f"took over {STUCK_SECONDS} seconds"))
                break
            part: Outcome = receiver.recv()
            outcome.inputs += part.inputs
            outcome.answers += part.answers
            outcome.failures += part.failures
            outcome.slowest = max(outcome.slowest, part.slowest)
            outcome.extra_kib = max(outcome.extra_kib, part.extra_kib)
            tell(outcome)
    except EOFError:
        process.join()
        if process.exitcode == 0:
            return end
        outcome.failures.append((at.value, f"ended the process with {process.exitcode}"))
    finally:
        process.kill()
        process.join()
        receiver.close()
    return int(at.value) + 1


def _work(sender: Connection, at: object, seed: int, first: int, end: int) -> None:
    baseline, part = 0, Outcome()
    for number in range(first, end):
        at.value = number  # type: ignore[attr-defined]
        media_type, body = mutant(seed, number)
        begun = time.process_time()
        try:
            part.answers[read(media_type, body)] += 1
        except Exception as error:
            part.failures.append((number, repr(error)))
        part.slowest = max(part.slowest, (time.process_time() - begun, number))
        part.inputs += 1
        if part.inputs == REPORT_EVERY or number == end - 1:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            if number - first >= FIRST - 1:
                baseline = baseline or peak
                part.extra_kib = peak - baseline
            sender.send(part)
            part = Outcome()
