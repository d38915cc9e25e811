"""Is the clock right? Limits of time and the record of events depend on it."""

from __future__ import annotations

from datetime import timedelta

from ds01.domain.quantity import show_duration
from ds01.services.checks import Check, Finding, failed, ok, warning
from ds01.services.world import World

TOLERANCE = timedelta(minutes=1)


async def _run(world: World) -> Finding:
    now = world.clock.now()
    latest = await world.ledger.read(lambda books: books.events(limit=1))
    if latest and latest[-1].at > now + TOLERANCE:
        behind = show_duration(latest[-1].at - now)
        return failed(f"The clock is {behind} behind the last event in the ledger.", "timedatectl; chronyc tracking")
    if await world.facts.clock_synchronised() is False:
        return warning(
            "No time service keeps the clock.", "apt-get install chrony, or systemctl enable --now systemd-timesyncd."
        )
    return ok(f"The clock is plausible ({now:%Y-%m-%d %H:%M} UTC).")


CHECK = Check(about="the clock is right", run=_run)
