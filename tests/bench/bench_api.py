"""This API beside others that serve the same network: python -m tests.bench.bench_api.

One machine, one run; each stack reads the same ten PNGs of 280 x 280, sent by wrk over 1, 16 and 64
connections. All take their turns three times, and every figure is the median of the three: what
else a machine does changes from minute to minute. The tutorial's stack does what the tutorial does;
all others decode, normalise and classify alike. Needs wrk (apt-get install wrk) and, for one row,
apache2 (its Debian package). What the others need is installed into .bench-venv, from
tests/bench/requirements.txt.

Then the API alone: with 1, 2 and 4 threads, at half of its maximum rate, and at three times it
(tests/bench/flood.py).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil

from mnist_api.demo import RELEASES, newest_release
from tests.bench import request_time, stacks
from tests.bench.api_rows import CONNECTIONS, OURS, Row, beside_best_peer, median, plot, table
from tests.bench.flood import Flood, flood
from tests.bench.harness import REPORT_HELP, measured_on, write
from tests.bench.stacks import HOUSE, STACKS, VENV, Stack
from tests.browser.drawing import DIGITS, encoded, picture

WARM_REQUESTS = 50
MIB = 2**20

WRK = """
local bodies, n = {}, 0
for index = 0, 9 do
  local file = io.open("PLACE/" .. index, "rb")
  local headers = {["Host"] = "localhost", ["Content-Type"] = "TYPE"}
  bodies[index] = wrk.format("POST", "PATH", headers, file:read("*a"))
  file:close()
end
request = function() n = (n + 1) % 10; return bodies[n] end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'JSON{"requests": %d, "us": %d, "p50": %d, "p99": %d, "status": %d, "socket": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), e.status,
    e.connect + e.read + e.write + e.timeout))
end
"""


def main() -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_api", description=__doc__)
    parser.add_argument("--seconds", type=int, default=4, help="of each measurement (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of all measurements (%(default)s)")
    parser.add_argument("--only", default="", help="stacks with this in their name")
    parser.add_argument("--no-overload", action="store_true", help="leave the API's own part out")
    parser.add_argument("--report", type=Path, help=f"{REPORT_HELP}, and a plot beside it")
    args = parser.parse_args()
    if not shutil.which("wrk"):
        print("bench: wrk is not installed (apt-get install wrk).", file=sys.stderr)
        return 2
    make_venv()
    chosen = [stack for stack in STACKS.values() if args.only in stack.name]
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        env = environment(place)
        rows = measured(chosen, env, place, args.seconds, args.rounds)
        parts = [f"{measured_on()} (wrk runs on them, too)", table(rows)]
        if pair := beside_best_peer(rows, 1):
            whole = (row.by[16]["processor"] for row in pair)
            release = Path(env["BENCH_RELEASE"])
            parts.append(request_time.table(release, pictures(), *whole, pair[1].name))
        if not args.no_overload:
            parts.append(threads(env, place, args.seconds, args.rounds))
            parts.append(overload(env, place, args.seconds, args.rounds))
    print("\n" + "\n\n".join(parts))
    if args.report:
        plot(rows, args.report.with_suffix(".png"))
        parts.insert(2, f"![plot]({args.report.stem}.png)")
        write(args.report, "\n\n".join(parts))
    return 0


def make_venv() -> None:
    """Install what the others need, once for each state of the lock."""
    lock = HOUSE / "tests" / "bench" / "requirements.txt"
    stamp = VENV / "installed"
    if stamp.is_file() and stamp.read_text() == lock.read_text():
        return
    print("bench: installing what it compares with into .bench-venv", file=sys.stderr)
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--clear", str(VENV)], check=True)
    into = ["--python", str(VENV), "--requirement", str(lock)]
    subprocess.run([uv, "pip", "install", "--quiet", "--require-hashes", *into], check=True)
    stamp.write_text(lock.read_text())


def environment(place: Path) -> dict[str, str]:
    """Return the environment of every stack, and convert the network for ONNX Runtime."""
    release = newest_release(RELEASES)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MNIST_API_")}
    env = {
        **kept,
        "BENCH_RELEASE": str(release),
        "BENCH_ONNX": str(place / "model.onnx"),
        "MNIST_API_RELEASE": str(release),
        # The others turn nobody away, either.
        "MNIST_API_QUEUE": "256",
        "MNIST_API_DEADLINE_MILLISECONDS": "60000",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(HOUSE),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "BENTOML_HOME": str(place / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "1",
    }
    site = next((VENV / "lib").glob("python*/site-packages"))
    code = (
        f"import sys; sys.path.append({str(site)!r}); import keras, numpy; "
        f"model = keras.models.load_model({str(release / 'model.keras')!r}); "
        "model(numpy.zeros((1, *model.input_shape[1:]))); "
        f"model.export({env['BENCH_ONNX']!r}, format='onnx', verbose=False)"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=env, cwd=HOUSE, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"bench: the network could not be converted to ONNX:\n{done.stderr[-2000:]}")
    return env


def pictures() -> list[bytes]:
    """Return the ten digits, drawn, as the PNGs that a page's canvas makes: 280 x 280, RGBA."""
    return [encoded(picture(DIGITS[digit]).convert("RGBA")) for digit in sorted(DIGITS)]


