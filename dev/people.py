"""Ordinary accounts to try DS01 as: made when missing, and programs run as them with nothing of root's about them."""

from __future__ import annotations

import os
import pwd
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

GATEWAY = "ds01-gateway"
"""The account of the gateway: no home, no shell, no group but the engine socket's."""
_MARK = "made by DS01 to try it"
LOCKED_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Done:
    """A program that ended. ``seconds`` is its wall time."""

    code: int
    out: str
    err: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Person:
    """An account, and what its programs find in their environment besides the usual."""

    login: str
    uid: int
    gid: int
    home: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    def run(self, *command: str, given: str = "", folder: Path | None = None, seconds: float = 600) -> Done:
        """Run a program as this person, without a terminal, and wait for it."""
        began = time.monotonic()
        done = subprocess.run(
            command, input=given, text=True, errors="replace", capture_output=True, check=False, timeout=seconds,
            cwd=folder or self.home, env=self.environment(), start_new_session=True,
            user=self.uid, group=self.gid, extra_groups=self.groups(),
        )  # fmt: skip
        return Done(code=done.returncode, out=done.stdout, err=done.stderr, seconds=time.monotonic() - began)

    def start(self, *command: str, out: int | None = None) -> subprocess.Popen[str]:
        """Start a program as this person on this process's terminal, or with its output going to ``out``."""
        return subprocess.Popen(
            command, text=True, cwd=self.home, env=self.environment(), stdout=out, stderr=out,
            user=self.uid, group=self.gid, extra_groups=self.groups(),
        )  # fmt: skip

    def groups(self) -> list[int]:
        """All groups of the account."""
        return os.getgrouplist(self.login, self.gid)

    def environment(self) -> dict[str, str]:
        """A login's environment, plus the terminal's kind and language."""
        kept = {key: os.environ[key] for key in ("TERM", "LANG", "LC_ALL", "NO_COLOR", "COLUMNS") if key in os.environ}
        usual = {"HOME": str(self.home), "USER": self.login, "LOGNAME": self.login, "SHELL": "/bin/bash"}
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"} | kept | usual | dict(self.extra)


@contextmanager
def acting_as(person: Person) -> Iterator[None]:
    """This process with the person's effective uid and gid: a socket connected now is hers to the other side."""
    os.setegid(person.gid)
    os.seteuid(person.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def person(login: str, **extra: str) -> Person:
    """An existing account. Raises KeyError."""
    entry = pwd.getpwnam(login)
    return Person(login=login, uid=entry.pw_uid, gid=entry.pw_gid, home=Path(entry.pw_dir), extra=extra)


def exists(login: str) -> bool:
    """Whether the account exists."""
    try:
        pwd.getpwnam(login)
    except KeyError:
        return False
    return True


def make(login: str, *, home: Path | None = None, uid: int | None = None) -> bool:
    """Make an ordinary account with a home; False when it was there already."""
    if exists(login):
        return False
    place = [] if home is None else ["--home-dir", str(home)]
    number = [] if uid is None else ["--uid", str(uid)]
    account_tool(
        "useradd", "--create-home", "--shell", "/bin/bash", "--comment", _MARK, "--badname", *place, *number, login
    )
    return True


def made_here(login: str) -> bool:
    """Whether ``make`` made this account, now or in a run that was cut off."""
    return exists(login) and pwd.getpwnam(login).pw_gecos == _MARK


def remove(login: str) -> None:
    """Remove an account with its home, if ``make`` made it."""
    if made_here(login):
        with suppress(RuntimeError):  # she may still be logged in
            account_tool("userdel", "--remove", login)


def gateway() -> Person:
    """The gateway's system account, made when missing."""
    try:
        return person(GATEWAY)
    except KeyError:
        with suppress(RuntimeError):  # somebody else makes it in the same moment
            account_tool("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
                         "--shell", "/usr/sbin/nologin", GATEWAY)  # fmt: skip
        return person(GATEWAY)


def account_tool(*command: str) -> None:
    """One of the programs that change accounts and groups. While another one has the lock on their files, wait for it.
    Raises RuntimeError.
    """
    deadline = time.monotonic() + LOCKED_SECONDS
    while True:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        if "lock" not in done.stderr or time.monotonic() > deadline:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        time.sleep(0.1)
