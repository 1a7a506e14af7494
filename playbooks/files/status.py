"""Show what there is and what differs from the playbooks: status.py [--no-drift] [OPTIONS].

Runs playbooks/status.yml, and `site.yml --check`, which changes nothing; says of the latter only
what it would change: on which host, which object, and what of it. OPTIONS: ansible-playbook's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("path", "dest", "name", "src", "url", "resource", "instance_ids")
LINES = 3
"""Changed lines of a file that are shown."""


def play(*arguments: str) -> dict[str, Any]:
    """Run ansible-playbook and give what its JSON callback says."""
    env = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
    done = subprocess.run(
        ["ansible-playbook", *arguments],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    start = done.stdout.find("{\n")
    if start < 0:
        sys.exit(f"ansible-playbook {arguments[0]} ends with:\n{done.stdout}{done.stderr}")
    # The run's time comes behind it.
    return dict(json.JSONDecoder().raw_decode(done.stdout[start:])[0])


def results(told: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give every task's result on every host; those of a loop one by one."""
    for one in told["plays"]:
        for task in one["tasks"]:
            for host, result in task["hosts"].items():
                for item in result.get("results", [result]):
                    yield host, task["task"]["name"], item


def status_lines(rows: list[dict[str, Any]]) -> list[str]:
    """Lay the hosts out as tables."""
    members = {m["address"]: m for r in rows if r["balancer"] for m in json.loads(r["balancer"])}
    lines = table(
        ("host", "role", "private", "public", "up since"),
        [(r["host"], r["role"], r["private"], r["public"], r["up"] or "silent") for r in rows],
    )
    backends = [backend(row, members) for row in rows if row["role"] in ("backend", "leaving")]
    heads = ("backend", "API", "release", "accuracy", "ready", "balancer", "last deploy")
    lines += ["", *table(heads, backends)]
    for row in rows:
        for name, mark in (row["state"].get("bad") or {}).items():
            lines.append(f"bad on {row['host']}: {name}, {mark['why']} ({mark['at']})")
    return lines


def backend(row: dict[str, Any], members: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    """Give a backend's line."""
    version, state = row["version"], row["state"]
    release = version.get("release", {})
    accuracy = f"{release['accuracy']:.2%}" if release else ""
    last = (state.get("history") or [{}])[-1]
    running = [one["active"] for one in state.get("workers", {}).values()]
    ready = f"{row['ready'].get('status', 'no answer')}, {running.count('active')} workers"
    member = next((m for a, m in members.items() if a.rpartition(":")[0] == row["private"]), None)
    balanced = " ".join(member["status"]) if member else "not in it"
    when = f"{last.get('did', '')} {last.get('at', '')}".strip()
    name = release.get("name", "")
    return (row["host"], version.get("api", ""), name, accuracy, ready, balanced, when)


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """Lay out rows under a head."""
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    return [
        "  ".join(str(c).ljust(w) for c, w in zip(r, widths, strict=True)).rstrip()
        for r in [head, *rows]
    ]


def drift(told: dict[str, Any]) -> list[str]:
    """Say what would be changed, a line for each object; and what could not be looked at."""
    lines = []
    for host, task, result in results(told):
        if result.get("failed") and not result.get("ignore_errors"):
            lines.append(f"{host}: {task}: cannot be looked at: {first(result.get('msg'))}")
        elif result.get("changed"):
            lines.append(f"{host}: {task}: {thing(result)}: {what(result)}")
        elif result.get("unreachable"):
            lines.append(f"{host}: does not answer")
    return list(dict.fromkeys(lines))


def thing(result: dict[str, Any]) -> str:
    """Name the object that a result is about."""
    given = result.get("invocation", {}).get("module_args") or {}
    item = result.get("item")
    label = result.get("_ansible_item_label") or (item if isinstance(item, str) else "")
    own = next((given[name] for name in NAMES if given.get(name)), "")
    return str(own or label or result.get("path") or "it")


def what(result: dict[str, Any]) -> str:
    """Name what of it would be changed."""
    found = result.get("diff") or []
    parts = [differs(one) for one in (found if isinstance(found, list) else [found])]
    return "; ".join(filter(None, parts)) or first(result.get("msg")) or "would be changed"


def differs(diff: dict[str, Any]) -> str:
    """Tell the attributes of a diff's two sides that are not the same, or a file's lines."""
    before, after = diff.get("before"), diff.get("after")
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [
            k for k in sorted({*before, *after}) if k != "path" and before.get(k) != after.get(k)
        ]
        return ", ".join(f"{key} {before.get(key)} → {after.get(key)}" for key in keys)
    if isinstance(before, str) and isinstance(after, str):
        old, new = before.splitlines(), after.splitlines()
        gone = [f"-{line.strip()}" for line in old if line not in new]
        come = [f"+{line.strip()}" for line in new if line not in old]
        shown = [*gone[:LINES], *come[:LINES]]
        return " ".join(shown) + (" …" if len(gone) + len(come) > len(shown) else "")
    return ""


def first(text: Any) -> str:
    """Give the first line of a text."""
    return str(text or "").strip().partition("\n")[0]


def main(arguments: list[str]) -> int:
    """Print both."""
    options = [one for one in arguments if one != "--no-drift"]
    told = play("playbooks/status.yml", *options)
    rows = next((r["msg"] for _, task, r in results(told) if task == "Report"), None)
    if rows is None:
        sys.exit("\n".join(drift(told)) or "There is nothing to show.")
    print("\n".join(status_lines(rows)))
    if "--no-drift" in arguments:
        return 0
    lines = drift(play("site.yml", "--check", "--diff", *options))
    print("\nnothing differs from the playbooks" if not lines else "\ndiffers from the playbooks:")
    print("\n".join(f"  {line}" for line in lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