def measured(
    chosen: list[Stack], env: dict[str, str], place: Path, seconds: int, rounds: int
) -> list[Row]:
    """Measure every stack once in each round; return the medians of those that can run."""
    found: dict[str, list[Row]] = {stack.name: [] for stack in chosen}
    for number in range(rounds):
        for stack in chosen:
            # What cannot run is not tried again.
            if len(found[stack.name]) == number and (row := tried(stack, env, place, seconds)):
                found[stack.name].append(row)
    return [median(rows) for rows in found.values() if len(rows) == rounds]


def tried(stack: Stack, env: dict[str, str], place: Path, seconds: int) -> Row | None:
    """Measure a stack; say why if it cannot run."""
    if reason := stacks.missing(stack):
        print(f"bench: {stack.name} is left out: {reason}", file=sys.stderr)
        return None
    print(f"bench: {stack.name}", file=sys.stderr)
    try:
        return measure(stack, env, place, seconds)
    except TimeoutError as error:
        print(f"bench: {error}", file=sys.stderr)
        return None


def measure(stack: Stack, env: dict[str, str], place: Path, seconds: int) -> Row:
    """Start a stack, load it over each number of connections, and look at its memory."""
    row = Row(stack.name, stack.processes)
    bodies = [stack.body(body) for body in pictures()]
    for number, body in enumerate(bodies):
        (place / str(number)).write_bytes(body)
    script = place / "post.lua"
    script.write_text(
        WRK.replace("PLACE", str(place))
        .replace("PATH", stack.path)
        .replace("TYPE", stack.media_type)
    )
    before = set(psutil.Process().children(recursive=True))
    with stacks.started(stack, env, pictures()[0]) as (port, row.start_seconds):
        for number in range(WARM_REQUESTS):
            stacks.ask(port, stack, bodies[number % len(bodies)])
        processes = set(psutil.Process().children(recursive=True)) - before
        for connections in CONNECTIONS:
            used = processor_seconds(processes)
            row.by[connections] = found = wrk(port, script, connections, seconds)
            used = processor_seconds(processes) - used
            found["processor"] = used / (found["rate"] * seconds)
        row.memory = sum(process.memory_info().rss for process in processes) / MIB
    return row


def processor_seconds(processes: set[psutil.Process]) -> float:
    """Return what the processes have used since they were started."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def wrk(port: int, script: Path, connections: int, seconds: int) -> dict[str, float]:
    """Load an address; return requests/s, p50 and p99 (ms), and failures."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    command += ["-s", str(script), f"http://127.0.0.1:{port}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    [line] = [line for line in done.stdout.splitlines() if line.startswith("JSON")]
    said: dict[str, Any] = json.loads(line.removeprefix("JSON"))
    return {
        "rate": (said["requests"] - said["status"]) / (said["us"] / 1e6),
        "p50": said["p50"] / 1000,
        "p99": said["p99"] / 1000,
        "failed": said["status"] + said["socket"],
    }


def threads(env: dict[str, str], place: Path, seconds: int, rounds: int) -> str:
    """Measure one worker with 1, 2 and 4 threads."""
    lines = [
        "| threads of one worker | requests/s at 1, 16, 64 | p50 ms | p99 ms |",
        "|---|---|---|---|",
    ]
    found: dict[int, list[Row]] = {1: [], 2: [], 4: []}
    for _ in range(rounds):
        for count, rows in found.items():
            print(f"bench: {count} threads", file=sys.stderr)
            given = {**env, "MNIST_API_THREADS": str(count)}
            rows.append(measure(STACKS[OURS], given, place, seconds))
    for count, rows in found.items():
        each = [median(rows).by[connections] for connections in CONNECTIONS]
        cells = [", ".join(f"{one[key]:.1f}" for one in each) for key in ("rate", "p50", "p99")]
        lines.append(f"| {count} | {' | '.join(cells)} |")
    return "\n".join(lines)


def overload(env: dict[str, str], place: Path, seconds: int, rounds: int) -> str:
    """Load the API, with the settings that it ships with, at half and three times its maximum."""
    stack = STACKS[OURS]
    limits = ("MNIST_API_QUEUE", "MNIST_API_DEADLINE_MILLISECONDS")
    env = {key: value for key, value in env.items() if key not in limits}
    body = pictures()[7]
    head = "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    lines = [
        "| load | sent/s | 200 | 503 | others | no answer | p99 of the 200s ms "
        "| health, worst ms |\n|---|---|---|---|---|---|---|---|"
    ]
    for _ in range(rounds):
        most = measure(stack, env, place, seconds).by[16]["rate"]
        with stacks.started(stack, env, body) as (port, _):
            flood(port, request, most / 4, 1)
            for name, rate in (
                ("half of the maximum", most / 2),
                ("three times the maximum", 3 * most),
            ):
                found = flood(port, request, rate, seconds)
                lines.append(overload_line(f"{name} ({most:.0f}/s)", rate, found))
    return "\n".join(lines)


def overload_line(name: str, rate: float, found: Flood) -> str:
    """Return a line of the overload's table."""
    others = sum(len(times) for status, times in found.seconds.items() if status not in (200, 503))
    cells = [
        name,
        f"{rate:.0f}",
        str(len(found.seconds.get(200, []))),
        str(len(found.seconds.get(503, []))),
        str(others),
        str(found.dropped),
        f"{found.p99(200) * 1000:.1f}",
        f"{max(found.health, default=float('nan')) * 1000:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
