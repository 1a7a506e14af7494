"""What a role's argument_specs say of its defaults is what its defaults are."""

import re
from pathlib import Path

import pytest
import yaml

ROLES = sorted(path for path in (Path(__file__).parents[2] / "roles").iterdir() if path.is_dir())
PARTS = ("tasks", "handlers", "templates", "vars", "defaults")
PLUGINS = ("library", "filter_plugins")
NO_VARIABLES = {"nat_instance", "account_caller"}
"""What looks like a role's variable: a table of nftables, what playbooks/tasks/account.yml sets."""
TYPES = {
    "str": str,
    "path": str,
    "int": int,
    "float": float,
    "bool": bool,
    "list": list,
    "dict": dict,
}


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


def options(role: Path) -> list[tuple[str, dict]]:
    entries = read(role / "meta" / "argument_specs.yml")["argument_specs"].values()
    return [item for entry in entries for item in entry.get("options", {}).items()]


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_entry_point_and_every_option_is_described(role: Path) -> None:
    for name, entry in read(role / "meta" / "argument_specs.yml")["argument_specs"].items():
        assert entry["short_description"], name
    for name, option in options(role):
        assert option["type"] in TYPES, name
        assert option["description"].rstrip().endswith("."), name
        assert option.get("required") or "default" in option, name
        assert (option["type"] == "list") == ("elements" in option), name


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_default_is_of_its_type_and_one_of_its_choices(role: Path) -> None:
    for name, option in options(role):
        default = option.get("default")
        if default is None or (isinstance(default, str) and "{{" in default):
            continue
        assert type(default) is TYPES[option["type"]], name
        assert default in option.get("choices", [default]), name


def expressions(path: Path) -> str:
    """A file without its comments; of a template, only what Ansible evaluates."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".j2":
        return "\n".join(re.findall(r"\{\{.*?\}\}|\{%.*?%\}", text, re.DOTALL))
    return re.sub(r"(?m)#.*$", "", text)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_what_its_tasks_read_is_specified(role: Path) -> None:
    """`role_x` is public and specified; `__role_x` and what the role itself sets are not."""
    files = [p for part in PARTS for p in (role / part).glob("*") if p.is_file()]
    texts = [expressions(path) for path in files]
    words = {w for text in texts for w in re.findall(rf"(?<![\w/.\-]){role.name}_\w+", text)}
    modules = {path.stem for part in PLUGINS for path in (role / part).glob("*.py")}
    filters = {
        name
        for path in (role / "filter_plugins").glob("*.py")
        for name in re.findall(r"[\"'](\w+)[\"']:", path.read_text(encoding="utf-8"))
    }
    own = rf"^\s+(?:register: )?({role.name}_\w+)(?:$|:)"
    sets = {name for text in texts for name in re.findall(own, text, re.MULTILINE)}
    unknown = words - {name for name, _ in options(role)} - modules - filters - sets
    assert unknown <= NO_VARIABLES


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_its_variables_have_its_name(role: Path) -> None:
    """Only what the whole project agrees on (inventory/group_vars) may be called `project_x`."""
    names = [name for name, _ in options(role)]
    assert [n for n in names if not n.startswith((f"{role.name}_", "project_"))] == []
    internal = read(role / "vars" / "main.yml")
    assert [name for name in internal if not name.startswith(f"__{role.name}_")] == []
