"""What benchmarks have in common: on what they are run, the lab, and where tables are written."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import lock
from tests.lab.names import LabError

ROOT = Path(__file__).resolve().parents[2]
REPORT_HELP = "write the table between this file's marks"


def commit() -> str:
    """Name what is measured."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def measured_on() -> str:
    """Say what is measured, and on what."""
    return f"commit {commit()}, {os.cpu_count()} cores, Linux {platform.release()}"


def write(file: Path, table: str) -> None:
    """Put the table between the marks of a page."""
    text = file.read_text(encoding="utf-8")
    head, mark, rest = text.partition("<!-- measured -->\n")
    _, end, tail = rest.partition("<!-- end -->")
    file.write_text(f"{head}{mark}{table}\n{end}{tail}", encoding="utf-8")


def lab(command: str) -> None:
    """Run a command of the lab."""
    subprocess.run([sys.executable, "-m", "tests.lab", command], check=True, capture_output=True)


def refuse_another_lab() -> None:
    """End if a lab is running: it is not the benchmark's to take away."""
    try:
        lock.check_free()
    except LabError as error:
        sys.exit(str(error))


@contextmanager
def running_lab() -> Iterator[None]:
    """Have a lab, and take it away."""
    lab("up")
    try:
        yield
    finally:
        lab("down")
