"""``ds01 book``: GPUs for a time that is said beforehand."""

from __future__ import annotations

from ds01.cli import dates
from ds01.cli.call import Call
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.wire.bookings import Booked, BookRequest


def run(
    call: Call, *, gpus: str, from_: str | None, for_: int | None, to: str | None, count: int | None, mem: int | None,
    every: str | None, until: str | None, for_group: str | None, name: str | None, user: str | None,
) -> int:  # fmt: skip
    """Book, and say all dates of it."""
    if from_ is None:
        raise Ds01Error(BAD_REQUEST, "When?", hint=f"ds01 book {gpus} --from 'Tue 10:00' --for 2h")
    if bool(every) != bool(until):
        raise Ds01Error(
            BAD_REQUEST, "A weekly booking has an end." if every else "--until is for a weekly booking.",
            hint="--every week --until 2026-12-18" if every else "Say how long it is with --for 2h, or --to 12:00.",
        )  # fmt: skip
    request = BookRequest(
        begins=from_, length_seconds=for_, ends=to or "", gpus=gpus, count=count or 1, memory_bytes=mem or 0,
        name=name or "", group=for_group or "", until=until or "", check_only=call.talk.dry_run,
    )  # fmt: skip
    booked = call.client.book(request, user=user or "")
    if call.talk.json:
        call.talk.emit(booked)
        return 0
    say(call, booked)
    return 0


def say(call: Call, booked: Booked) -> None:
    """What was booked, when, and what to do then."""
    talk, first = call.talk, booked.dates[0]
    whom = f" for the group {first.people}" if first.kind == "group" else ""
    told = f"{first.asked}{whom}, {dates.span(first)}"
    if talk.dry_run:
        talk.say(f"This can be booked: {told}. Nothing was booked.")
    else:
        talk.done(f"Booked as {first.name}: {told}.")
    if len(booked.dates) > 1:
        rest = booked.dates[1:]
        talk.say(f"  {dates.more(rest)}")
    if not talk.dry_run:
        talk.say("  Launch when it begins: the GPUs are yours at once, and go back if nobody comes.")
        talk.next("ds01 bookings", f"ds01 bookings cancel {first.name}")
