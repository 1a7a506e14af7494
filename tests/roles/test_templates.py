"""Every template of every role, rendered by Ansible itself; an undefined variable is an error.

A role's variables are its own defaults and vars, the variables that must be given, what its earlier
tasks register, and facts of a host: as few as the templates need.
"""

from __future__ import annotations

import configparser
import re
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleUndefinedVariable
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

ROLES = Path(__file__).parents[2] / "roles"
TEMPLATES = sorted(str(path.relative_to(ROLES)) for path in ROLES.glob("*/templates/*.j2"))
UNITS = [name for name in TEMPLATES if name.endswith((".service.j2", ".socket.j2"))]
CHECKSUM = "0123456789abcdef" * 4
FACTS = {
    "default_ipv4": {"address": "10.80.2.7", "interface": "ens5"},
    "python_version": "3.12.3",
    "os_family": "Debian",
    "distribution": "Ubuntu",
    "distribution_version": "24.04",
}
HOSTS = [
    {
        "instance_id": f"i-{role}",
        "launch_time": "2026-11-25T12:00:00+00:00",
        "private_ip_address": "10.80.1.9",
        **({"public_ip_address": "203.0.113.9"} if role == "bastion" else {}),
        "tags": {"Name": f"Host_{role}", "Role": role, "Login": "ubuntu"},
    }
    for role in ("bastion", "backend")
]
GIVEN: dict[str, dict[str, Any]] = {
    "backend": {
        "backend_wheel": "/made/mnist.whl",
        "backend_release_dir": "/releases/mnist-cnn-20261124-c6f0262a",
        "__backend_wheel": {"stat": {"checksum": CHECKSUM}},
    },
    "base": {"__base_sshd_known": {"stdout_lines": ["sntrup761x25519-sha512@openssh.com"]}},
    "dev": {"dev_wheel": "/made/mnist.whl", "__dev_train_wheel": {"stat": {"checksum": CHECKSUM}}},
    "frontend": {
        "frontend_site_archive": "/made/site.tar.gz",
        "frontend_backends": ["10.80.2.7:5000", "10.80.2.8:5000"],
        "__frontend_archive": {"stat": {"checksum": CHECKSUM}},
    },
    "nat": {"nat_source_cidrs": ["10.80.2.0/24", "10.80.3.0/24"]},
    "ssh_access": {"ssh_access_instances": HOSTS, "project_ssh_dir": "/ssh"},
}
"""What a role is given, and what its tasks have registered before a template is written."""
FRAGMENTS = {"frontend/templates/balancer.conf.j2"}
"""Parts of other templates."""


def variables(role: str, **changed: Any) -> dict[str, Any]:
    """A role's variables as a play has them, with some changed."""
    loader = DataLoader()
    found: dict[str, Any] = {}
    for name in ("defaults", "vars"):
        if (path := ROLES / role / name / "main.yml").exists():
            found |= loader.load_from_file(str(path), trusted_as_template=True) or {}
    return {
        **found,
        "ansible_facts": FACTS,
        "ansible_managed": "Managed by Ansible",
        "role_path": str(ROLES / role),
        "role_name": role,
        "ansible_search_path": [str(ROLES / role), str(ROLES / role / "templates")],
        **GIVEN.get(role, {}),
        **changed,
    }


@pytest.fixture(scope="module", autouse=True)
def plugins() -> None:
    """Let Ansible find its filters and lookups, as its commands do when they start."""
    init_plugin_loader()


def render(template: str, without: str = "", **changed: Any) -> str:
    """Render ROLE/templates/NAME.j2, with some variables changed or without one."""
    role = template.split("/", maxsplit=1)[0]
    loader = DataLoader()
    loader.set_basedir(str(ROLES / role / "templates"))
    have = {name: value for name, value in variables(role, **changed).items() if name != without}
    # Ansible trusts the templates of a role's files, and so they are here.
    text = trust_as_template((ROLES / template).read_text(encoding="utf-8"))
    return str(Templar(loader=loader, variables=have).template(text))


