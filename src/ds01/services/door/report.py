"""What the gateway would have refused while it only watched, rule by rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from ds01.domain.errors import ENGINE_DOWN, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.ports.ledger import Books
from ds01.services.caller import Caller, require_admin
from ds01.services.people import Names, names
from ds01.services.planted import planted
from ds01.services.world import World
from ds01.wire.admin import DoorReportView, WouldRefuseView

MOST = 100_000


async def report(world: World, caller: Caller, since: datetime | None = None) -> DoorReportView:
    """The rules, the most frequent first. Raises Ds01Error (``admin.only``)."""
    require_admin(caller, "see what the gateway would refuse")
    docker, now = world.settings().docker, world.clock.now()
    until = docker.observe_until
    return DoorReportView(
        observing=docker.observing(now),
        until=until.isoformat() if until is not None and docker.observing(now) else "",
        rules=await world.ledger.read(lambda books: _rules(books, since)),
        planted=await _planted(world),
    )


async def _planted(world: World) -> tuple[str, ...]:
    """An engine that is away has the rest told all the same."""
    try:
        return tuple(f"{each.kind} {each.name} {each.why}" for each in await planted(world))
    except Ds01Error as error:
        if error.kind is not ENGINE_DOWN:
            raise
        return ()


def _rules(books: Books, since: datetime | None) -> tuple[WouldRefuseView, ...]:
    found: dict[str, list[Event]] = defaultdict(list)
    for event in books.events(types=(EventType.DOOR_OBSERVED,), since=since, limit=MOST):
        found[event.details.get("rule", "")].append(event)
    called = names(books)
    rules = [_rule(rule, events, called) for rule, events in found.items()]
    return tuple(sorted(rules, key=lambda each: (-each.times, each.rule)))


def _rule(rule: str, events: Sequence[Event], called: Names) -> WouldRefuseView:
    latest = events[-1]
    told = latest.details
    return WouldRefuseView(
        rule=rule,
        times=sum(_times(event) for event in events),
        users=tuple(sorted({called(event.uid) for event in events if event.uid is not None})),
        request=f"{told.get('method', '')} {told.get('path', '')}".strip(),
        reason=told.get("reason", ""),
        advice=told.get("advice", ""),
        latest=latest.at.isoformat(),
    )


def _times(event: Event) -> int:
    """Equal records of one moment are written once, with their number."""
    last = event.details.get("changes", "").rpartition("; ")[2]
    count = last.removesuffix(" times")
    return int(count) if count != last and count.isdecimal() else 1
