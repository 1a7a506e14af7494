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
from pathlib import Path
from typing import Any

import jinja2
import yaml

from tests.api.process import HOUSE

ROLE = HOUSE / "roles" / "frontend"
PROGRAM = "/usr/sbin/apache2"
MODULES = Path("/usr/lib/apache2/modules")
START_SECONDS = 10


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
    values = {**variables(), "ansible_managed": "Written by a test", **given}
    return environment.get_template(template).render(values)


@contextmanager
def apache(site: Path, backends: list[str]) -> Iterator[str]:
    """Serve a directory, with /api/ at backends (host:port); gives Apache's own host:port."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)  # Apache reads as somebody else
        shutil.copytree(site, root / "current")
        (root / "problems").mkdir()
        for problem in variables()["__frontend_problems"]:
            file = root / "problems" / f"{problem['status']}.json"
            file.write_text(f'{{"status": {problem["status"]}}}')
        address = f"127.0.0.1:{_free_port()}"
        (root / "apache2.conf").write_text(_configuration(root, address, backends))
        command = [PROGRAM, "-f", str(root / "apache2.conf")]
        tested = subprocess.run([*command, "-t"], check=False, capture_output=True, text=True)
        assert tested.returncode == 0, tested.stderr
        with subprocess.Popen([*command, "-D", "FOREGROUND"]) as process:
            try:
                _wait_for(address, process)
                yield address
            finally:
                process.terminate()
                process.wait(START_SECONDS)


def _configuration(root: Path, address: str, backends: list[str]) -> str:
    site = rendered(
        "mnist.conf.j2",
        frontend_port=address.split(":")[1],
        frontend_root=str(root),
        frontend_backends=backends,
    )
    lines = [
        f"ServerRoot {root}",
        f"PidFile {root}/apache2.pid",
        f"ErrorLog {root}/error.log",
        f"Listen {address}",
        *(
            f"LoadModule {name}_module {MODULES}/mod_{name}.so"
            for name in variables()["__frontend_modules"]
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
    return "\n".join([*lines, "<Directory />", "Require all denied", "</Directory>", site])


def _free_port() -> int:
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
