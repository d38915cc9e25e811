"""A real sshd for tests: Debian's, unpacked below the cache and not installed, run as the very person who logs in."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev import base
from dev.people import Person

PACKAGES = ("openssh-server", "libwrap0")
_SYSTEM = Path("/usr/sbin/sshd")


def available() -> bool:
    """Whether there is one, or it could be fetched."""
    return bool(shutil.which("ssh")) and (
        _SYSTEM.exists() or all(shutil.which(name) for name in ("apt-get", "dpkg-deb"))
    )


def program() -> tuple[Path, Path | None]:
    """The program and the folder of its libraries; fetched now if it never was. Raises RuntimeError."""
    if _SYSTEM.exists():
        return _SYSTEM, None
    place = base.cache() / "openssh"
    with base.alone(base.cache() / "openssh.lock"):
        if not place.exists():
            _fetch(place)
    return place / "usr/sbin/sshd", next(place.glob("**/libwrap.so.0")).parent


def _fetch(place: Path) -> None:
    part = place.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    script = (
        f"apt-get download {' '.join(PACKAGES)} && for one in *.deb; do dpkg-deb -x $one . || exit 1; done; rm *.deb"
    )
    done = subprocess.run(["sh", "-c", script], cwd=part, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"sshd cannot be fetched: {done.stderr.strip()[-500:]}")
    part.rename(place)


@dataclass(frozen=True, kw_only=True)
class Sshd:
    """One that runs, for one person. ``host`` is what her laptop calls it."""

    port: int
    host: str

    def block(self, key: Path) -> str:
        """How the laptop's ``~/.ssh/config`` knows it."""
        lines = ("HostName 127.0.0.1", f"Port {self.port}", f"IdentityFile {key}", "StrictHostKeyChecking accept-new")
        return "\n    ".join([f"Host {self.host}", *lines]) + "\n"


@contextmanager
def serving(person: Person, laptop: Person, host: str) -> Iterator[tuple[Sshd, Path]]:
    """An sshd that lets ``laptop`` in as ``person`` by a key made now; the key's file."""
    key, folder = laptop.home / ".ssh/id_test", person.home / "sshd"
    for who, script in (
        (laptop, f"mkdir -pm 700 .ssh && rm -f .ssh/id_test* && ssh-keygen -qt ed25519 -N '' -f {key}"),
        (person, "rm -rf sshd && mkdir -m 700 sshd && ssh-keygen -qt ed25519 -N '' -f sshd/host_key"),
    ):
        done = who.run("sh", "-c", script)
        if done.code:
            raise RuntimeError(done.err)
    person.run("tee", str(folder / "authorized_keys"), given=key.with_suffix(".pub").read_text())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = (
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nUsePAM no\n"
        "PasswordAuthentication no\nStrictModes no\nPidFile none\n"
    )
    person.run("tee", str(folder / "config"), given=settings)
    sshd, libraries = program()
    found = {"LD_LIBRARY_PATH": str(libraries)} if libraries else {}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(sshd), "-D", "-e", "-f", str(folder / "config")], stdout=log, stderr=log, cwd=person.home,
            env=person.environment() | found, user=person.uid, group=person.gid, extra_groups=person.groups(),
        )  # fmt: skip
    try:
        _wait(port, process, folder / "log")
        yield Sshd(port=port, host=host), key
    finally:
        process.terminate()
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"sshd ended: {log.read_text(errors='replace')[-500:]}")