@pytest.mark.parametrize("template", TEMPLATES)
def test_nothing_is_undefined(template: str) -> None:
    text = render(template)
    # In a script the first line is the interpreter's; a fragment is told by what includes it.
    told = text.startswith("#!") and template.startswith("instances/")
    assert told or template in FRAGMENTS or "Managed by Ansible" in "".join(text.splitlines()[:2])
    assert "{{" not in text
    assert "{%" not in text


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("backend/templates/environment.j2", "__backend_wheel"),
        ("base/templates/sshd.conf.j2", "base_sshd_max_startups"),
        ("frontend/templates/mnist.conf.j2", "frontend_backends"),
        ("nat/templates/nat.nft.j2", "nat_source_cidrs"),
        ("ssh_access/templates/ssh_config.j2", "ssh_access_key_file"),
    ],
)
def test_an_undefined_variable_is_an_error(template: str, name: str) -> None:
    with pytest.raises(AnsibleUndefinedVariable, match=name):
        render(template, without=name)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_task_or_a_variable_uses_it(template: str) -> None:
    role, _, name = template.split("/")
    parts = ("tasks", "handlers", "vars", "templates")
    users = [p for part in parts for p in (ROLES / role / part).glob("*") if p.name != name]
    told = "".join(path.read_text(encoding="utf-8") for path in users)
    # Some are named without their end, in a loop.
    item = rf"(?:- |name: |\[|, ){re.escape(name.removesuffix('.j2'))}(?:,|\]|$)"
    assert name in told or re.search(item, told, re.MULTILINE)


@pytest.mark.parametrize("template", UNITS)
def test_a_unit_is_one(template: str) -> None:
    unit = configparser.RawConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(render(template))
    assert set(unit.sections()) <= {"Unit", "Service", "Socket", "Timer", "Path", "Install"}
    assert unit["Unit"]["Description"]
    if template.endswith(".service.j2"):
        assert unit["Service"]["ExecStart"].startswith("/")


def test_sshd_forwards_only_what_was_asked_for() -> None:
    template = "base/templates/sshd.conf.j2"
    closed = render(template).splitlines()
    assert "AllowTcpForwarding no" in closed
    assert not [line for line in closed if line.startswith("PermitOpen")]
    opened = render(template, base_sshd_permit_open=["*:22", "127.0.0.1:8888"]).splitlines()
    assert "AllowTcpForwarding local" in opened
    assert "PermitOpen *:22 127.0.0.1:8888" in opened


def deployed(**changed: Any) -> str:
    """What the workers' environment says that they run."""
    found = re.search(r"^MNIST_DEPLOY=(\w{12})$", render(ENVIRONMENT, **changed), re.M)
    assert found
    return found[1]


ENVIRONMENT = "backend/templates/environment.j2"


@pytest.mark.parametrize(
    "changed",
    [
        {"backend_threads": 2},
        {"backend_queue": 32},
        {"backend_memory_max": "200M"},
        {"backend_feedback": False},
        {"backend_release_dir": "/releases/another"},
        {"__backend_wheel": {"stat": {"checksum": "f" * 64}}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_worker_that_runs_something_else_is_told_apart(changed: dict[str, Any]) -> None:
    assert deployed() == deployed()
    assert deployed(**changed) != deployed()


def test_workers_stay_when_only_their_number_or_their_address_changes() -> None:
    assert deployed(backend_workers=3) == deployed()
    assert deployed(backend_port=5080) == deployed()


def test_without_feedback_no_directory_is_named() -> None:
    assert "MNIST_API_FEEDBACK=/var/lib/mnist-api\n" in render(ENVIRONMENT)
    assert "MNIST_API_FEEDBACK=\n" in render(ENVIRONMENT, backend_feedback=False)


def test_a_training_is_cut_short_only_where_asked() -> None:
    template = "dev/templates/mnist-train.service.j2"
    assert "--limit" not in render(template)
    assert "--epochs" not in render(template)
    short = render(template, dev_train_limit=2000, dev_train_epochs=2)
    assert re.search(r"^ExecStart=.* --limit 2000 --epochs 2$", short, re.M)
    assert re.search(r"^StandardOutput=truncate:", short, re.M)


def test_apache_balances_over_every_backend() -> None:
    text = render("frontend/templates/mnist.conf.j2")
    assert re.findall(r"BalancerMember http://(\S+) ", text) == ["10.80.2.7:5000", "10.80.2.8:5000"]


def test_only_the_private_subnets_are_translated() -> None:
    text = render("nat/templates/nat.nft.j2")
    assert "elements = { 10.80.2.0/24, 10.80.3.0/24 }" in text
    assert 'ip saddr @private oifname "ens5" masquerade' in text


def test_every_host_but_the_bastion_is_reached_through_it() -> None:
    text = render("ssh_access/templates/ssh_config.j2")
    bastion, backend = (
        next(part for part in text.split("\nHost ") if part.startswith(name))
        for name in ("Host_bastion", "Host_backend")
    )
    assert "HostName 203.0.113.9" in bastion
    assert "ProxyJump" not in bastion
    assert "HostName 10.80.1.9" in backend
    assert "ProxyJump Host_bastion" in backend
    assert "StrictHostKeyChecking yes" in text
