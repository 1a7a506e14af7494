"""The lab's stand-in for conda, over venv and pip: the calls that a deployment makes, no others.

conda --version
conda env list --json
conda env update --name NAME --file environment.yml [--prune]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import yaml

PREFIX = Path(sys.prefix)
ENVS = PREFIX / "envs"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def refuse(what: str) -> None:
    """End with one sentence."""
    sys.exit(f"conda (the lab's stand-in, over venv and pip): {what}")


def requirements(file: Path) -> list[str]:
    """Give what environment.yml leaves to pip; refuse what only real conda could install."""
    lines: list[str] = []
    for wanted in yaml.safe_load(file.read_text())["dependencies"]:
        if isinstance(wanted, dict) and list(wanted) == ["pip"]:
            lines += wanted["pip"]
            continue
        name, version = re.fullmatch(r"([\w.-]+)\s*=*\s*([\d.]*)\S*", str(wanted)).groups()
        if name == "python" and version and f"{PYTHON}.".startswith(f"{version}.") is False:
            refuse(f"{file} wants python {version}, and the lab's machines have {PYTHON}")
        if name not in ("python", "pip"):
            refuse(f"{file} wants the conda package {name}; put it under pip")
    return lines


def update(name: str, file: Path, prune: bool) -> None:
    """Make an environment what a file says; with `prune` anew, so that nothing else is left."""
    wanted = requirements(file)
    environment = ENVS / name
    venv.create(environment, with_pip=True, clear=prune)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, suffix=".requirements.txt") as listed:
        listed.write("".join(f"{line}\n" for line in wanted))
        listed.flush()
        subprocess.run(
            [environment / "bin/python", "-m", "pip", "install", "-r", listed.name],
            cwd=file.parent,
            check=True,
        )
    (environment / "conda-meta").mkdir(exist_ok=True)
    (environment / "conda-meta/history").touch()


def main() -> None:
    """Run one command."""
    if sys.argv[1:] == ["--version"]:
        print("conda 25.11.0")
        return
    if sys.argv[1:] == ["env", "list", "--json"]:
        found = [PREFIX, *sorted(path.parent for path in ENVS.glob("*/conda-meta"))]
        print(json.dumps({"envs": [str(path) for path in found]}, indent=2))
        return
    if sys.argv[1:3] != ["env", "update"]:
        refuse(f"cannot do `conda {' '.join(sys.argv[1:])}`")
    parser = argparse.ArgumentParser(prog="conda env update")
    parser.add_argument("--name", "-n", required=True)
    parser.add_argument("--file", "-f", required=True, type=Path)
    parser.add_argument("--prune", action="store_true")
    arguments = parser.parse_args(sys.argv[3:])
    if not arguments.file.is_file():
        refuse(f"there is no file {arguments.file}")
    os.umask(0o022)
    try:
        update(arguments.name, arguments.file.resolve(), arguments.prune)
    except subprocess.CalledProcessError as error:
        refuse(f"pip failed with status {error.returncode}")


if __name__ == "__main__":
    main()
