"""`python -m tests.fuzz`: the long runs; short ones are among the tests."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.fuzz import decoder
from tests.fuzz.mutate import mutant

FAILED = Path(".fuzz")
"""Where inputs that failed are kept."""


def main() -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("contract", help="requests made from the contract, against the API")
    one.add_argument("--requests", type=int, default=50_000, help="how many (%(default)s)")
    two = commands.add_parser("decoder", help="spoilt pictures, against the decoder")
    two.add_argument("--inputs", type=int, default=1_000_000, help="how many (%(default)s)")
    two.add_argument("--first", type=int, default=0, help="number of the first (%(default)s)")
    for command in (one, two):
        command.add_argument("--seed", type=int, default=1, help="another one, other inputs")
    args = parser.parse_args()
    if args.command == "contract":
        return fuzz_contract(args.seed, args.requests)
    return fuzz_decoder(args.seed, args.first, args.inputs)


def fuzz_decoder(seed: int, first: int, count: int) -> int:
    """Run the decoder's fuzzer and report."""
    begun = time.monotonic()

    def tell(outcome: decoder.Outcome) -> None:
        if outcome.inputs % (20 * decoder.REPORT_EVERY) == 0:
            print(f"{outcome.inputs} of {count}, {len(outcome.failures)} failures", flush=True)

    outcome = decoder.fuzz(seed, first, count, tell)
    print(
        f"decoder: {outcome.inputs} inputs (seed {seed}, from {first}) in "
        f"{time.monotonic() - begun:.0f} s: {dict(outcome.answers)}; slowest "
        f"{outcome.slowest[0] * 1000:.1f} ms of CPU (number {outcome.slowest[1]}); "
        f"{outcome.extra_kib} KiB more than at first"
    )
    for number, what in outcome.failures:
        FAILED.mkdir(exist_ok=True)
        media_type, body = mutant(seed, number)
        file = FAILED / f"decoder-{seed}-{number}"
        file.write_bytes(body)
        print(f"FAILED: {file} as {media_type}: {what}")
    return int(bool(outcome.failures) or outcome.extra_kib >= decoder.EXTRA_KIB)


def fuzz_contract(seed: int, requests: int) -> int:
    """Run the contract's fuzzer and report."""
    from tests.fuzz import contract  # noqa: PLC0415 - it takes seconds to import

    begun = time.monotonic()
    outcome = contract.fuzz(seed, requests, lambda line: print(line, flush=True))
    print(
        f"contract: {outcome.requests} requests (seed {seed}) in {time.monotonic() - begun:.0f} s: "
        f"{dict(sorted(outcome.statuses.items()))}"
    )
    for what in outcome.failures:
        print(f"FAILED: {what}")
    return int(bool(outcome.failures))


if __name__ == "__main__":
    sys.exit(main())
