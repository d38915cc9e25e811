"""A whole server to install DS01 on: Debian with systemd, Docker as a unit, users; run as a container of an own engine.

Its file system, the packages DS01 needs and the base of projects are fetched once and kept in the cache. After that
nothing comes from outside: the server has no network, and installs DS01 from the wheels that lie beside it.

    python -m dev.server        makes what is kept, prints where it is
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

from dev import base, engine, uv
from dev.installation import CHECKOUT, source
from dev.people import Done

IMAGE = "ds01/server:latest"
SUITE = "bookworm"
PYTHON = "3.11"
"""That of the suite."""
PACKAGES = ("systemd", "systemd-sysv", "dbus", "docker.io", "iptables", "iproute2", "ca-certificates", "python3",
            "python3-venv", "sudo", "procps", "bash-completion", "busybox-static", "openssh-server")  # fmt: skip
CAPABILITIES = (
    "AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH",
    "FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE",
    "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID",
    "SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO",
    "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM",
)  # fmt: skip
_PLATFORMS = (*(f"manylinux_2_{number}_x86_64" for number in (34, 28, 17, 12, 5)), "manylinux2014_x86_64")
_INIT = 'for part in /sys/fs/cgroup/*; do mount -o remount,rw,bind "$part"; done 2>/dev/null; exec /lib/systemd/systemd'
"""The cgroups of the container are its own, and mounted read-only: systemd has to write there."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running one: a container of this name."""

    engine: str
    name: str

    def run(self, *command: str, user: str = "root", given: str = "", seconds: float = 600) -> Done:
        """Run something there as a user, by sudo, which reads her groups anew as a login does."""
        words = command if user == "root" else ("sudo", "-n", "-u", user, "--", *command)
        began = time.monotonic()
        done = subprocess.run(
            [*_docker(self.engine), "exec", "-i", self.name, *words], input=given, text=True, errors="replace",
            capture_output=True, timeout=seconds, check=False,
        )  # fmt: skip
        return Done(code=done.returncode, out=done.stdout, err=done.stderr, seconds=time.monotonic() - began)

    def wait(self) -> None:
        """Until all its units are up. Raises RuntimeError when one is not."""
        deadline = time.monotonic() + 240
        while (said := self.run("systemctl", "is-system-running", "--wait").out.strip()) != "running":
            if said == "degraded" or time.monotonic() > deadline:
                raise RuntimeError(f"the server is {said or 'not up'}: {self.run('systemctl', '--failed').out}")
            time.sleep(0.2)

    def put(self, file: Path, target: str) -> None:
        """Copy a file there."""
        subprocess.run([*_docker(self.engine), "cp", str(file), f"{self.name}:{target}"], check=True)

    def reboot(self) -> None:
        """Stop it as a machine is shut down, and start it again."""
        subprocess.run([*_docker(self.engine), "restart", "-t", "300", self.name], check=True, capture_output=True)
        self.wait()


def available() -> bool:
    """Whether this process could make and start one."""
    return engine.available() and shutil.which("mmdebstrap") is not None


