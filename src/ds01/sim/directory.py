"""A directory of users in memory: accounts come and go, uids change hands, as tests say."""

from __future__ import annotations

from collections.abc import Iterable

from ds01.domain.people import Uid, User


class SimDirectory:
    """The accounts it was given."""

    def __init__(self, users: Iterable[User] = ()) -> None:
        self._users: dict[Uid, User] = {}
        for user in users:
            self.add(user)

    def by_uid(self, uid: Uid) -> User | None:
        """The account with this uid."""
        return self._users.get(uid)

    def by_login(self, login: str) -> User | None:
        """The account with this login name."""
        return next((user for user in self._users.values() if user.login == login), None)

    def members(self, group: str) -> tuple[User, ...] | None:
        """Everybody in the group of this name."""
        found = [user for user in self._users.values() if group in user.groups]
        return tuple(sorted(found, key=lambda user: user.login)) if found else None

    def add(self, user: User) -> None:
        """Create the account, or give its uid to a new one."""
        self._users[user.uid] = user

    def remove(self, uid: Uid) -> None:
        """Delete the account."""
        self._users.pop(uid, None)
