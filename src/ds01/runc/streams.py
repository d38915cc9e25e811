"""The three streams of a process that may be root.

Where there is nothing to read an engine gives ``/dev/null``, opened on the host. Root in a container is the uid that
owns this node, and may change by its open file who may use it: on the whole server. So nobody there gets it. What an
exec gets instead is the guard's own: what is in the container at any path, its users put there.
"""

from __future__ import annotations

import os

from ds01.runc.kernel import read_only
from ds01.runc.refusal import RefusedError

TYPE_CHECKING = False  # typing is slow to import, and this runs at every start of a container
if TYPE_CHECKING:
    from typing import Any

NULL = "/dev/null"
NULL_NUMBERS = (1, 3)
INPUT, OUTPUTS = 0, (1, 2)


def of_a_start(process: dict[str, Any]) -> None:
    """Before a container starts: nothing to read is an empty file of its own, which is in no folder. runc exchanges
    every ``/dev/null``, also a read-only one, for one that it opens before the container's own is read-only.
    """
    if not process.get("terminal"):
        _without_null()


def of_an_exec(process: dict[str, Any]) -> None:
    """In a container that runs: a read-only ``/dev/null``. Where the kernel makes none, it is as at a start."""
    nulls = [] if process.get("terminal") else [stream for stream in (INPUT, *OUTPUTS) if _is_null(stream)]
    if not nulls:
        return
    safe = _safe_null()
    if safe is None:
        _without_null()
        return
    for stream in nulls:
        os.dup2(safe, stream)
    os.close(safe)


def _without_null() -> None:
    """An empty file is as ready for ``poll`` as ``/dev/null``; of a pipe that has ended ``tail -f`` would not wait."""
    if any(_is_null(stream) for stream in OUTPUTS):
        raise RefusedError("the host's /dev/null for what it writes")
    if _is_null(INPUT):
        made = os.memfd_create("null")
        empty = os.open(f"/proc/self/fd/{made}", os.O_RDONLY)
        os.dup2(empty, INPUT)
        os.close(empty)
        os.close(made)


def _safe_null() -> int | None:
    try:
        found = read_only(NULL)
    except OSError:
        return None
    if _numbers(found) == NULL_NUMBERS and os.fstatvfs(found).f_flag & os.ST_RDONLY:
        return found
    os.close(found)
    return None


def _is_null(stream: int) -> bool:
    try:
        return _numbers(stream) == NULL_NUMBERS
    except OSError:
        return False


def _numbers(stream: int) -> tuple[int, int]:
    found = os.fstat(stream)
    return os.major(found.st_rdev), os.minor(found.st_rdev)
