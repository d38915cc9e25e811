"""Waiting for a job to end. A ds01d that restarts meanwhile is waited for: the job goes on without it."""

from __future__ import annotations

import time

from ds01.domain.errors import DAEMON_DOWN, Ds01Error

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ds01.client.daemon import Client
    from ds01.wire.jobs import JobsView

RESTART_SECONDS = 60.0
AGAIN_SECONDS = 1.0


def changes(client: Client, name: str, away: Callable[[], None] = lambda: None) -> Iterator[JobsView]:
    """The job now and at every change, until it has ended. ``away`` is called while ds01d is not there.

    Raises Ds01Error when ds01d stays away for a minute.
    """
    until = 0.0
    while True:
        try:
            for view in client.follow_job(name):
                until = 0.0
                yield view
                if all(job.state == "ended" for job in view.jobs):
                    return
        except Ds01Error as error:
            until = until or time.monotonic() + RESTART_SECONDS
            if error.kind != DAEMON_DOWN or time.monotonic() > until:
                raise
        away()
        time.sleep(AGAIN_SECONDS)


def until_ended(client: Client, name: str) -> JobsView:
    """The job once it has ended."""
    *_, last = changes(client, name)
    return last
