"""A machine: an instance's systemd-nspawn container on its disk, an overlay over the image.

The disk is a file of the root volume's size with a file system in it. It is mounted in a mount
namespace of the machine's own, so that nothing is left mounted when the machine ends, however it
ends; and a file is deleted at once where a tree of files would take half a minute. The machine's
cgroups hold it to its instance type's memory, and are where systemd-nspawn puts its own below.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.lab import cgroups, names
from tests.lab.image import PIP_CACHE
from tests.lab.system import run

REBOOT_STATUS = 133  # systemd-nspawn --keep-unit: the machine asked for a reboot
# No journal: the file system is unmounted cleanly however the machine ends, and dies with the lab.
MKFS = ("-q", "-m", "0", "-O", "^has_journal", "-E", "lazy_itable_init=1,nodiscard")
STOP_SECONDS = 30.0
BOOT_SECONDS = 30.0
START = """
set -e
for group in {cgroups}; do echo $$ > "$group/cgroup.procs"; done
cd {directory}
mount -o loop,noatime,barrier=0 disk.img disk
if ! [ -e disk/upper ]; then
    mkdir -p disk/new disk/work
    cp -a seed/. disk/new
    mv disk/new disk/upper
fi
mount -t overlay overlay -o lowerdir={image},upperdir=disk/upper,workdir=disk/work root
exec systemd-nspawn "$@"
"""


@dataclass(frozen=True)
class Plan:
    """What a machine is made from."""

    id: str
    private: str
    login: str
    authorized_keys: str
    user_data: bytes
    memory_bytes: int
    disk_bytes: int
    region: str
    image: Path


class Machine:
    """One instance's machine. `want` says what should be; a thread of its own makes it so.

    `report(state)` is called with running, stopped or terminated when that is so; `failed(reason)`
    before it if the machine could not boot.
    """

    def __init__(
        self, plan: Plan, report: Callable[[str], None], failed: Callable[[str], None]
    ) -> None:
        self.plan = plan
        self.name = names.machine_name(plan.id)
        self.directory = names.MACHINES / plan.id
        self.console_log = self.directory / "console.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._report, self._failed = report, failed
        self._wanted = "stopped"
        self._reboot = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._live, name=self.name, daemon=True)
        self._thread.start()

    def want(self, state: str) -> None:
        """Ask for running, stopped or terminated."""
        with self._changed:
            self._wanted = state
            self._changed.notify()

    def reboot(self) -> None:
        """Ask for a shutdown and a new boot."""
        with self._changed:
            self._reboot = True
            self._changed.notify()

    def console(self) -> bytes:
        """What the machine has printed on its console since it was started."""
        return self.console_log.read_bytes() if self.console_log.exists() else b""

    def _live(self) -> None:
        state = "stopped"
        while state != "terminated":
            with self._changed:
                if self._wanted == state and not self._reboot and not self._died(state):
                    self._changed.wait(0.1)
                wanted, reboot = self._wanted, self._reboot
                self._reboot = False
            try:
                new = self._step(state, wanted, reboot)
            except Exception as error:  # whatever it is, the API must tell it
                self._failed(f"{type(error).__name__}: {error}")
                new = self._terminate()
            if new != state:
                if new != wanted:  # it went down by itself
                    self.want(new)
                state = new
                self._report(state)

    def _died(self, state: str) -> bool:
        return state == "running" and self.process is not None and self.process.poll() is not None

    def _step(self, state: str, wanted: str, reboot: bool) -> str:
        """Do one thing towards what is wanted; give the state that it led to."""
        if wanted == "terminated":
            return self._terminate()
        if state == "stopped" == wanted:
            return state
        if state == "stopped":
            self._prepare()
        elif self._died(state):
            if self.process is None or self.process.returncode != REBOOT_STATUS:
                return "stopped"
        elif wanted == "stopped" or reboot:
            self._shut_down()
        else:
            return state
        return self._boot() if wanted == "running" else "stopped"

    def _prepare(self) -> None:
        self.console_log.unlink(missing_ok=True)  # each start has a console of its own
        plan, disk = self.plan, self.directory / "disk.img"
        if disk.exists():
            return
        for name in ("disk", "root", "seed"):
            (self.directory / name).mkdir(parents=True)
        host = f"ip-{plan.private.replace('.', '-')}"
        domain = f"{plan.region}.compute.internal"
        seed = "var/lib/cloud/seed/lab"
        files: dict[str, str | bytes] = {
            "etc/hostname": f"{host}\n",
            "etc/hosts": f"127.0.0.1 localhost\n{plan.private} {host}.{domain} {host}\n",
            "etc/machine-id": f"{os.urandom(16).hex()}\n",
            "etc/resolv.conf": f"nameserver {names.DNS_ADDRESS}\nsearch {domain}\n",
            f"{seed}/instance": f"LAB_USER={plan.login}\nLAB_INSTANCE_ID={plan.id}\n",
            f"{seed}/authorized_keys": plan.authorized_keys,
            f"{seed}/user-data": plan.user_data,
        }
        for path, content in files.items():
            target = self.directory / "seed" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())
        (self.directory / "seed" / seed).chmod(0o700)
        with disk.open("wb") as file:
            file.truncate(plan.disk_bytes)
        run("mkfs.ext4", *MKFS, str(disk))

    def _boot(self) -> str:
        groups = cgroups.make(self.name, self.plan.memory_bytes)
        script = START.format(
            cgroups=" ".join(map(str, groups)),
            image=self.plan.image,
            directory=self.directory,
        )
        pip_cache = names.CACHE / "pip"
        pip_cache.mkdir(parents=True, exist_ok=True)
        with self.console_log.open("ab") as console:
            before = console.tell()
            self.process = subprocess.Popen(
                [
                    *("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"),
                    *nspawn_options(self.name, self.directory / "root", pip_cache),
                ],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={"PATH": os.environ["PATH"], "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"},
            )
        deadline = time.monotonic() + BOOT_SECONDS
        while b"systemd" not in self.console()[before:]:
            if self.process.poll() is not None or time.monotonic() > deadline:
                last = self.console()[before:].decode(errors="replace").strip()
                raise RuntimeError(f"the machine did not boot; its console: {last[-500:]!r}")
            time.sleep(0.05)
        return "running"

    def _shut_down(self) -> None:
        assert self.process is not None
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            kill(self.name)
            self.process.wait()

    def _terminate(self) -> str:
        kill(self.name)
        if self.process:
            self.process.wait()
        cgroups.remove(self.name)
        shutil.rmtree(self.directory, ignore_errors=True)
        return "terminated"


def nspawn_options(name: str, root: Path, pip_cache: Path) -> list[str]:
    """The command line of a machine; `--machine=` is how it is recognised later."""
    return [
        f"--machine={name}",
        f"--directory={root}",
        f"--network-namespace-path=/run/netns/{name}",
        f"--bind={pip_cache}:{PIP_CACHE}",
        *shlex.split(
            "--quiet --boot --register=no --keep-unit --link-journal=no --console=read-only "
            "--resolv-conf=off --timezone=off --capability=CAP_NET_ADMIN"
        ),
    ]


def processes(name: str = "") -> set[int]:
    """Every process of a machine, or of all machines of any lab."""
    found = cgroups.processes(name)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        mark = f"--machine={name or names.PREFIX}"
        if any(a == mark or (not name and a.startswith(f"{mark}-")) for a in arguments):
            found.add(int(process.name))
    return {process for process in found if not _is_zombie(process)}


def _is_zombie(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def kill(name: str = "", seconds: float = 5.0) -> None:
    """Kill every process of a machine, or of all, and wait until they are gone."""
    deadline = time.monotonic() + seconds
    while (found := processes(name)) and time.monotonic() < deadline:
        for process in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.02)
