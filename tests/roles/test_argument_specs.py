"""What a role's argument_specs say of its defaults is what its defaults are."""

from pathlib import Path

import pytest
import yaml

ROLES = sorted(path for path in (Path(__file__).parents[2] / "roles").iterdir() if path.is_dir())


def read(path: Path) -> dict:
    return (yaml.safe_load(path.read_text()) or {}) if path.exists() else {}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_specs_equal_defaults(role: Path) -> None:
    entries = read(role / "meta" / "argument_specs.yml")["argument_specs"].values()
    options = [item for entry in entries for item in entry.get("options", {}).items()]
    specified = {name: option["default"] for name, option in options if "default" in option}
    assert specified == read(role / "defaults" / "main.yml")


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_required_and_default_exclude_each_other(role: Path) -> None:
    entries = read(role / "meta" / "argument_specs.yml")["argument_specs"].values()
    both = [
        name
        for entry in entries
        for name, option in entry.get("options", {}).items()
        if option.get("required") and "default" in option
    ]
    assert not both
