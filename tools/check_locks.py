"""Check that every lock file is what its list asks for: python -m tools.check_locks [DIR …].

Without network: each requirement of NAME.in is pinned in NAME.txt to a version that it allows,
every pin has hashes, no file names a package index, and one package has the same version in all
locks of a folder. What a new resolution would choose is not asked: `make lock` does that.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("requirements", "tests/bench")
ADDRESS = re.compile(r"^\s*(--?(index-url|extra-index-url|find-links|trusted-host|i|f)\b|.*\w+://)")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")


def wanted(path: Path) -> list[Requirement]:
    """Read a list with those that it includes (`-r`), as requirements."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.split("#")[0].strip()
        if text.startswith("-r"):
            found += wanted(path.parent / text.removeprefix("-r").strip())
        elif text and not text.startswith("-"):
            found.append(Requirement(text))
    return found


def pinned(path: Path) -> tuple[dict[str, set[Version]], list[str]]:
    """Read a lock: the versions by package (more than one where markers choose), and its faults."""
    versions: dict[str, set[Version]] = {}
    faults = []
    for entry in path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        text = entry.strip()
        if not text or text.startswith("#"):
            continue
        if ADDRESS.match(text):
            faults.append(f"{path.name}: an address: {text[:60]}")
            continue
        requirement = Requirement(text.split("--hash")[0])
        pin = re.fullmatch(r"==([^*,]+)", str(requirement.specifier))
        if not pin:
            faults.append(f"{path.name}: {requirement.name} is not pinned with ==")
            continue
        if not HASH.search(text):
            faults.append(f"{path.name}: {requirement.name} has no hash")
        versions.setdefault(canonicalize_name(requirement.name), set()).add(Version(pin[1]))
    return versions, faults


def check(folder: Path) -> list[str]:
    """Compare every NAME.in of a folder with its NAME.txt; return what is wrong."""
    faults = []
    everywhere: dict[str, set[frozenset[Version]]] = {}
    for listed in sorted(folder.glob("*.in")):
        lock = listed.with_suffix(".txt")
        if not lock.exists():
            faults.append(f"{listed.name} has no {lock.name}")
            continue
        versions, found = pinned(lock)
        faults += found
        for requirement in wanted(listed):
            pins = versions.get(canonicalize_name(requirement.name), set())
            if not any(requirement.specifier.contains(pin, prereleases=True) for pin in pins):
                held = ", ".join(map(str, sorted(pins))) or "nothing"
                faults.append(f"{lock.name}: {listed.name} wants {requirement}, it has {held}")
        for name, pins in versions.items():
            everywhere.setdefault(name, set()).add(frozenset(pins))
    for name, variants in sorted(everywhere.items()):
        if not any(all(pins <= most for pins in variants) for most in variants):
            faults.append(f"{folder.name}: the locks disagree about {name}")
    return faults


def main(folders: list[str]) -> int:
    """Print what is wrong, and what to do; 1 if there is anything."""
    faults = [fault for folder in folders or FOLDERS for fault in check(ROOT / folder)]
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        print("locks: `make lock` compiles them again from the lists.", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
