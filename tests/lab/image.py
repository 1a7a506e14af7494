"""The machines' root file system: Debian 12 with what cloud images ship; built once, cached."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.lab import names
from tests.lab.names import LabError
from tests.lab.system import run

SUITE = "bookworm"
PACKAGES = [
    "acl",
    "bzip2",
    "ca-certificates",
    "chrony",
    "curl",
    "dbus",
    "gzip",
    "iproute2",
    "iputils-ping",
    "less",
    "netcat-openbsd",
    "nftables",
    "openssh-server",
    "openssl",
    "procps",
    "python3",
    "python3-apt",
    "python3-venv",
    "rsync",
    "sudo",
    "systemd",
    "systemd-sysv",
    "tar",
    "tzdata",
    "unattended-upgrades",
    "unzip",
    "xz-utils",
]
OPTIONS = [
    "--quiet",
    "--mode=root",
    "--format=directory",
    "--variant=minbase",
    "--skip=cleanup/apt/lists",
    "--dpkgopt=force-unsafe-io",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    '--aptopt=Acquire::Languages{"none"}',
]
FILES = Path(__file__).parent / "files"
INSTALL = {
    "lab-init": ("usr/lib/mnist-lab/lab-init", 0o755),
    "lab-final": ("usr/lib/mnist-lab/lab-final", 0o755),
    "cloud-init": ("usr/bin/cloud-init", 0o755),
    "lab-init.service": ("etc/systemd/system/lab-init.service", 0o644),
    "lab-final.service": ("etc/systemd/system/lab-final.service", 0o644),
}
TEXTS = {
    "etc/default/locale": "LANG=C.UTF-8\n",
    # A machine may not set the clock, which is its controller's; chronyd runs all the same.
    "etc/systemd/system/chrony.service.d/lab.conf": "[Unit]\nConditionCapability=\n",
    "etc/default/chrony": 'DAEMON_OPTS="-F 1 -x"\n',
    "etc/machine-id": "",
}
MASKED = ("console-getty.service", "dev-hugepages.mount", "systemd-journal-flush.service")
CONTROLLER_CAS = Path("/usr/local/share/ca-certificates")
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
PIP_CACHE = "/root/.cache/pip"  # shared by all machines, see machine.py


def ensure(say: Callable[[str], None]) -> Path:
    """Give the image's directory; build it if its recipe changed or it was never built."""
    recipe = _recipe()
    image = names.CACHE / f"image-{_digest(recipe)}"
    if image.is_dir():
        os.utime(image)
        return image
    say("building the machines' image (once, then cached)")
    names.CACHE.mkdir(parents=True, exist_ok=True)
    partial = names.CACHE / f"{image.name}.partial"
    remove(partial)
    try:
        _bootstrap(partial)
        _customise(partial, recipe)
        partial.rename(image)
    finally:
        remove(partial)
    for old in sorted(names.CACHE.glob("image-*"), key=lambda path: path.stat().st_mtime)[:-2]:
        remove(old)
    return image


def remove(directory: Path) -> None:
    """Delete an image or what is left of one; never follows a mount."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        mounted = line.split()[1]
        if mounted.startswith(f"{directory}/"):
            run("umount", "--lazy", mounted, check=False)
    shutil.rmtree(directory, ignore_errors=True)


def _recipe() -> dict[str, str]:
    """Everything that the image depends on, by name."""
    certificates = sorted(CONTROLLER_CAS.glob("**/*.crt")) if CONTROLLER_CAS.is_dir() else []
    return {
        "suite": SUITE,
        "packages": " ".join(PACKAGES),
        "options": " ".join(OPTIONS),
        "module": Path(__file__).read_text(),
        "apt": _apt_settings(),
        "pip": _pip_settings(),
        **{f"source {path}": path.read_text() for path in _sources()},
        **{f"certificate {path}": path.read_text() for path in certificates},
        **{f"file {name}": (FILES / name).read_text() for name in INSTALL},
    }


def _digest(recipe: dict[str, str]) -> str:
    return hashlib.sha256(repr(sorted(recipe.items())).encode()).hexdigest()[:16]


def _sources() -> list[Path]:
    """Give the controller's own package sources, if it runs the same release; else mmdebstrap's."""
    release = Path("/etc/os-release").read_text()
    if not re.search(rf"^VERSION_CODENAME={SUITE}$", release, re.M):
        return []
    # Other files there are other people's packages.
    files = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d/debian.sources"))
    return [path for path in files if path.is_file() and path.read_text().strip()]


def _apt_settings() -> str:
    """Give the controller's settings of how packages are fetched: proxies, date checks, TLS."""
    wanted = re.compile(r"^Acquire::(Check-|https?::|ftp::|Retries|Proxy)", re.I)
    lines = run("apt-config", "dump").splitlines()
    return "".join(f"{line}\n" for line in lines if wanted.match(line) and not line.endswith('"";'))


def _pip_settings() -> str:
    """Give /etc/pip.conf: the controller's index and its certificates."""
    settings = {"disable-pip-version-check": "true"}
    listed = subprocess.run(
        ["python3", "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2]
        value = value.strip("'\"")
        if name == "cert":
            settings["cert"] = CA_BUNDLE
        elif name in ("index-url", "proxy", "trusted-host", "default-timeout", "timeout"):
            settings[name.removeprefix("default-")] = value
    return "[global]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items())


def _bootstrap(target: Path) -> None:
    settings = [f"--aptopt={line}" for line in _apt_settings().splitlines()]
    command = ["mmdebstrap", *OPTIONS, *settings, f"--include={','.join(PACKAGES)}", SUITE]
    command += [str(target), *map(str, _sources())]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stderr, flush=True)
        problems = [line for line in done.stderr.splitlines() if line.startswith("E:")]
        raise LabError(
            f"The image could not be built: {(problems or ['mmdebstrap failed'])[0]} "
            f"(the whole output is in {names.LOG})"
        )


def _customise(root: Path, recipe: dict[str, str]) -> None:
    for name, (path, mode) in INSTALL.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text((FILES / name).read_text())
        target.chmod(mode)
    texts = {**TEXTS, "etc/pip.conf": recipe["pip"]}
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / PIP_CACHE.lstrip("/")).mkdir(parents=True, exist_ok=True)
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    if CONTROLLER_CAS.is_dir():
        shutil.copytree(
            CONTROLLER_CAS, root / "usr/local/share/ca-certificates", dirs_exist_ok=True
        )
    run("chroot", str(root), "update-ca-certificates")
    run("chroot", str(root), "systemctl", "mask", *MASKED)
    run("chroot", str(root), "systemctl", "enable", "lab-init.service", "lab-final.service")
