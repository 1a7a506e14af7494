"""The API's unit is a tight sandbox: what `systemd-analyze security` says of it."""

import re
import shutil
import subprocess
from pathlib import Path

import jinja2
import pytest
import yaml

ROLE = Path(__file__).parents[2] / "roles" / "backend"
MOST = 1.5
"""The exposure level, from 0 (safe) to 10, that the unit may have."""


def exposure(unit: str, directory: Path) -> float:
    """Return the overall exposure level of a unit's text."""
    file = directory / "mnist-api@1.service"
    file.write_text(unit)
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(file)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"Overall exposure level for .*: ([\d.]+)", said)
    assert found, said
    return float(found[1])


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd")
def test_the_units_exposure(tmp_path: Path) -> None:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROLE / "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - a unit, not HTML
    )
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    template = environment.get_template("mnist-api@.service.j2")
    unit = template.render(**defaults, ansible_managed="Written by a test")
    assert exposure(unit, tmp_path) <= MOST
    bare = re.sub(r"# Sandbox.*(?=\n\[Install\])", "", unit, flags=re.DOTALL)
    assert exposure(bare, tmp_path) > 5, "the same without its sandbox"
