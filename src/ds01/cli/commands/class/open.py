"""``ds01 class open``: book seats for everybody on a roster."""

from __future__ import annotations

import os

from ds01.cli import dates, show
from ds01.cli.call import Call
from ds01.domain.bookings import roster as rosters
from ds01.domain.errors import BAD_REQUEST, BAD_ROSTER, Ds01Error
from ds01.wire.classes import ClassOpened, ClassRequest, RosterLine

MOST_BYTES = 1024**2


def run(
    call: Call, *, name: str, roster: str | None, seats: int | None, gpus: str | None, mem: int | None,
    from_: str | None, for_: int | None, to: str | None, every: str | None, until: str | None, image: str | None,
    keep: int | None,
) -> int:  # fmt: skip
    """Read the roster here, as the user; ds01d knows its people."""
    if roster is None or from_ is None:
        missing = "--roster roster.csv" if roster is None else "--from 'Tue 10:00' --for 2h"
        raise Ds01Error(BAD_REQUEST, "Who comes?" if roster is None else "When?", hint=f"Add {missing}.")
    if bool(every) != bool(until):
        raise Ds01Error(
            BAD_REQUEST, "A weekly class has an end." if every else "--until is for a weekly class.",
            hint="--every week --until 2026-12-18" if every else "Say how long it is with --for 2h, or --to 12:00.",
        )  # fmt: skip
    entries = rosters.read(_text(roster), os.path.basename(roster))
    opened = call.client.open_class(
        ClassRequest(
            name=name, begins=from_, roster=tuple(RosterLine(line=one.line, login=one.login) for one in entries),
            roster_file=os.path.basename(roster), length_seconds=for_, ends=to or "", seats=seats, gpus=gpus or "1",
            memory_bytes=mem or 0, image=image or "", until=until or "", keep_seconds=keep,
            check_only=call.talk.dry_run,
        )
    )  # fmt: skip
    if call.talk.json:
        call.talk.emit(opened)
        return 0
    _say(call, name, opened)
    return 0


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Ds01Error(
            BAD_ROSTER, f"The roster '{path}' cannot be read.", reason=f"{error.strerror}.", hint=f"ls -l {path}"
        ) from error
    try:
        if len(data) <= MOST_BYTES:
            return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        why = "it is no UTF-8 text; save it as CSV (UTF-8)"
    else:
        why = "it is larger than 1M; that is no roster"
    raise Ds01Error(BAD_ROSTER, f"The roster '{path}' cannot be read.", reason=f"{why}.", hint=rosters.HINT)


def _say(call: Call, name: str, opened: ClassOpened) -> None:
    talk, first = call.talk, opened.dates[0]
    told = f"{first.asked}, {dates.span(first)}"
    if talk.dry_run:
        talk.say(f"{name} can be opened: {told}, for {show.count(opened.people, 'person', 'people')}.")
    else:
        talk.done(f"{name} is open: {told}, for {show.count(opened.people, 'person', 'people')}.")
    if len(opened.dates) > 1:
        rest = opened.dates[1:]
        talk.say(f"  {dates.more(rest)}")
    talk.say(f"  The image {opened.image} is on the server.")
    for note in opened.notes:
        talk.warn(note)
    if talk.dry_run:
        talk.say("Nothing was booked.")
        return
    talk.say(f"  Tell them to type this when it begins: ds01 launch {name}")
    talk.next(f"ds01 class show {name}", f"ds01 class close {name}")
