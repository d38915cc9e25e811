"""Is the clock right? Limits of time and the record of events depend on it."""

from __future__ import annotations

from datetime import timedelta

from ds01.domain.quantity import show_duration
from ds01.services.checks import Check, Finding, Subject, failed, ok, warning

TOLERANCE = timedelta(minutes=1)


async def _run(subject: Subject) -> Finding:
    now = subject.world.clock.now()
    latest = await subject.world.ledger.read(lambda books: books.events(limit=1))
    if latest and latest[-1].at > now + TOLERANCE:
        behind = show_duration(latest[-1].at - now)
        return failed(f"The clock is {behind} behind the last event in the ledger.", "timedatectl; chronyc tracking")
    if await subject.facts.clock_synchronised() is False:
        return warning("No time service keeps the clock.", "Install chrony or turn systemd-timesyncd on.")
    return ok(f"The clock is plausible ({now:%Y-%m-%d %H:%M} UTC).")


CHECK = Check(about="the clock is right", run=_run)
