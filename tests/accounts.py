"""Real Unix accounts for tests that need them: made for the test, removed after it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from dev.people import account_tool


@contextlib.contextmanager
def account(login: str, uid: int, *, home: str = "/nonexistent", groups: tuple[str, ...] = ()) -> Iterator[None]:
    """An account with a group of its own name. ``-l``: no gigabytes of login log for a huge uid."""
    words = ["useradd", "--badname", "-l", "-M", "-U", "-u", str(uid), "-d", home, "-K", "UID_MAX=4000000000"]
    account_tool(*words, *(["-G", ",".join(groups)] if groups else []), login)
    try:
        yield
    finally:
        account_tool("userdel", login)


@contextlib.contextmanager
def group(name: str) -> Iterator[None]:
    """A Unix group."""
    account_tool("groupadd", name)
    try:
        yield
    finally:
        account_tool("groupdel", name)
