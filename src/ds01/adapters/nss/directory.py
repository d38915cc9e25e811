"""The directory of users over ``pwd``, ``grp`` and ``getgrouplist``.

Nothing is cached here: the system's own daemons (sssd, nscd) do that, and a user who was just removed from a group
must lose what it gave her.
"""

from __future__ import annotations

import grp
import os
import pwd

from ds01.domain.people import Uid, User


class NssDirectory:
    """Accounts by uid and by login. Names stay as the directory writes them (``h.baker@lab.lan``, ``204214``)."""

    def by_uid(self, uid: Uid) -> User | None:
        """The account with this uid, with all its groups."""
        try:
            return _user(pwd.getpwuid(uid))
        except (KeyError, OverflowError):
            return None

    def by_login(self, login: str) -> User | None:
        """The account with this login name. A number is a name here, never a uid."""
        try:
            return _user(pwd.getpwnam(login))
        except (KeyError, ValueError):
            return None

    def members(self, group: str) -> tuple[User, ...] | None:
        """Everybody in the group of this name. Directories that list no accounts tell only its named members."""
        try:
            found = grp.getgrnam(group)
        except (KeyError, ValueError):
            return None
        own = [entry.pw_name for entry in pwd.getpwall() if entry.pw_gid == found.gr_gid]
        users = (self.by_login(login) for login in sorted({*found.gr_mem, *own}))
        return tuple(user for user in users if user is not None)


def _user(entry: pwd.struct_passwd) -> User:
    gids = frozenset(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return User(
        uid=Uid(entry.pw_uid),
        gid=entry.pw_gid,
        login=entry.pw_name,
        home=entry.pw_dir,
        gids=gids,
        groups=frozenset(name for gid in gids if (name := _group_name(gid))),
    )


def _group_name(gid: int) -> str:
    """The group's name, or ``""``: a gid without an entry is common in directories and grants nothing."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return ""
