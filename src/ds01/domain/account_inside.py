"""A user's account inside a container whose image was not built for her: without a line for her uid, programs that ask
who runs them fail (``whoami``, git, notebooks, compilers' caches), and her home is not there.
"""

from __future__ import annotations

from ds01.domain.people import User


def with_user(passwd: str, user: User, *, shell: str) -> str:
    """``/etc/passwd`` with a line for her; as it was when it has one for her uid."""
    if str(user.uid) in _numbers(passwd):
        return passwd
    home = f"/home/{user.name_inside}"
    return _ended(passwd) + f"{user.name_inside}:x:{user.uid}:{user.gid}:{user.name_inside}:{home}:{shell}\n"


def with_group(group: str, user: User) -> str:
    """``/etc/group`` with a line for her group; as it was when it has one for her gid."""
    if str(user.gid) in _numbers(group):
        return group
    return _ended(group) + f"{user.name_inside}:x:{user.gid}:\n"


def _numbers(text: str) -> set[str]:
    """The third field of every line: the uid, or the gid."""
    lines = (line.split(":") for line in text.splitlines())
    return {fields[2] for fields in lines if len(fields) > 2}


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
