"""Shares a project's folder with somebody, where it lies: nothing is copied, and it can be taken back.

She is named in the access list of every file and folder of it, and in what new ones inherit. To get there she may pass
through the home and the folder of all projects, and see nothing in them. Files that hold secrets are left out, and what
git keeps is never hers to write: git runs programs it names as whoever types ``git status``.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Callable

from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.domain.record import record
from ds01.projects import acl, file, tree
from ds01.projects.acl import Who
from ds01.projects.tree import Found, Tree

_ALL = acl.READ | acl.WRITE | acl.ENTER


@record
class Shared:
    """What was done. ``left_out`` are files that are somebody else's, ``private`` those that hold secrets."""

    entries: int
    left_out: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    reachable: tuple[str, ...] = ()
    """Other files and folders that everybody may read and that only the way to them had closed."""


def somebody(name: str) -> Who:
    """A login, or ``group:NAME``. Raises Ds01Error."""
    try:
        if name.startswith("group:"):
            return Who(tag=acl.GROUP, id=grp.getgrnam(name.partition(":")[2]).gr_gid)
        found = Who(tag=acl.USER, id=pwd.getpwnam(name).pw_uid)
    except KeyError:
        raise Ds01Error(
            BAD_REQUEST, f"There is nobody called '{name}' on this server.", hint="A login, or group:NAME for a group"
        ) from None
    if found.id in (0, os.geteuid()):
        raise Ds01Error(BAD_REQUEST, f"'{name}' can read it already.", hint="Name the login of somebody else.")
    return found


def name_of(who: Who) -> str:
    """What ``somebody`` calls it."""
    try:
        return f"group:{grp.getgrgid(who.id).gr_name}" if who.tag == acl.GROUP else pwd.getpwuid(who.id).pw_name
    except KeyError:
        return str(who.id)


def with_whom(folder: str) -> tuple[tuple[Who, bool], ...]:
    """Everybody a project is shared with; True for those who may write."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return tuple((who, bool(bits & acl.WRITE)) for who, bits in acl.named(fd) if bits & acl.READ)
    finally:
        os.close(fd)


def begin(folder: str, home: str, who: Who, *, write: bool) -> Shared:
    """Share it. Raises Ds01Error; the folder itself is opened last, so that half of it is never to be seen."""
    done = tree.each(folder, lambda found: _allow(found, who, write=write), inside_first=True)
    ways = (file.workspaces(home), home)
    closed = not all(os.stat(above).st_mode & stat.S_IXOTH for above in ways)
    for above in ways:
        _on(above, lambda fd: acl.allow(fd, who, acl.effective(fd, who) | acl.ENTER))
    return _shared(done, _readable(folder, ways) if closed else ())


def _allow(found: Found, who: Who, *, write: bool) -> None:
    if found.private:
        return _keep_from(found, who)
    writes = acl.WRITE if write and not found.git else 0
    runs = acl.ENTER if found.folder or found.status.st_mode & stat.S_IXUSR else 0
    acl.allow(found.fd, who, acl.READ | writes | runs)
    if found.folder:
        acl.allow(found.fd, who, acl.READ | writes | runs, acl.DEFAULT)
        if writes:  # what she makes is hers; the owner of the folder may read and delete it all the same
            acl.allow(found.fd, Who(tag=acl.USER, id=found.status.st_uid), _ALL, acl.DEFAULT)
    return None


def _keep_from(found: Found, who: Who) -> None:
    """Nothing of it, not even what everybody may: until now the way to it was closed."""
    _forget(found, who)
    if stat.S_IMODE(os.fstat(found.fd).st_mode) & 0o077:
        acl.allow(found.fd, who, 0)


def _readable(folder: str, ways: tuple[str, ...]) -> tuple[str, ...]:
    """Files and folders beside it, and in the home, that everybody may use who knows their name."""
    found = (each for above in ways for each in os.scandir(above) if each.path not in (folder, *ways))
    return tuple(sorted(each.path for each in found if _open_to_all(each.stat(follow_symlinks=False).st_mode)))


def _open_to_all(mode: int) -> bool:
    return bool(mode & stat.S_IXOTH) if stat.S_ISDIR(mode) else stat.S_ISREG(mode) and bool(mode & stat.S_IROTH)


def end(folder: str, home: str, who: Who) -> Shared:
    """Take it back: each folder before what is inside, so that she can move nothing meanwhile.

    The way there is closed when nothing else of it is shared with her.
    """
    done = tree.each(folder, lambda found: _forget(found, who), inside_first=False)
    others = [os.path.join(file.workspaces(home), name) for name in file.names(home)]
    if not any(who in [each for each, _ in with_whom(other)] for other in others if not os.path.islink(other)):
        for above in (file.workspaces(home), home):
            _on(above, lambda fd: acl.forget(fd, who) if acl.bits(fd, who) == acl.ENTER else None)
    return _shared(done)


def _forget(found: Found, who: Who) -> None:
    acl.forget(found.fd, who)
    if found.folder:
        acl.forget(found.fd, who, acl.DEFAULT)


def _shared(done: Tree, reachable: tuple[str, ...] = ()) -> Shared:
    left_out, private = tuple(done.left_out), tuple(done.private)
    return Shared(entries=done.entries, left_out=left_out, private=private, reachable=reachable)


def _on(path: str, do: Callable[[int], None]) -> None:
    """Something with a folder above, where it is the user's own to change."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if os.fstat(fd).st_uid == os.geteuid():
            do(fd)
    finally:
        os.close(fd)
