"""Calls of the kernel that Python has no name for. What it takes to make them is loaded only where one is made."""

from __future__ import annotations

import os

_OPEN_TREE, _MOUNT_SETATTR = 428, 442
"""Their numbers, the same on every processor an engine runs on."""
_SECURE_BITS, _CAPABILITIES_STAY = 28, 4
_USER_NAMESPACE, _MOUNT_NAMESPACE = 0x10000000, 0x00020000
_REMOUNT, _BIND, _RECURSIVE, _SLAVE = 0x20, 0x1000, 0x4000, 0x80000
_CLONE, _CLOSE_ON_EXEC = 1, os.O_CLOEXEC
_HERE, _THIS_ITSELF = -100, 0x1000
_READ_ONLY = 1
_SEIZE, _INTERRUPT = 0x4206, 0x4207
_PER_MOUNT = os.ST_RDONLY | os.ST_NOSUID | os.ST_NOEXEC
"""What is true of one mount, under the same numbers for ``statvfs`` and ``mount``."""


def read_only(path: str) -> int:
    """What is at this path, open to be read and written, on a read-only mount of its own that is mounted nowhere: a
    device is used all the same, and nobody changes by this open file whose it is and who may open it. Raises OSError,
    also where the kernel is older than 5.12.
    """
    tree = _called(_OPEN_TREE, _HERE, path.encode(), _CLONE | _CLOSE_ON_EXEC)
    try:
        _set_read_only(tree)
        return os.open(f"/proc/self/fd/{tree}", os.O_RDWR | os.O_NOCTTY)
    finally:
        os.close(tree)


def counts_by_uid_alone() -> bool:
    """Whether queues of messages are counted by uid whatever the user namespace: before 5.14."""
    major, minor = os.uname().release.split("-")[0].split(".")[:2]
    return (int(major), int(minor)) < (5, 14)


def make_user_namespace(owner: int) -> None:
    """Bring this process into a new user namespace that belongs to this uid. Raises OSError.

    It becomes this uid and keeps what root may: no switch that forbids users such namespaces forbids it this one.
    """
    from ctypes import CDLL

    kernel = CDLL(None, use_errno=True)
    _checked(kernel.prctl(_SECURE_BITS, _CAPABILITIES_STAY, 0, 0, 0))
    os.seteuid(owner)
    _checked(kernel.unshare(_USER_NAMESPACE))


def own_mounts() -> None:
    """Bring this process into a mount namespace of its own: what is mounted outside later comes in, nothing goes out.
    Raises OSError.
    """
    from ctypes import CDLL

    _checked(CDLL(None, use_errno=True).unshare(_MOUNT_NAMESPACE))
    _mount(None, "/", _SLAVE | _RECURSIVE)


def without_nodes(path: str) -> None:
    """Mount a folder over itself so that no device node in it is opened. Raises OSError."""
    _mount(path, path, _BIND)
    _mount(None, path, _REMOUNT | _BIND | os.ST_NODEV | os.statvfs(path).f_flag & _PER_MOUNT)


def seize(thread: int) -> None:
    """Trace a thread from now on without stopping it, where that can be: its state says whether it was done."""
    _trace(_SEIZE, thread)


def interrupt(thread: int) -> None:
    """Stop a thread that this process traces, until this process is over."""
    _trace(_INTERRUPT, thread)


def _trace(request: int, thread: int) -> None:
    """Without ``ctypes``, which takes ten times as long to load: this is for every exec."""
    from _ctypes import call_function, dlopen, dlsym

    itself = dlopen(None, os.RTLD_NOW)  # type: ignore[arg-type]  # it takes None
    call_function(dlsym(itself, "ptrace"), (request, thread, None, None))


def _mount(source: str | None, target: str, flags: int) -> None:
    from ctypes import CDLL, c_ulong

    told = None if source is None else os.fsencode(source)
    _checked(CDLL(None, use_errno=True).mount(told, os.fsencode(target), None, c_ulong(flags), None))


def _set_read_only(tree: int) -> None:
    from ctypes import c_uint64, sizeof

    attributes = (c_uint64 * 4)(_READ_ONLY, 0, 0, 0)
    _called(_MOUNT_SETATTR, tree, b"", _THIS_ITSELF, attributes, sizeof(attributes))


def _called(number: int, *values: object) -> int:
    from ctypes import CDLL, c_long

    words = (c_long(value) if isinstance(value, int) else value for value in values)
    return _checked(CDLL(None, use_errno=True).syscall(c_long(number), *words))


def _checked(done: int) -> int:
    from ctypes import get_errno

    if done < 0:
        raise OSError(get_errno(), os.strerror(get_errno()))
    return done
