"""``ds01 queue``: what of mine waits, where, why and until when; of others how many."""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.style import Style, wrap
from ds01.cli.table import Cell, Column, Painted, table
from ds01.wire.queue import PlaceView, QueueView

COLUMNS = (
    Column("NAME", flexible=True, least=10),
    Column("USER", flexible=True, least=8),
    Column("ASKED"),
    Column("PLACE", right=True),
    Column("WAITS", right=True),
    Column("LIKELY"),
    Column("FOR", right=True),
    Column("WHY", flexible=True, least=10),
)


def run(call: Call, *, all_: bool) -> int:
    """Print the places, or the view as JSON."""
    queue = call.client.queue(everybody=all_)
    if call.talk.json:
        call.talk.emit(queue)
        return 0
    for line in screen(queue, call.talk.out, users=all_):
        call.talk.data(line)
    call.talk.next(*_next(queue, users=all_))
    return 0


def screen(queue: QueueView, style: Style, *, users: bool = False) -> list[str]:
    """The table, a word about those whose turn it is, and how many others there are."""
    lines = table(COLUMNS, [_row(place, users=users) for place in queue.places], style) if queue.places else []
    for place in queue.places:
        if place.state == "reserved" and not users:
            lines += ["", *wrap(_turn(place, style), style.width)]
    lines += [""] if lines else []
    return [*lines, *wrap(_others(queue, users=users), style.width)]


def _row(place: PlaceView, *, users: bool) -> list[Cell]:
    reserved = place.state == "reserved"
    return [
        place.name,
        place.owner if users else "",
        place.asked,
        Painted("now", "green") if reserved else f"{place.place} of {place.of}",
        show.ago(place.since),
        "" if reserved else show.likely(place.earliest, place.latest),
        "" if place.planned_seconds is None else show.duration(place.planned_seconds),
        f"kept for {show.until(place.claim_until)}" if reserved else place.reason,
    ]


def _turn(place: PlaceView, style: Style) -> str:
    told = f"It is the turn of {place.name}: {show.which_gpus(place.slots)}, kept for {show.until(place.claim_until)}."
    return f"{style('green', style.sign('✓', 'Now:'))} {told}"


def _others(queue: QueueView, *, users: bool) -> str:
    if not queue.waiting and not queue.reserved:
        return "Nobody waits for a GPU."
    if users:
        return f"{show.count(queue.waiting, 'waits', 'wait')}; it is the turn of {queue.reserved or 'nobody'}."
    if not queue.places:
        return f"Nothing of yours waits; of others {show.count(queue.others, 'does', 'do')}."
    return f"{queue.others or 'Nobody'} besides you."


def _next(queue: QueueView, *, users: bool) -> tuple[str, ...]:
    if users or not queue.places:
        return ("ds01 gpus",)
    turns = [place.name for place in queue.places if place.state == "reserved"]
    if turns:
        return f"ds01 claim {turns[0]}", f"ds01 cancel {turns[0]}"
    first = queue.places[0].name
    return f"ds01 why {first}", f"ds01 cancel {first}"
