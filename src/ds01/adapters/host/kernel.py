"""The system calls Python has no name for. Each raises OSError when the kernel refuses.

Those about identity act on the calling thread alone: that is the kernel's own rule, which the C library hides by
telling all threads. ``setgroups`` therefore goes around the library; ``setfsuid``, ``setfsgid`` and ``capset`` are
the plain calls there too.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from collections.abc import Iterable

_LIBC = ctypes.CDLL(None, use_errno=True)
_SETGROUPS = {"x86_64": 116, "aarch64": 159, "riscv64": 159, "ppc64le": 81, "s390x": 206}
_OPENAT2 = 437
_NO_ID = 0xFFFFFFFF
"""No uid; asking for it changes nothing and tells the present one."""
_CAPABILITY_VERSION = 0x20080522

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_NOSYMFOLLOW = 256
MS_BIND = 4096
MS_PRIVATE = 1 << 18
MNT_DETACH = 2
UMOUNT_NOFOLLOW = 8
RESOLVE_NO_MAGICLINKS = 2


class _How(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


class _CapHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _CapData(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


def open_path(path: str, flags: int, folder_fd: int | None = None) -> int:
    """``openat2`` with ``O_PATH``: follows symbolic links, but none of ``/proc``, which skip permissions."""
    how = _How(flags=flags | os.O_PATH | os.O_CLOEXEC, mode=0, resolve=RESOLVE_NO_MAGICLINKS)
    start = -100 if folder_fd is None else folder_fd
    return _checked(_syscall(_OPENAT2, start, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how)), path)


def set_groups(gids: Iterable[int]) -> None:
    """The supplementary groups of this thread."""
    number = _SETGROUPS.get(platform.machine())
    if number is None:
        raise OSError(errno.ENOSYS, f"DS01 does not know how to change groups on {platform.machine()}")
    wanted = sorted(set(gids))
    _checked(_syscall(number, len(wanted), (ctypes.c_uint32 * len(wanted))(*wanted)), "setgroups")


def set_fsgid(gid: int) -> None:
    """Set the group this thread opens files as. The kernel reports no failure: ask ``fsgid`` afterwards."""
    _LIBC.setfsgid(ctypes.c_uint32(gid))


def set_fsuid(uid: int) -> None:
    """Set the user this thread opens files as. The kernel reports no failure: ask ``fsuid`` afterwards."""
    _LIBC.setfsuid(ctypes.c_uint32(uid))


def fsuid() -> int:
    """The user this thread opens files as."""
    return int(_LIBC.setfsuid(ctypes.c_uint32(_NO_ID))) & _NO_ID


def fsgid() -> int:
    """The group this thread opens files as."""
    return int(_LIBC.setfsgid(ctypes.c_uint32(_NO_ID))) & _NO_ID


def drop_capabilities() -> None:
    """Give up every capability of this thread, for good: it cannot become root again."""
    data = (_CapData * 2)()
    _checked(int(_LIBC.capset(ctypes.byref(_header()), data)), "capset")


def capabilities() -> int:
    """The capabilities this thread could use, as bits."""
    data = (_CapData * 2)()
    _checked(int(_LIBC.capget(ctypes.byref(_header()), data)), "capget")
    low, high = data[0], data[1]
    return int(low.permitted | low.effective) | int(high.permitted | high.effective) << 32


def bind(source: str, target: str) -> None:
    """Mount what ``source`` is at ``target``, without the mounts below it."""
    _mount(source, target, MS_BIND)


def set_bind_flags(target: str, flags: int) -> None:
    """Set the flags of a bind mount (they replace those it had) and keep later mounts of its source out of it."""
    _mount(None, target, MS_REMOUNT | MS_BIND | flags)
    _mount(None, target, MS_PRIVATE)


def unmount(target: str) -> None:
    """Take the topmost mount at ``target`` away; whoever still uses it keeps it until done."""
    _checked(int(_LIBC.umount2(os.fsencode(target), MNT_DETACH | UMOUNT_NOFOLLOW)), target)


def _mount(source: str | None, target: str, flags: int) -> None:
    encoded = None if source is None else os.fsencode(source)
    _checked(int(_LIBC.mount(encoded, os.fsencode(target), None, ctypes.c_ulong(flags), None)), target)


def _header() -> _CapHeader:
    return _CapHeader(version=_CAPABILITY_VERSION, pid=0)


def _syscall(number: int, *arguments: object) -> int:
    call = _LIBC.syscall
    call.restype = ctypes.c_long
    return int(call(ctypes.c_long(number), *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments)))


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), what)
    return result
