"""Every role's README has the table that its argument_specs give."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.role_readmes import BEGIN, END, ROLES, table, written

SPECS = {
    "main": {
        "options": {
            "x_list": {
                "type": "list",
                "elements": "int",
                "default": [1, 2],
                "description": "Two\nlines.",
            },
            "x_kind": {
                "type": "str",
                "choices": ["a", "b"],
                "default": "{{ y | default('a') }}",
                "description": "a|b",
            },
            "x_file": {"type": "path", "required": True, "description": "A file."},
        }
    },
}
TABLE = """| variable | type | default | |
|---|---|---|---|
| `x_file` | path | must be given | A file. |
| `x_list` | list of int | `[1, 2]` | Two lines. |
| `x_kind` | str: `a`, `b` | `{{ y \\| default('a') }}` | a\\|b |"""


def check() -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.role_readmes", "--check"]
    return subprocess.run(command, cwd=ROLES.parent, capture_output=True, text=True, check=False)


def test_the_readmes_are_current() -> None:
    done = check()
    assert done.returncode == 0, done.stderr


def test_every_role_has_one() -> None:
    roles = sorted(path.name for path in ROLES.iterdir() if path.is_dir())
    assert roles == sorted(path.parent.name for path in ROLES.glob("*/README.md"))


def test_a_table_tells_type_default_and_choices() -> None:
    assert table(SPECS) == TABLE


def test_entry_points_that_share_their_variables_share_a_table() -> None:
    other = {"options": {"x_other": {"type": "bool", "default": False, "description": "Other."}}}
    told = table({**SPECS, "preflight": SPECS["main"], "absent": other, "empty": {}})
    assert told.count(TABLE) == 1
    assert told.startswith("Of the entry points `main`, `preflight`:\n\n")
    assert "Of the entry point `absent`:\n\n| variable" in told
    assert "| `x_other` | bool | `false` | Other. |" in told
    assert "empty" not in told


def test_what_is_written_by_hand_stays() -> None:
    before = f"# x\n\nBy hand.\n\n{BEGIN}\nold\n{END}\n\nAlso by hand.\n"
    after = f"# x\n\nBy hand.\n\n{BEGIN}\n{TABLE}\n{END}\n\nAlso by hand.\n"
    assert written(before, SPECS) == after
    assert written(after, SPECS) == after


def test_a_readme_without_the_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="these two lines"):
        written("# x\n", SPECS)


def test_a_stale_readme_is_named_and_left_alone(tmp_path: Path) -> None:
    shutil.copytree(ROLES.parent / "tools", tmp_path / "tools")
    shutil.copytree(ROLES / "nat", tmp_path / "roles" / "nat")
    readme = tmp_path / "roles" / "nat" / "README.md"
    text = readme.read_text().replace("`nat_interface`", "`nat_other`")
    readme.write_text(text)
    command = [sys.executable, "-m", "tools.role_readmes"]
    done = subprocess.run(
        [*command, "--check"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, readme.read_text()) == (1, text)
    assert "roles/nat/README.md" in done.stderr
    subprocess.run(command, cwd=tmp_path, check=True)
    assert readme.read_text() == (ROLES / "nat" / "README.md").read_text()