def start(socket: str, name: str = "server") -> Server:
    """Start one on the engine at ``socket``, with DS01's package in ``/opt/ds01`` and nothing of it in place."""
    archive = kept()
    subprocess.run([*_docker(socket), "import", str(archive), IMAGE], check=True, capture_output=True)
    options = [option for capability in CAPABILITIES for option in ("--cap-add", capability)]
    closed = ("seccomp=unconfined", "systempaths=unconfined", "apparmor=unconfined")
    options += [option for profile in closed for option in ("--security-opt", profile)]
    for place in ("/run:exec", "/run/lock", "/tmp:exec"):
        options += ["--tmpfs", place]
    command = [
        *_docker(socket), "run", "--detach", "--name", name, "--hostname", "lab", "--add-host", "lab:127.0.1.1",
        "--network", "none", *options,
        "--cgroupns", "private", "--env", "container=docker", "--stop-signal", "RTMIN+3",
        "--volume", "/var/lib/docker", "--volume", f"{packages()}:/srv/wheels:ro",
        "--volume", f"{wheel()}:/srv/ds01:ro",
        "--volume", f"{base.kept()}:/srv/minimal.tar:ro", IMAGE, "sh", "-c", _INIT,
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    server = Server(engine=socket, name=name)
    server.wait()
    return server


def stop(server: Server) -> None:
    """Remove it with its volumes."""
    subprocess.run([*_docker(server.engine), "rm", "--force", "--volumes", server.name], check=True,
                   capture_output=True)  # fmt: skip


def _docker(socket: str) -> list[str]:
    return ["docker", "-H", f"unix://{socket}"]


# What is kept --------------------------------------------------------------------------------------------
def kept() -> Path:
    """The tar file of its file system, with the engine's package for an upgrade in ``/srv``."""
    folder = base.cache()
    archive = folder / f"server-{hashlib.sha256(repr(_command('archive')).encode()).hexdigest()[:16]}.tar"
    with base.alone(folder / "server.lock"):
        if not archive.exists():
            part = archive.with_suffix(".part")
            base.bootstrap(_command(str(part)), part, "the server")
            part.rename(archive)
    return archive


def _command(target: str) -> list[str]:
    sources = [f"deb [signed-by={base.KEYRING}] {base.MIRROR} {suite} main" for suite in (SUITE, f"{SUITE}-updates")]
    options = [f"--dpkgopt=path-exclude={pattern}" for pattern in base.LEFT_OUT]
    upgrade = 'cd "$1/srv" && APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get download docker.io'
    return ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={','.join(PACKAGES)}",
            "--dpkgopt=force-unsafe-io", *options, f"--customize-hook={upgrade}", "--format=tar", SUITE, target,
            *sources]  # fmt: skip


def packages() -> Path:
    """A folder of wheels: those of the lock, and what makes a wheel of DS01 itself."""
    folder = base.cache()
    listed = uv.run("export", "--frozen", "--no-dev", "--no-emit-project", "--no-hashes", "--no-header")
    wheels = (
        folder / f"wheels-{hashlib.sha256(f'{PYTHON} {_PLATFORMS} {_makers()} {listed}'.encode()).hexdigest()[:16]}"
    )
    with base.alone(folder / "wheels.lock"):
        if not wheels.exists():
            part = wheels.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            (part / "requirements.txt").write_text(listed)
            _download(part)
            part.rename(wheels)
    return wheels


def wheel() -> Path:
    """The folder of this checkout's own wheel, made anew when a source file changed."""
    folder = CHECKOUT / ".cache/wheel"
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / source()
    with base.alone(folder / "lock"):
        if not made.exists():
            for old in folder.glob("*/"):
                shutil.rmtree(old)
            uv.run("build", "--wheel", "--quiet", "--offline", "--no-index", "--find-links", str(packages()),
                   "--out-dir", str(made.with_suffix(".part")))  # fmt: skip
            made.with_suffix(".part").rename(made)
    return made


def _download(target: Path) -> None:
    platforms = [option for platform in _PLATFORMS for option in ("--platform", platform)]
    download = (*uv.PIP, "download", "--quiet", "--dest", str(target))
    uv.run(*download, "--no-deps", "--only-binary=:all:", "--python-version", PYTHON, "--implementation", "cp",
           *platforms, "--requirement", str(target / "requirements.txt"))  # fmt: skip
    uv.run(*download, *_makers())


def _makers() -> list[str]:
    found: list[str] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["build-system"]["requires"]
    return found


def main() -> int:
    """Make what is kept, and say where it is."""
    if not available():
        print("this needs root, dockerd and mmdebstrap", file=sys.stderr)
        return 1
    try:
        print(kept(), packages(), wheel(), base.kept())
    except base.BaseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
