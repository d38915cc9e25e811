"""Real Unix accounts for tests that need them: made for the test, removed after it."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator

_LOCKED = 1
"""What the account tools say when another of them holds the lock on the password file."""


@contextlib.contextmanager
def account(login: str, uid: int, *, home: str = "/nonexistent", groups: tuple[str, ...] = ()) -> Iterator[None]:
    """An account with a group of its own name. ``-l``: no gigabytes of login log for a huge uid."""
    words = ["useradd", "--badname", "-l", "-M", "-U", "-u", str(uid), "-d", home, "-K", "UID_MAX=4000000000"]
    _run(*words, *(["-G", ",".join(groups)] if groups else []), login)
    try:
        yield
    finally:
        _run("userdel", login)


@contextlib.contextmanager
def group(name: str) -> Iterator[None]:
    """A Unix group."""
    _run("groupadd", name)
    try:
        yield
    finally:
        _run("groupdel", name)


def _run(*words: str) -> None:
    """Run an account tool; while another one holds the lock, wait for it."""
    deadline = time.monotonic() + 20
    while True:
        ran = subprocess.run(words, capture_output=True, text=True, check=False)
        if ran.returncode == 0:
            return
        if ran.returncode != _LOCKED or time.monotonic() > deadline:
            raise RuntimeError(f"{' '.join(words)}: {ran.stderr}")
        time.sleep(0.1)
