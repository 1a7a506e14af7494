#!/usr/bin/python3
"""Wait for a line of a training's log: watch_training.py UNIT LOG PREFIX SECONDS.

Prints the first line that starts with PREFIX and exits 0. Exits 1 with the log's last lines when
the unit ends without such a line, and after SECONDS. Runs on the host's own Python (3.9 or newer).
"""

import subprocess
import sys
import time
from pathlib import Path

SHOWN_LINES = 25


def main(unit, log, prefix, seconds):
    """Watch until one of the three things has happened; return the exit status."""
    deadline = time.monotonic() + float(seconds)
    while True:
        # In this order: what the training wrote before it ended must not be missed.
        running = is_running(unit)
        lines = read_lines(log)
        for line in lines:
            if line.startswith(prefix):
                print(line)
                return 0
        if not running:
            reason = "ended ({})".format(show(unit, "Result", "ExecMainStatus"))
        elif time.monotonic() > deadline:
            reason = f"has not come so far in {seconds} seconds"
        else:
            time.sleep(0.5)
            continue
        print(f"The training {reason} before '{prefix.strip()}'. Its last lines:")
        print("\n".join(lines[-SHOWN_LINES:]) or "(none)")
        return 1


def is_running(unit):
    """Tell whether systemd still runs the unit."""
    return show(unit, "ActiveState") not in ("ActiveState=inactive", "ActiveState=failed")


def show(unit, *properties):
    """Ask systemd for properties of the unit: 'Name=value, Name=value'."""
    command = ["systemctl", "show", unit] + ["--property=" + name for name in properties]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return ", ".join(answer.stdout.split())


def read_lines(log):
    """Read the complete lines that the log has so far."""
    try:
        text = Path(log).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [line.rstrip() for line in text.split("\n")[:-1]]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
