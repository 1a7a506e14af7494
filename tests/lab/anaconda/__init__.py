"""The lab's stand-in for Anaconda: an installer with the same arguments, over venv and pip.

It is the lab's only stand-in for a real part besides the AWS API itself, for controllers and
machines that reach package registries and nothing else.
"""

from __future__ import annotations

from pathlib import Path

from tests.lab import names

HERE = Path(__file__).parent
LOCK = names.REPOSITORY / "requirements" / "jupyter.txt"


def installer() -> bytes:
    """Give the installer: one shell script with its lock file and its conda inside."""
    template = (HERE / "installer.sh.in").read_text()
    parts = {"@LOCK@": LOCK.read_text(), "@CONDA@": (HERE / "conda.py").read_text()}
    for mark, text in parts.items():
        template = template.replace(f"{mark}\n", text)
    return template.encode()
