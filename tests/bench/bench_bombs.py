"""How long and how much memory every upload of the bomb corpus takes, in process.

    python -m tests.bench.bench_bombs [TIMES]

Prints CPU time (a thread's own, so that others on the machine matter little), the best of TIMES,
beside that of an ordinary prediction.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")

from mnist_api import app as api
from mnist_api.demo import RELEASES, newest_release
from mnist_api.reader import Reader
from mnist_api.settings import Settings
from mnist_model.release import verify_release
from tests.api.bombs import SEVEN, bombs, saved
from tests.api.conftest import Api
from tests.api.test_bombs import MOST_MEMORY, measure


def best(times: int, work: Callable[[], object]) -> float:
    """Return the least CPU time, in milliseconds."""
    took = []
    for _ in range(times):
        start = time.thread_time()
        work()
        took.append(time.thread_time() - start)
    return 1000 * min(took)


def main() -> None:
    """Measure, and print a table."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    release = newest_release(RELEASES[1:])
    memory = measure(release)
    reader = Reader(verify_release(release))
    reader.warm_up()
    config = api.configure(Settings(release), reader)
    config.include(api)
    app = Api(config.make_wsgi_app())
    seven = saved(SEVEN, "PNG")
    print(
        f"load {os.getloadavg()[0]:.1f}, best of {times}, including the contract's check in tests"
    )
    print(f"| {'upload':45} | status | limit           | CPU ms | MiB |")
    print(f"|{'-' * 47}|--------|-----------------|-------:|----:|")
    print(f"| {'an ordinary drawing':45} |    200 | {'':15} |", end="")
    print(f" {best(times, lambda: app.predict(seven)):6.1f} |     |")
    for bomb in bombs():
        took = best(times, lambda one=bomb: app.predict(one.body, one.media_type))
        row = f"| {bomb.name:45} |    {bomb.status} | {bomb.limit or '':15} |"
        print(f"{row} {took:6.1f} | {memory[bomb.name] / 2**20:3.1f} |")
    print(f"\nmost memory {max(memory.values()) / 2**20:.1f} MiB of {MOST_MEMORY // 2**20}")


if __name__ == "__main__":
    main()
