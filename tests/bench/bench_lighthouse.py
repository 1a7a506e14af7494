"""Lighthouse's scores of the page: python -m tests.bench.bench_lighthouse [--runs N].

On a phone and on a desk, served by Apache as roles/frontend configures it in front of the demo's
API, or by the demo alone where there is no Apache. Lighthouse comes from npm (package-lock.json
beside this file) and drives Debian's Chromium. Ends with status 1 if a score is below LEAST.

Lighthouse plays a phone that is four times slower, behind 1.6 Mbit/s: other load on this machine
counts fourfold.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mnist_api.demo import RELEASES, newest_release
from tests.api.process import HOUSE, demo, worker
from tests.browser import apache
from tests.browser.chromium import PROGRAM

LEAST = 98
HERE = Path(__file__).parent
LIGHTHOUSE = HERE / "node_modules" / ".bin" / "lighthouse"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
SCREENS = {"phone": [], "desk": ["--preset=desktop"]}
PAGES = ("/", "/how.html")


def install() -> None:
    """Install Lighthouse, once."""
    if LIGHTHOUSE.exists():
        return
    if not shutil.which("npm"):
        sys.exit("Lighthouse comes from npm, and that is not here: apt-get install npm")
    command = ["npm", "--prefix", str(HERE), "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, check=True, env={**os.environ, "PUPPETEER_SKIP_DOWNLOAD": "1"})


@contextmanager
def served() -> Iterator[tuple[str, str]]:
    """Give who serves the page, and at which host:port."""
    release = newest_release(RELEASES[1:])
    if not Path(apache.PROGRAM).exists():
        with demo(release) as server:
            yield "demo", server.address
    else:
        with (
            worker(release) as backend,
            apache.apache(HOUSE / "site", [backend.address]) as address,
        ):
            yield "Apache", address


def lighthouse(url: str, *options: str) -> tuple[dict[str, int], list[str]]:
    """Return the scores from 0 to 100, and what is not perfect."""
    flags = "--headless=new --disable-gpu" + (" --no-sandbox" if os.geteuid() == 0 else "")
    command = [
        *(str(LIGHTHOUSE), url, "--quiet", "--output=json", f"--chrome-flags={flags}"),
        f"--only-categories={','.join(CATEGORIES)}",
        *options,
    ]
    environment = {**os.environ, "CHROME_PATH": PROGRAM}
    done = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
    report = json.loads(done.stdout)
    scores = {name: round(report["categories"][name]["score"] * 100) for name in CATEGORIES}
    weights = {
        each["id"]: each["weight"]
        for category in report["categories"].values()
        for each in category["auditRefs"]
    }
    flaws = [
        f"{name}: {audit['title']} {audit.get('displayValue', '')}"
        for name, audit in report["audits"].items()
        if weights.get(name) and audit["score"] is not None and audit["score"] < 1
    ]
    return scores, flaws


def main() -> None:
    """Print a table of the median scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each page on each screen")
    runs = parser.parse_args().runs
    install()
    lowest = 100
    with served() as (server, address):
        print(f"Served by {server}; median of {runs}.\n")
        print(f"| page | screen | {' | '.join(CATEGORIES)} |")
        print("|---" * (2 + len(CATEGORIES)) + "|")
        for page in PAGES:
            for screen, options in SCREENS.items():
                results = [lighthouse(f"http://{address}{page}", *options) for _ in range(runs)]
                medians = [
                    round(statistics.median(scores[name] for scores, _ in results))
                    for name in CATEGORIES
                ]
                lowest = min(lowest, *medians)
                print(f"| {page} | {screen} |", " | ".join(map(str, medians)), "|", flush=True)
                for flaw in sorted({flaw for _, flaws in results for flaw in flaws}):
                    print(f"  {flaw}", file=sys.stderr)
    sys.exit(int(lowest < LEAST))


if __name__ == "__main__":
    main()
