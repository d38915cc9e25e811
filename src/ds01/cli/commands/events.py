"""``ds01 events``: the record, as it is or as it grows."""

from __future__ import annotations

from collections.abc import Iterator

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.style import wrap
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.domain.events import EventType, meant
from ds01.domain.names import nearest
from ds01.wire.status import EventView

LATEST = 100


def run(
    call: Call,
    *,
    follow: bool,
    since: str | None,
    type_: str | None,
    limit: int | None,
    user: str | None,
    all_: bool,
    to: str | None,
) -> int:
    """Print events, oldest first; with ``--follow`` until Ctrl-C. Or write all there are into a file."""
    _check(type_)
    if to is not None:
        from ds01.cli.exporting import alone, export

        alone(follow, limit)
        return export(call, to, since=since or "", kind=type_ or "", user=user or "", everybody=all_)
    seen = 0
    for event in _events(call, follow, since or "", type_ or "", limit or LATEST, user or "", all_):
        seen += 1
        _print(call, event)
    if not seen and not call.talk.json:
        call.talk.say("Nothing happened in that time." if since or type_ else "Nothing has happened yet.")
    if not call.talk.json:
        call.talk.next("ds01 why NAME", "ds01 events --follow")
    return 0


def _events(
    call: Call, follow: bool, since: str, kind: str, limit: int, user: str, everybody: bool
) -> Iterator[EventView]:
    past = call.client.events(since=since, kind=kind, limit=limit, user=user, everybody=everybody)
    yield from past
    if follow:
        after = past[-1].seq if past else 0
        yield from call.client.follow_events(after=after, since=since, kind=kind, user=user, everybody=everybody)


def _print(call: Call, event: EventView) -> None:
    if call.talk.json:
        call.talk.record(event)
        return
    style = call.talk.out
    told = f"{style('dim', show.clock(event.at))}  {event.text or event.type}"
    for line in wrap(told, style.width, hanging="  ") if style.cut else [told]:
        call.talk.data(line)
    call.talk.stdout.flush()


def _check(kind: str | None) -> None:
    if kind is None or meant(kind):
        return
    known = [each.value for each in EventType]
    nouns = list(dict.fromkeys(each.split(".")[0] for each in known))
    guess = nearest(kind, [*nouns, *known])
    raise Ds01Error(
        BAD_REQUEST, f"There is no event of type '{kind}'.", reason=f"Events are about: {', '.join(nouns)}.",
        hint=f"Did you mean '{guess}'?" if guess else "ds01 events --info",
    )  # fmt: skip
