"""Make what must not be put into service: bad.py RELEASE TO. Prints where it is, as JSON."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.api.releases import worse

ROOT = Path.cwd()
TAKES = "    os.set_inheritable(FIRST_PASSED, False)\n"
TAKES_NOT = '    raise SettingsError("It does not like this socket.")\n'
SOCKETS = Path("mnist_api", "sockets.py")


def main(release: Path, to: Path) -> None:
    """Make a release that reads badly, and a version that takes no socket from systemd."""
    bad = to / "bad"
    shutil.rmtree(bad, ignore_errors=True)
    for name in ("mnist_model", "mnist_api", "site"):
        shutil.copytree(ROOT / name, bad / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, bad)
    code = (bad / SOCKETS).read_text()
    (bad / SOCKETS).write_text(code.replace(TAKES, TAKES_NOT))
    build = [sys.executable, "playbooks/files/build.py", str(bad), str(bad / "built")]
    built = subprocess.run(build, check=True, capture_output=True, text=True).stdout
    made = worse(release, bad, "2026-03-01T00:00:00Z")
    print(json.dumps({"release": str(made), "wheel": json.loads(built)["wheel"]}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
