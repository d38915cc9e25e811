"""The three streams of a process that may be root.

Where there is nothing to read an engine gives ``/dev/null``, opened on the host. Root in a container is the uid that
owns this node, and may change by its open file who may use it: on the whole server. So nobody there gets it.
"""

from __future__ import annotations

import os

from ds01.runc.refusal import RefusedError

TYPE_CHECKING = False  # typing is slow to import, and this runs at every start of a container
if TYPE_CHECKING:
    from typing import Any

NULL = "/dev/null"
NULL_NUMBERS = (1, 3)
INPUT, OUTPUTS = 0, (1, 2)


def of_a_start(process: dict[str, Any]) -> None:
    """Before a container starts: nothing to read is a pipe that has ended. runc exchanges every ``/dev/null`` for one
    that is not read-only yet.
    """
    if process.get("terminal"):
        return
    if any(_is_null(stream) for stream in OUTPUTS):
        raise RefusedError("the host's /dev/null for what it writes")
    if _is_null(INPUT):
        reading, writing = os.pipe()
        os.dup2(reading, INPUT)
        os.close(reading)
        os.close(writing)


def of_an_exec(process: dict[str, Any], pid: int | None) -> None:
    """In a container that runs as ``pid``: its own ``/dev/null``, which is read-only. In one that was started before
    that was so, nothing is changed.
    """
    nulls = [] if process.get("terminal") else [stream for stream in (INPUT, *OUTPUTS) if _is_null(stream)]
    if not nulls or pid is None:
        return
    inside = os.open(f"/proc/{int(pid)}/root{NULL}", os.O_RDWR)
    if _numbers(inside) == NULL_NUMBERS and os.fstatvfs(inside).f_flag & os.ST_RDONLY:
        for stream in nulls:
            os.dup2(inside, stream)
    os.close(inside)


def _is_null(stream: int) -> bool:
    try:
        return _numbers(stream) == NULL_NUMBERS
    except OSError:
        return False


def _numbers(stream: int) -> tuple[int, int]:
    found = os.fstat(stream)
    return os.major(found.st_rdev), os.minor(found.st_rdev)
