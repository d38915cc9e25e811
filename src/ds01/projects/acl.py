"""Access lists of files, as Linux keeps them: who besides the owner may read or write.

Read and written through the kernel's own attribute, on open files and never by a path, so that no program has to be
installed and no link is followed. The mask becomes what all entries need together, as setfacl does it; unlike there,
an entry that the mask held back (the owner's chmod) is cut to what it let through first: only the one named gains.
"""

from __future__ import annotations

import errno
import os
import stat
import struct

from ds01.domain.errors import BAD_WORKSPACE, Ds01Error
from ds01.domain.record import record, replace

ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
READ, WRITE, ENTER = 4, 2, 1
_OWNER, USER, _OWN_GROUP, GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NOBODY = 0xFFFFFFFF
_VERSION, _ENTRY = struct.Struct("<I"), struct.Struct("<HHI")


@record
class Who:
    """A user or a group. ``tag`` is ``USER`` or ``GROUP``."""

    tag: int
    id: int


@record
class _Entry:
    tag: int
    bits: int
    id: int = _NOBODY


def bits(fd: int, who: Who, which: str = ACCESS) -> int:
    """What an open file's list says of somebody by name, whether or not the mask lets it through; 0 for nothing."""
    return _of(_read(fd, which), who)


def effective(fd: int, who: Who, which: str = ACCESS) -> int:
    """What somebody may do by name."""
    return _of(_unmasked(_read(fd, which)), who)


def named(fd: int) -> tuple[tuple[Who, int], ...]:
    """Everybody besides the owner that an open file's list names, with what they may."""
    return tuple((Who(tag=each.tag, id=each.id), each.bits) for each in _others(fd, _read(fd, ACCESS)))


def allow(fd: int, who: Who, wanted: int, which: str = ACCESS) -> None:
    """Let somebody do exactly this with an open file or folder. Raises Ds01Error where lists are not kept."""
    entries = [each for each in _unmasked(_read(fd, which)) if (each.tag, each.id) != (who.tag, who.id)]
    _write(fd, which, [*entries, _Entry(tag=who.tag, bits=wanted, id=who.id)])


def forget(fd: int, who: Who, which: str = ACCESS) -> None:
    """Take somebody out of the list, and the list away when it names nobody else but the owner."""
    entries = _unmasked(_read(fd, which))
    kept = [each for each in entries if (each.tag, each.id) != (who.tag, who.id)]
    if len(kept) == len(entries):
        return
    if _others(fd, kept):
        _write(fd, which, kept)
    elif which == DEFAULT:
        os.removexattr(fd, which)
    else:
        own = next(each.bits for each in kept if each.tag == _OWN_GROUP)
        os.fchmod(fd, stat.S_IMODE(os.fstat(fd).st_mode) & ~0o070 | own << 3)
        os.removexattr(fd, which)


def _of(entries: list[_Entry], who: Who) -> int:
    return next((each.bits for each in entries if (each.tag, each.id) == (who.tag, who.id)), 0)


def _others(fd: int, entries: list[_Entry]) -> list[_Entry]:
    """The entries of those named, without that of the owner: it is there so that hers stays hers."""
    owner = os.fstat(fd).st_uid
    return [each for each in entries if each.tag == GROUP or (each.tag == USER and each.id != owner)]


def _unmasked(entries: list[_Entry]) -> list[_Entry]:
    """The same rights without a mask: each entry is cut to what the mask lets through."""
    mask = next((each.bits for each in entries if each.tag == _MASK), READ | WRITE | ENTER)
    return [
        replace(each, bits=each.bits & mask) if each.tag in (USER, _OWN_GROUP, GROUP) else each
        for each in entries
        if each.tag != _MASK
    ]


def _read(fd: int, which: str) -> list[_Entry]:
    try:
        raw = os.getxattr(fd, which)
    except OSError as error:
        if error.errno not in (errno.ENODATA, errno.ENOTSUP):
            raise
        if which == DEFAULT:  # what comes later is as open as the folder; its mode alone would give the group the mask
            return [each for each in _unmasked(_read(fd, ACCESS)) if each.tag not in (USER, GROUP)]
        mode = os.fstat(fd).st_mode
        return [
            _Entry(tag=_OWNER, bits=mode >> 6 & 7),
            _Entry(tag=_OWN_GROUP, bits=mode >> 3 & 7),
            _Entry(tag=_OTHER, bits=mode & 7),
        ]
    return [_Entry(tag=tag, bits=found, id=id_) for tag, found, id_ in _ENTRY.iter_unpack(raw[_VERSION.size :])]


def _write(fd: int, which: str, entries: list[_Entry]) -> None:
    mask = 0
    for each in entries:
        mask |= each.bits if each.tag in (USER, _OWN_GROUP, GROUP) else 0
    entries = sorted([*entries, _Entry(tag=_MASK, bits=mask)], key=lambda each: (each.tag, each.id))
    raw = _VERSION.pack(2) + b"".join(_ENTRY.pack(each.tag, each.bits, each.id) for each in entries)
    try:
        os.setxattr(fd, which, raw)
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        raise Ds01Error(
            BAD_WORKSPACE, "The file system of your workspace keeps no access lists, so nothing can be shared on it.",
            hint="Ask your admin for a folder of shared data.",
        ) from error  # fmt: skip
