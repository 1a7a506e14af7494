#!/usr/bin/python3
"""What was put into service on this host, and what is: deploys.py COMMAND ROOT ….

ROOT/deploys/ID/     a version and a release with their settings; deploy.json says which
ROOT/current         the one in service
ROOT/history.jsonl   what came into service when; written when it was seen to answer
ROOT/bad/RELEASE     why a release must not be put into service

state                    print everything as JSON
note ID DID [WHY]        write down that a deploy came into service (deploy, rollback, put back)
previous [RELEASE]       print the deploy to roll back to: the one before, or the last of a release
mark RELEASE ID [WHY]    a release is bad: with this deploy, or without an ID until tried again
unmark RELEASE           it is not
prune KEEP               remove all but the last deploys, and what none needs; print what went
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

EX_NOTHING = 3
SHOWN = 20
"""Entries of the history that `state` prints."""


def history(root: Path) -> list[dict[str, Any]]:
    """Give what came into service, the oldest first; a line that was cut off is none."""
    found = []
    if (file := root / "history.jsonl").exists():
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
    return found


def deploys(root: Path) -> dict[str, dict[str, Any]]:
    """Give the deploys that are whole, by their ids."""
    found = {}
    for file in root.glob("deploys/*/deploy.json"):
        facts = json.loads(file.read_text(encoding="utf-8"))
        whole = (root / "versions" / facts["version"] / "complete").exists()
        if whole and (root / "releases" / facts["release"] / "manifest.json").exists():
            found[file.parent.name] = facts
    return found


def current(root: Path) -> str:
    """Give the id of the one in service; nothing before the first."""
    link = root / "current"
    return link.readlink().name if link.is_symlink() else ""


def order(root: Path) -> list[str]:
    """Give the deploys that were in service and are whole, the newest first, each once."""
    whole = deploys(root)
    return list(dict.fromkeys(e["deploy"] for e in reversed(history(root)) if e["deploy"] in whole))


def workers() -> dict[str, dict[str, str]]:
    """Give every worker's state, and the deploy that its process really runs."""
    listed = show("list-units", "--all", "--plain", "--no-legend", "--full", "mnist-api@*.service")
    found = {}
    for line in listed.splitlines():
        unit, _, active, *_ = line.split()
        pid = show("show", unit, "--property=MainPID", "--value").strip()
        try:
            settings = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
        except OSError:
            settings = []
        runs = next((s.partition("=")[2] for s in settings if s.startswith("MNIST_DEPLOY=")), "")
        found[unit] = {"active": active, "deploy": runs}
    return found


def show(*arguments: str) -> str:
    """Ask systemd."""
    command = ["systemctl", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def state(root: Path) -> dict[str, Any]:
    """Give everything there is to know."""
    listens = show("show", "mnist-api.socket", "--property=Listen", "--value").splitlines()
    return {
        "current": current(root),
        "deploys": deploys(root),
        "history": history(root)[-SHOWN:],
        "bad": {file.name: json.loads(file.read_text()) for file in root.glob("bad/*")},
        "workers": workers(),
        "listens": listens[0] if listens else "",
    }


def note(root: Path, deploy: str, did: str, why: str = "") -> None:
    """Write down that a deploy came into service."""
    facts = json.loads((root / "deploys" / deploy / "deploy.json").read_text(encoding="utf-8"))
    entry = {"at": now(), "did": did, "deploy": deploy, **facts, **({"why": why} if why else {})}
    with (root / "history.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


def previous(root: Path, release: str = "") -> str:
    """Give the deploy to roll back to, or nothing."""
    whole, serving = deploys(root), current(root)
    if release:
        return next((one for one in order(root) if whole[one]["release"] == release), "")
    # A deploy goes on top of those before it; a rollback takes off all that lie above its own.
    pile: list[str] = []
    for entry in history(root):
        one = entry["deploy"]
        if entry["did"] == "deploy" or one not in pile:
            pile = [*(other for other in pile if other != one), one]
        else:
            pile = pile[: pile.index(one) + 1]
    if serving in pile:
        pile = pile[: pile.index(serving)]
    return next((one for one in reversed(pile) if one in whole), "")


def mark(root: Path, release: str, deploy: str, why: str = "") -> None:
    """Write down why a release is bad."""
    (root / "bad").mkdir(mode=0o755, exist_ok=True)
    entry = {"at": now(), "deploy": deploy, "why": why}
    (root / "bad" / release).write_text(json.dumps(entry) + "\n", encoding="utf-8")


def prune(root: Path, keep: int) -> list[str]:
    """Remove all but the last deploys, and what none of them needs; never what is running."""
    running = {one["deploy"] for one in workers().values()} | {current(root)}
    kept = set(order(root)[:keep]) | running
    facts = deploys(root)
    needed = {f"deploys/{one}" for one in kept}
    needed |= {f"versions/{facts[one]['version']}" for one in kept if one in facts}
    needed |= {f"releases/{facts[one]['release']}" for one in kept if one in facts}
    there = [
        path for kind in ("deploys", "versions", "releases") for path in root.glob(f"{kind}/*")
    ]
    gone = [path for path in there if str(path.relative_to(root)) not in needed]
    for path in gone:
        shutil.rmtree(path)
    return sorted(str(path.relative_to(root)) for path in gone)


def now() -> str:
    """Give the time as it is written down."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def main(command: str, place: str, *rest: str) -> int:
    """Run a command; return the exit status."""
    root = Path(place)
    match command:
        case "state":
            print(json.dumps(state(root)))
        case "note":
            note(root, *rest)
        case "previous":
            found = previous(root, *rest)
            print(found)
            return 0 if found else EX_NOTHING
        case "mark":
            mark(root, *rest)
        case "unmark":
            (root / "bad" / rest[0]).unlink(missing_ok=True)
        case "prune":
            print("\n".join(prune(root, int(rest[0]))))
        case _:
            sys.exit(__doc__)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
