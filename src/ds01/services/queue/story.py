"""Why something waits: the place, told first, and its story; of a name that waited before, how that ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ds01.domain.errors import NO_CONTAINER, Ds01Error
from ds01.domain.events import Event, meant
from ds01.domain.quantity import ordinal, roughly
from ds01.domain.queue.request import Request, RequestId, RequestState
from ds01.domain.refusal import likely
from ds01.domain.sentences import tell, who_did
from ds01.ports.ledger import Books
from ds01.services import why as stories
from ds01.services.caller import Caller
from ds01.services.people import names
from ds01.services.queue import turn
from ds01.services.queue.place import places
from ds01.services.world import World
from ds01.wire.containers import WhyEntry, WhyView
from ds01.wire.queue import PlaceView

_QUEUE = meant("queue")
_MOST = 500


async def why(world: World, caller: Caller, name: str) -> WhyView:
    """The story of what has this name: a container, a place in the queue, or both.

    Raises Ds01Error (``container.unknown``) with the name that may be meant.
    """
    waits = await world.ledger.read(lambda books: _waits(books, world, caller, name))
    try:
        story = await stories.why(
            world.ledger, uid=caller.uid, epoch=caller.epoch, name=name, viewer=caller.actor
        )  # fmt: skip
    except Ds01Error as error:
        if error.kind is not NO_CONTAINER or waits is None:
            raise
        return waits
    if waits is None or waits.place is None:
        return story
    entries = sorted({*story.entries, *waits.entries}, key=lambda entry: datetime.fromisoformat(entry.at))
    return replace(
        story, summary=f"{waits.summary} {story.summary}", entries=tuple(entries), place=waits.place
    )  # fmt: skip


def _waits(books: Books, world: World, caller: Caller, name: str) -> WhyView | None:
    """The story of the request that is open under this name, or of the last one there was."""
    mine = books.events(uid=caller.uid, types=_QUEUE, limit=_MOST)
    last = next((event.subject for event in reversed(mine) if event.details.get("name") == name), None)
    request = books.request(RequestId(last)) if last is not None else None
    request = turn.named(books, caller.owner, name) or request
    if request is None or request.epoch != caller.epoch:
        return None
    place = places(books, world, [request])[0] if request.state.open else None
    now = world.clock.now()
    return WhyView(
        name=name, state=request.state.value, reason=place.reason if place is not None else request.reason,
        summary=waits_summary(place, now) if place is not None else _over(request), place=place,
        entries=tuple(_entry(books, event, caller) for event in mine if event.subject == request.id),
    )  # fmt: skip


def _entry(books: Books, event: Event, caller: Caller) -> WhyEntry:
    return WhyEntry(at=event.at.isoformat(), what=tell(event, who_did(event, names(books), caller.actor)))


def waits_summary(place: PlaceView, now: datetime) -> str:
    if place.state == RequestState.RESERVED.value:
        left = (
            "" if place.claim_until is None else f" for {roughly(datetime.fromisoformat(place.claim_until) - now)} more"
        )
        kept = f"GPU{'s' if len(place.slots) > 1 else ''} {', '.join(place.slots)}"
        verb = "are" if len(place.slots) > 1 else "is"
        return f"It is the turn of {place.name}: {kept} {verb} kept for it{left}. Take it: ds01 claim {place.name}"
    when = likely(_moment(place.earliest), _moment(place.latest), now)
    parts = [
        f"{place.name} waits for {place.asked}, {ordinal(place.place)} of {place.of} in the queue: {place.text}.",
        f"It is likely to start {when}." if when else "Nobody can say when it starts.",
    ]
    return " ".join(parts)


def _over(request: Request) -> str:
    if request.state is RequestState.TAKEN:
        return f"{request.name} got its GPU."
    why = f": {request.reason}" if request.reason else ""
    verb = "was given up" if request.state is RequestState.CANCELLED else "ended"
    return f"The place of {request.name} in the queue {verb}{why}. Ask again: ds01 launch {request.name} --wait"


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
