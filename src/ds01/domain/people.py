"""People: a user is a Unix account known by uid; a name is for display.

Identity is the uid plus an *epoch*: when an account is deleted and its uid given to somebody else, the new
account starts a new epoch and inherits nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import NewType

from ds01.domain.names import login_inside, user_network
from ds01.domain.record import record

Uid = NewType("Uid", int)
FIRST_PERSON = 1000
"""Accounts of people begin here; below are root and the system's own."""


@record
class User:
    """One account, as the directory (NSS) gives it. ``groups`` are Unix group names."""

    uid: Uid
    gid: int
    login: str
    home: str
    gids: frozenset[int] = frozenset()
    groups: frozenset[str] = frozenset()

    @property
    def name_inside(self) -> str:
        """The account's name inside containers."""
        return login_inside(self.login)

    @property
    def slice(self) -> str:
        """The cgroup that holds everything of this user."""
        return slice_of(self.uid)

    def build_slice(self, parent: str) -> str:
        """The cgroup of her builds' steps, in the slice the engine calls ``parent``."""
        inside = f"ds01-u{self.uid}-build.slice"
        return f"{parent}/{inside}" if parent.startswith("/") else inside

    @property
    def network(self) -> str:
        """The bridge network of this user's containers."""
        return user_network(self.uid)


NOBODYS_GID = 65534


def nobody(uid: Uid) -> User:
    """Who stands for a number that has no account, or another one than before: she is in no group."""
    return User(uid=uid, gid=NOBODYS_GID, login="", home="")


def slice_of(uid: Uid) -> str:
    """The cgroup that holds everything of the user with this number."""
    return f"ds01-u{uid}.slice"


@record
class Account:
    """Who a uid belongs to, in the ledger: the epoch grows when the uid changes hands.

    ``since`` is when this epoch began; what happened to the uid before is somebody else's affair.
    """

    uid: Uid
    login: str
    epoch: int
    since: datetime | None = None
