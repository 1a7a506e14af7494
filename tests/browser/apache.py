"""Apache as roles/frontend configures it, as a process of its own on this machine's loopback."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2.meta
import jinja2.nativetypes
import pytest
import yaml

from tests.api.process import HOUSE

ROLE = HOUSE / "roles" / "frontend"
PROGRAM = "/usr/sbin/apache2"
MODULES = Path("/usr/lib/apache2/modules")
START_SECONDS = 10


def require(program: str = PROGRAM) -> None:
    """Skip a test where a Debian package is missing; fail it in CI."""
    if not Path(program).exists():
        say = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        say(f"{program} is missing; install the packages in requirements/debian-test.txt")


def variables() -> dict[str, Any]:
    """Return the role's defaults and internal variables, those with templates unrendered."""
    files = [ROLE / "defaults" / "main.yml", ROLE / "vars" / "main.yml"]
    return {k: v for file in files for k, v in yaml.safe_load(file.read_text()).items()}


def rendered(template: str, **given: Any) -> str:
    """Render one of the role's templates; an unknown variable is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROLE / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - a configuration, not HTML
    )
    source = (ROLE / "templates" / template).read_text()
    parsed = environment.parse(source)
    names = set(jinja2.meta.find_undeclared_variables(parsed))
    for name in filter(None, jinja2.meta.find_referenced_templates(parsed)):
        included = environment.parse((ROLE / "templates" / name).read_text())
        names |= jinja2.meta.find_undeclared_variables(included)
    values = {**variables(), "ansible_managed": "Written by a test", **given}
    wanted = _resolved(names, values)
    return environment.from_string(source).render(wanted)


def _resolved(names: set[str], values: dict[str, Any]) -> dict[str, Any]:
    """Evaluate variables that are templates themselves, and what they name."""
    environment = jinja2.nativetypes.NativeEnvironment(undefined=jinja2.StrictUndefined)
    found: dict[str, Any] = {}
    for name in names & values.keys():
        found[name] = values[name]
        if isinstance(found[name], str) and "{{" in found[name]:
            inner = jinja2.meta.find_undeclared_variables(environment.parse(found[name]))
            found[name] = environment.from_string(found[name]).render(_resolved(inner, values))
    return found


@dataclass(frozen=True)
class Running:
    """Apache's own host:port, its directory with error.log, and its process."""

    address: str
    root: Path
    process: subprocess.Popen[bytes]


@contextmanager
def apache(site: Path, backends: list[str], **given: Any) -> Iterator[str]:
    """Serve a directory as `running` does; gives Apache's own host:port."""
    with running(site, backends, **given) as started:
        yield started.address


@contextmanager
def running(site: Path, backends: list[str], **given: Any) -> Iterator[Running]:
    """Serve a directory, with /api/ at backends (host:port).

    given: the role's variables that shall not have their defaults. With frontend_tls, the address
    that is given is the one for TLS, and frontend_port must be given, too.
    """
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)  # Apache reads as somebody else
        shutil.copytree(site, root / "current")
        (root / "problems").mkdir()
        for problem in variables()["__frontend_problems"]:
            file = root / "problems" / f"{problem['status']}.json"
            file.write_text(f'{{"status": {problem["status"]}}}')
        port = free_port()
        address = f"127.0.0.1:{port}"
        own_port = "frontend_tls_port" if "frontend_tls" in given else "frontend_port"
        values = {
            "frontend_root": str(root),
            "frontend_backends": backends,
            "frontend_domain": "localhost",
            own_port: port,
            **given,
        }
        (root / "apache2.conf").write_text(_configuration(root, values))
        command = [PROGRAM, "-f", str(root / "apache2.conf")]
        tested = subprocess.run([*command, "-t"], check=False, capture_output=True, text=True)
        assert tested.returncode == 0, tested.stderr
        with subprocess.Popen([*command, "-D", "FOREGROUND"]) as process:
            try:
                _wait_for(address, process)
                yield Running(address, root, process)
            finally:
                process.terminate()
                process.wait(START_SECONDS)


def _configuration(root: Path, values: dict[str, Any]) -> str:
    tls = variables()["__frontend_tls_modules"].get(values.get("frontend_tls"), [])
    lines = [
        f"ServerRoot {root}",
        f"PidFile {root}/apache2.pid",
        f"ErrorLog {root}/error.log",
        *(
            f"LoadModule {name}_module {MODULES}/mod_{name}.so"
            for name in [*variables()["__frontend_modules"], *tls]
        ),
        "TypesConfig /etc/mime.types",
        "DirectoryIndex disabled",
        'LogFormat "%h" combined',
        f"Define APACHE_LOG_DIR {root}",
    ]
    if os.geteuid() == 0:
        lines += [
            f"User {pwd.getpwnam('www-data').pw_name}",
            f"Group {grp.getgrnam('www-data').gr_name}",
        ]
    ports = rendered("ports.conf.j2", **values).replace("Listen ", "Listen 127.0.0.1:")
    site = rendered("mnist.conf.j2", **values)
    return "\n".join([*lines, "<Directory />", "Require all denied", "</Directory>", ports, site])


def free_port() -> int:
    """Return a TCP port of the loopback that nothing listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    host, port = address.split(":")
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection((host, int(port)), 1).close()
        except OSError:
            assert process.poll() is None, "Apache ended at once"
            assert time.monotonic() < deadline, "Apache does not listen"
            time.sleep(0.05)
        else:
            return
