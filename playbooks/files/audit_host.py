"""Tells of a host, as root: distribution, what sshd goes by, failed units, the API's exposure."""

import json
import re
import subprocess
from pathlib import Path


def output(*command: str) -> str:
    """Return what a command prints."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


system = dict(
    line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line
)
workers = output("systemctl", "list-units", "--plain", "--no-legend", "mnist-api@*.service")
names = [line.split()[0] for line in workers.splitlines()]
exposures = {}
for name in names:
    said = output("systemd-analyze", "security", "--no-pager", name)
    level = re.search(r"Overall exposure level for .*: ([\d.]+)", said)
    exposures[name] = float(level[1]) if level else "unknown"
failed = output("systemctl", "list-units", "--failed", "--plain", "--no-legend")
print(
    json.dumps(
        {
            "distribution": system.get("ID", "").strip('"'),
            "sshd": output("/usr/sbin/sshd", "-T").splitlines(),
            "failed": [line.split()[0] for line in failed.splitlines() if line.strip()],
            "exposures": exposures,
        }
    )
)
