"""The directory of users: Unix accounts, whatever serves them (files, LDAP, AD)."""

from __future__ import annotations

from typing import Protocol

from ds01.domain.people import Uid, User


class Directory(Protocol):
    """Looks accounts up. What does not exist is None."""

    def by_uid(self, uid: Uid) -> User | None:
        """The account with this uid, with all its groups."""
        ...

    def by_login(self, login: str) -> User | None:
        """The account with this login name."""
        ...

    def members(self, group: str) -> tuple[User, ...] | None:
        """Everybody in the group of this name, those whose own group it is included, by login."""
        ...
