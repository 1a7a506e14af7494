"""playbooks/files/status.py: what there is as a table, what differs as lines."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[2] / "playbooks" / "files" / "status.py"
SPEC = importlib.util.spec_from_file_location("status", FILE)
assert SPEC
assert SPEC.loader
status = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(status)


def told(**hosts: dict[str, Any]) -> dict[str, Any]:
    """What the JSON callback says of one task."""
    return {"plays": [{"tasks": [{"task": {"name": "Base | Write it"}, "hosts": hosts}]}]}


def test_what_is_as_it_should_be_is_not_told() -> None:
    assert status.drift(told(a={"changed": False}, b={"skipped": True, "changed": False})) == []


def test_a_files_lines_and_an_objects_attributes_are_told() -> None:
    file = {
        "changed": True,
        "invocation": {"module_args": {"dest": "/etc/x", "src": "x.j2"}},
        "diff": [{"before": "same\nold\n", "after": "same\nnew\n"}],
    }
    link = {
        "changed": True,
        "invocation": {"module_args": {"path": "/etc/y", "mode": "0644"}},
        "diff": {"before": {"path": "/etc/y", "mode": "0600"}, "after": {"mode": "0644"}},
    }
    lines = status.drift(told(a=file, b={"results": [link, {"changed": False}]}))
    assert lines == [
        "a: Base | Write it: /etc/x: -old +new",
        "b: Base | Write it: /etc/y: mode 0600 → 0644",
    ]


def test_what_cannot_be_looked_at_is_told() -> None:
    lines = status.drift(
        told(a={"failed": True, "msg": "No.\nMore."}, b={"unreachable": True, "msg": "ssh"})
    )
    assert lines == ["a: Base | Write it: cannot be looked at: No.", "b: does not answer"]


def row(host: str, role: str, **more: Any) -> dict[str, Any]:
    base = {"private": "10.80.2.4", "public": "", "up": "2026-01-01 00:00:00", "state": {}}
    return {"host": host, "role": role, **base, "ready": {}, "version": {}, "balancer": "", **more}


def test_a_backends_line_has_release_readiness_and_balancer() -> None:
    state = {
        "history": [{"did": "rollback", "at": "2026-01-02T00:00:00Z"}],
        "workers": {"mnist-api@1.service": {"active": "active", "deploy": "x"}},
        "bad": {"mnist-cnn-2": {"why": "it reads 3", "at": "2026-01-01T00:00:00Z"}},
    }
    version = {"api": "0.1.0", "release": {"name": "mnist-cnn-1", "accuracy": 0.9941}}
    balancer = '[{"address": "10.80.2.4:5000", "in": true, "status": ["Init", "Ok"], "busy": 0}]'
    lines = status.status_lines(
        [
            row("AI_Backend", "backend", state=state, version=version, ready={"status": "ready"}),
            row("AI_Frontend", "frontend", private="10.80.1.5", up="", balancer=balancer),
        ]
    )
    text = "\n".join(" ".join(line.split()) for line in lines)
    assert "AI_Frontend frontend 10.80.1.5 silent" in text
    wanted = "AI_Backend 0.1.0 mnist-cnn-1 99.41% ready, 1 workers Init Ok rollback 2026-01-02"
    assert wanted in text
    assert "bad on AI_Backend: mnist-cnn-2, it reads 3 (2026-01-01T00:00:00Z)" in text
