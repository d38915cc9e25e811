"""``ds01 container keep``: leave to idle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ds01.cli import here, show
from ds01.cli.call import Call
from ds01.domain.errors import BAD_REQUEST, Ds01Error


def run(
    call: Call, *, name: str | None, until: str | None, for_: int | None, user: str | None, reason: str | None
) -> int:
    """Keep it, and say until when."""
    here.whose(call, user, reason)
    talk = call.talk
    wanted = here.meant(call, name)
    moment = _moment(wanted, until, for_)
    if talk.dry_run:
        talk.say(f"Would let {wanted} idle until {show.clock(moment)}.")
        return 0
    result = call.client.keep(wanted, moment, user=call.user, reason=call.reason)
    if talk.json:
        talk.emit(result)
        return 0
    talk.done(f"{wanted} is not stopped for idling before {show.clock(result.until)}.")
    left = show.left(result.container.runtime_left_seconds)
    if left:
        talk.say(f"Its running time goes on: {left} left.")
    done = f"ds01 why {wanted}{call.whose}" if call.user else f"ds01 retire {wanted} when you are done"
    talk.next(done, f"ds01 list{call.whose}")
    return 0


def _moment(name: str, until: str | None, for_: int | None) -> str:
    if (until is None) == (for_ is None):
        raise Ds01Error(
            BAD_REQUEST, "Until when?" if until is None else "Either --for or --until, not both.",
            hint=f"ds01 keep {name} --for 2h",
        )  # fmt: skip
    if until is not None:
        return until
    return (datetime.now(UTC) + timedelta(seconds=for_ or 0)).isoformat(timespec="seconds")
