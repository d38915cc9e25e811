"""The account of what was consumed, read: by day, user, project or container, with its sum."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime

from ds01.domain.consumption import NOBODY, Consumed, Line
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.people import Names, names
from ds01.services.world import World
from ds01.wire.usage import ConsumptionLine, ConsumptionView

BY = ("container", "project", "user", "day")
MOST_LINES = 1000
"""Of one answer: whoever names each container anew has one for each."""
HOUR = 3600.0
GIB = 1024**3


async def consumption(
    world: World, caller: Caller, *, since: datetime, by: str = "container", everybody: bool = False
) -> ConsumptionView:
    """Hers, or everybody's with what is nobody's."""
    if by not in BY:
        raise Ds01Error(BAD_REQUEST, f"Usage cannot be shown by '{by}'.", reason=f"It can by {', '.join(BY)}.")
    day = since.astimezone(UTC).date()
    grid = world.settings().energy.co2

    def read(books: Books) -> ConsumptionView:
        found = books.consumed(uid=None if everybody else caller.uid, since=day)
        mine = {line: each for line, each in found.items() if everybody or line.epoch == caller.epoch}
        called = names(books)
        total = sum(mine.values(), Consumed())
        lines = lines_by(mine, by, called, grid)
        return ConsumptionView(
            since=day.isoformat(), by=by, total=shown(ConsumptionLine(), total, grid),
            lines=lines[-MOST_LINES:] if by == "day" else lines[:MOST_LINES], more=max(0, len(lines) - MOST_LINES),
        )  # fmt: skip

    return await world.ledger.read(read)


def lines_by(
    found: Mapping[Line, Consumed], by: str, called: Names, grid: float | None
) -> tuple[ConsumptionLine, ...]:  # fmt: skip
    """One line for each container, project, user or day, the largest first; days in their order."""
    summed: dict[ConsumptionLine, Consumed] = defaultdict(Consumed)
    for line, each in found.items():
        summed[_key(line, by, called)] += each
    lines = (shown(key, each, grid) for key, each in summed.items())
    return tuple(sorted(lines, key=lambda each: (each.day, -each.gpueq_hours, -each.energy_wh, each.user)))


def _key(line: Line, by: str, called: Names) -> ConsumptionLine:
    user = "" if line.uid == NOBODY else called(line.uid)
    if line.uid == NOBODY and by != "day":
        return ConsumptionLine(user=f"({line.name})")
    match by:
        case "day":
            return ConsumptionLine(day=line.day.isoformat())
        case "user":
            return ConsumptionLine(user=user)
        case "project":
            return ConsumptionLine(user=user, project=line.project)
        case _:
            return ConsumptionLine(user=user, project=line.project, container=line.name)


def shown(key: ConsumptionLine, each: Consumed, grid: float | None) -> ConsumptionLine:
    """A line in the units of people; ``grid`` is the grams of CO2 of a kilowatt-hour."""
    watt_hours = each.joules / HOUR
    return ConsumptionLine(
        day=key.day, user=key.user, project=key.project, container=key.container,
        running_hours=round(each.running_seconds / HOUR, 4), gpu_hours=round(each.gpu_seconds / HOUR, 4),
        gpueq_hours=round(each.gpueq_seconds / HOUR, 4), cpu_hours=round(each.cpu_seconds / HOUR, 4),
        memory_gib_hours=round(each.memory_byte_seconds / GIB / HOUR, 4), energy_wh=round(watt_hours, 3),
        co2_g=None if grid is None else round(watt_hours / 1000 * grid, 3),
    )  # fmt: skip
