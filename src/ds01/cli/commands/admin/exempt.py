"""``ds01 admin exempt``: lift limits of a user for a while."""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call
from ds01.domain.errors import BAD_REQUEST, Ds01Error


def run(call: Call, *, user: str, keys: list[str], until: str | None, reason: str | None) -> int:
    """Lift them, and say until when."""
    talk = call.talk
    if until is None or reason is None:
        missing = "until when" if until is None else "why"
        raise Ds01Error(
            BAD_REQUEST, f"Say {missing}.", hint=f"ds01 admin exempt {user} idle --until 3d --reason 'thesis deadline'"
        )
    if talk.dry_run:
        talk.say(f"Would lift {', '.join(keys)} for {user} until {show.clock(until)}.")
        return 0
    found = call.client.exempt(user, tuple(keys), until, reason)
    if talk.json:
        talk.emit(found)
        return 0
    talk.done(f"{', '.join(found.keys)} {'does' if len(found.keys) == 1 else 'do'} not hold for {found.login} until"
              f" {show.clock(found.until)}.")  # fmt: skip
    talk.next(f"ds01 limits --user {found.login}", "ds01 admin exemptions")
    return 0
