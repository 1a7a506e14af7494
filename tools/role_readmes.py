"""Write the tables of variables in roles/*/README.md from meta/argument_specs.yml.

python -m tools.role_readmes writes them; with --check it only says which are out of date, and ends
with 1. What stands outside the two marks of a README is written by hand and left alone.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import yaml

ROLES = Path(__file__).resolve().parents[1] / "roles"
BEGIN = "<!-- variables: make readmes writes this table from meta/argument_specs.yml -->"
END = "<!-- end of variables -->"
BETWEEN = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)


def cell(text: str) -> str:
    """Give a text that may stand in a cell of a table, on one line."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """Show a value as code in a cell of a table."""
    return f"`{cell(text)}`"


def default(option: dict[str, Any]) -> str:
    """Show an option's default as it would be written in YAML."""
    if "default" not in option:
        return "must be given" if option.get("required") else ""
    value = option["default"]
    if isinstance(value, str):
        return code(value) if value else "empty"
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False)
    return code(text.removesuffix("...\n"))


def kind(option: dict[str, Any]) -> str:
    """Show an option's type, and what it may be where that is a choice."""
    elements = f" of {option['elements']}" if "elements" in option else ""
    choices = ", ".join(code(str(choice)) for choice in option.get("choices", []))
    return f"{option['type']}{elements}" + (f": {choices}" if choices else "")


def rows(options: dict[str, dict[str, Any]]) -> list[str]:
    """Give a table: those that must be given first, then in the order of the specification."""
    ordered = sorted(options.items(), key=lambda item: not item[1].get("required", False))
    head = ["| variable | type | default | |", "|---|---|---|---|"]
    return head + [
        f"| `{name}` | {kind(option)} | {default(option)} | {cell(option['description'])} |"
        for name, option in ordered
    ]


def table(specs: dict[str, dict[str, Any]]) -> str:
    """Give a role's tables, one for each set of variables that entry points share."""
    sets: list[tuple[list[str], dict[str, dict[str, Any]]]] = []
    for entry, spec in specs.items():
        options = spec.get("options") or {}
        same = next((names for names, others in sets if others == options), None)
        if same is not None:
            same.append(entry)
        elif options:
            sets.append(([entry], options))
    parts = []
    for names, options in sets:
        told = ", ".join(f"`{name}`" for name in names)
        title = [f"Of the entry points {told}:", ""] if len(names) > 1 else []
        if len(sets) > 1 and not title:
            title = [f"Of the entry point {told}:", ""]
        parts.append("\n".join(title + rows(options)))
    return "\n\n".join(parts)


def written(readme: str, specs: dict[str, dict[str, Any]]) -> str:
    """Put the table between the marks of a README's text."""
    if len(BETWEEN.findall(readme)) != 1:
        raise ValueError(f"a role's README has these two lines, once:\n{BEGIN}\n{END}")
    return BETWEEN.sub(lambda _: f"{BEGIN}\n{table(specs)}\n{END}", readme)


def main(arguments: list[str]) -> int:
    """Write every README, or with --check name those that are out of date."""
    stale = []
    for path in sorted(ROLES.glob("*/README.md")):
        specs = yaml.safe_load((path.parent / "meta" / "argument_specs.yml").read_text("utf-8"))
        text = path.read_text("utf-8")
        try:
            new = written(text, specs["argument_specs"])
        except ValueError as reason:
            print(f"{path}: {reason}", file=sys.stderr)
            return 1
        if new != text:
            stale.append(str(path.relative_to(ROLES.parent)))
            if "--check" not in arguments:
                path.write_text(new, "utf-8")
    if stale and "--check" in arguments:
        print(f"Out of date: {', '.join(stale)}. `make readmes` writes them.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
