"""Does anybody work on a GPU outside DS01?"""

from __future__ import annotations

from datetime import datetime

from ds01.domain.quantity import many
from ds01.services.checks import Check, Finding, ok, warning
from ds01.services.foreign import look
from ds01.services.world import World
from ds01.wire.gpus import ForeignView


async def _run(world: World) -> Finding:
    found = await look(world)
    if not found:
        return ok("Nobody works on a GPU outside DS01.")
    slots = {each.slot for each in found}
    return warning(
        f"Somebody works outside DS01 on {many(len(slots), 'GPU')}: nobody is placed there, and nothing is ended.",
        "ds01 admin foreign shows them; talk to whose they are, or end them yourself.",
        [_told(each) for each in found],
    )


def _told(each: ForeignView) -> str:
    since = f" since {datetime.fromisoformat(each.started_at):%Y-%m-%d %H:%M} UTC" if each.started_at else ""
    return f"GPU {each.slot}: {each.command} of {each.user} (process {each.pid}){since}"


CHECK = Check(about="nobody works on a GPU outside DS01", run=_run)
