"""How much one person may have ds01d write down: nobody's jobs are so many or so long that others wait for them."""

from __future__ import annotations

import json

from ds01.domain.errors import BAD_REQUEST, BUSY, Ds01Error
from ds01.domain.quantity import show_size
from ds01.wire.codec import plain

REQUEST_BYTES = 64 * 1024
"""Of one launch or job, with its command, environment and folders."""

ARRAY_BYTES = 4 * 1024 * 1024
"""The same, for all tasks of an array together: it is kept with each, and shown with each."""

OPEN_TASKS = 2000
"""Jobs and tasks of one person that have not ended."""


def check_size(request: object, tasks: int = 1) -> None:
    """What was asked for is no longer than what it is for ever needs. Raises Ds01Error."""
    size = len(json.dumps(plain(request)))
    most = min(REQUEST_BYTES, ARRAY_BYTES // max(1, tasks))
    if size > most:
        of = "" if tasks == 1 else f" for each of {tasks:,} tasks"
        raise Ds01Error(
            BAD_REQUEST, f"What is to be run is too long: {show_size(size)}, of at most {show_size(most)}{of}.",
            reason="Its command, environment and folders are kept until it has ended.",
            hint="Put what is long into a file of the project, and give its name",
        )  # fmt: skip


def check_open(have: int, more: int) -> None:
    """Somebody with ``have`` open jobs may submit ``more``. Raises Ds01Error."""
    if have + more > OPEN_TASKS:
        raise Ds01Error(
            BUSY, f"You have {have:,} jobs that have not ended, and {more:,} more would be over {OPEN_TASKS:,}.",
            reason="All of them are looked at whenever one ends.",
            hint="Wait for some to end (ds01 runs), or let one task do more of the work",
        )  # fmt: skip
