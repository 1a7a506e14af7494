"""What a backend remembers of its deploys, and to which it goes back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "roles" / "backend" / "files" / "deploys.py"


class Host:
    """A host's directory, and the program on it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, command: str, *arguments: str) -> tuple[int, str]:
        line = [sys.executable, str(PROGRAM), command, str(self.root), *arguments]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 3), done.stderr
        return done.returncode, done.stdout.strip()

    def bring(self, deploy: str, version: str, release: str) -> None:
        for directory in (f"versions/{version}", f"releases/{release}", f"deploys/{deploy}"):
            (self.root / directory).mkdir(parents=True, exist_ok=True)
        (self.root / "versions" / version / "complete").touch()
        (self.root / "releases" / release / "manifest.json").touch()
        facts = json.dumps({"version": version, "release": release})
        (self.root / "deploys" / deploy / "deploy.json").write_text(facts)

    def serve(self, deploy: str, did: str = "deploy") -> None:
        link = self.root / "current"
        link.unlink(missing_ok=True)
        link.symlink_to(f"deploys/{deploy}")
        self.run("note", deploy, did)

    @property
    def previous(self) -> str:
        return self.run("previous")[1]

    @property
    def there(self) -> set[str]:
        return {
            path.relative_to(self.root).as_posix()
            for kind in ("deploys", "versions", "releases")
            for path in self.root.glob(f"{kind}/*")
        }


@pytest.fixture
def host(tmp_path: Path) -> Host:
    host = Host(tmp_path)
    for deploy, version, release in (
        ("one", "v1", "r1"),
        ("two", "v1", "r2"),
        ("three", "v2", "r2"),
        ("four", "v2", "r3"),
    ):
        host.bring(deploy, version, release)
    return host


def test_before_the_first_there_is_none(host: Host) -> None:
    assert host.run("previous") == (3, "")
    host.serve("one")
    assert host.run("previous") == (3, "")


def test_a_rollback_goes_back_one_by_one_and_never_forward(host: Host) -> None:
    for deploy in ("one", "two", "three"):
        host.serve(deploy)
    assert host.previous == "two"
    host.serve("two", "rollback")
    assert host.previous == "one"
    host.serve("one", "rollback")
    assert host.run("previous") == (3, "")
    host.serve("three")
    assert host.previous == "one"


def test_one_that_was_put_back_is_no_new_deploy(host: Host) -> None:
    host.serve("one")
    host.serve("two")
    host.serve("two", "put back")
    assert host.previous == "one"


def test_a_deploy_that_came_again_is_behind_the_others(host: Host) -> None:
    for deploy in ("one", "two", "one"):
        host.serve(deploy)
    assert host.previous == "two"


def test_a_named_release_comes_with_its_last_deploy(host: Host) -> None:
    for deploy in ("two", "three", "one"):
        host.serve(deploy)
    assert host.run("previous", "r2") == (0, "three")
    assert host.run("previous", "r9") == (3, "")


def test_what_is_not_whole_is_not_gone_back_to(host: Host) -> None:
    for deploy in ("one", "two", "three"):
        host.serve(deploy)
    (host.root / "deploys" / "two" / "deploy.json").unlink()
    assert host.previous == "one"


def test_a_line_that_was_cut_off_is_passed_over(host: Host) -> None:
    host.serve("one")
    host.serve("two")
    with (host.root / "history.jsonl").open("a") as file:
        file.write('{"at": "2026-')
    assert host.previous == "one"


def test_pruning_keeps_the_last_and_what_they_need(host: Host) -> None:
    for deploy in ("one", "two", "three", "four"):
        host.serve(deploy)
    (host.root / "releases" / "refused").mkdir()
    gone = host.run("prune", "2")[1].splitlines()
    assert gone == ["deploys/one", "deploys/two", "releases/r1", "releases/refused", "versions/v1"]
    assert host.there == {
        *("deploys/three", "deploys/four"),
        *("versions/v2", "releases/r2", "releases/r3"),
    }
    assert host.run("prune", "2") == (0, "")


def test_pruning_never_takes_what_serves(host: Host) -> None:
    for deploy in ("one", "two", "three", "four"):
        host.serve(deploy)
    host.serve("one", "rollback")
    host.run("prune", "1")
    assert {"deploys/one", "versions/v1", "releases/r1"} <= host.there


def test_a_mark_stays_until_it_is_taken_away(host: Host) -> None:
    host.run("mark", "r1", "one", "it reads worse")
    host.run("mark", "r2", "", "it's damaged")
    bad = json.loads(host.run("state")[1])["bad"]
    assert (bad["r1"]["deploy"], bad["r1"]["why"]) == ("one", "it reads worse")
    assert (bad["r2"]["deploy"], bad["r2"]["why"]) == ("", "it's damaged")
    host.run("unmark", "r1")
    host.run("unmark", "r9")
    assert set(json.loads(host.run("state")[1])["bad"]) == {"r2"}
