"""Events as a file: all that are meant, asked for page by page, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.files import create
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.wire.codec import plain
from ds01.wire.pages import ROWS
from ds01.wire.status import EventView


def export(call: Call, to: str, *, since: str, kind: str, user: str, everybody: bool) -> int:
    """Write them, a line of JSON each, into a new file for oneself alone. Raises Ds01Error."""
    talk = call.talk
    if talk.dry_run:
        talk.say(f"Would write the events to {to}.")
        return 0
    count = 0
    with talk.step("Writing the events"), create(to, mode=0o600) as file:
        for event in pages(call, since=since, kind=kind, user=user, everybody=everybody):
            file.write(json.dumps(plain(event), ensure_ascii=False) + "\n")
            count += 1
    talk.done(f"{to} is written, for you alone: {show.count(count, 'event')}.")
    talk.next("ds01 admin events verify" if everybody else "ds01 why NAME")
    return 0


def pages(call: Call, *, since: str, kind: str, user: str, everybody: bool, size: int = ROWS) -> Iterator[EventView]:
    """Every event, in order, asked for ``size`` at a time. What is older than ``since`` is so for the first page alone:
    what comes after it is later, and a time that was told as 2h would move meanwhile.
    """
    after = 0
    while True:
        found = call.client.events(
            after=after, since="" if after else since, kind=kind, limit=size, user=user, everybody=everybody
        )
        yield from found
        if len(found) < size:
            return
        after = found[-1].seq


def alone(follow: bool, limit: int | None) -> None:
    """What a file is not for. Raises Ds01Error."""
    if follow or limit:
        raise Ds01Error(
            BAD_REQUEST, f"--to writes all events there are, so it goes without {'--follow' if follow else '--limit'}.",
            hint="ds01 events --to FILE --since 7d, or ds01 events --follow --json",
        )  # fmt: skip
