"""``ds01 container extend``: more running time."""

from __future__ import annotations

from ds01.cli import here, reads, show
from ds01.cli.call import Call
from ds01.domain.errors import BAD_REQUEST, Ds01Error


def run(call: Call, *, name: str | None, by: int | None, user: str | None, reason: str | None) -> int:
    """Add the time, and say until when it may run now."""
    here.whose(call, user, reason)
    talk = call.talk
    name, by = _meant(name, by)
    if by is None:
        raise Ds01Error(BAD_REQUEST, "By how much?", hint=f"ds01 extend {name or 'NAME'} 4h{call.whose}")
    wanted = here.meant(call, name)
    if talk.dry_run:
        container = call.client.container(wanted, user=call.user)
        left = show.left(container.runtime_left_seconds)
        talk.say(
            f"Would add {show.duration(by)} to the time {wanted} may run" + (f"; {left} are left." if left else ".")
        )
        return 0
    result = call.client.extend(wanted, by, user=call.user, reason=call.reason)
    if talk.json:
        talk.emit(result)
        return 0
    ends = f" It may run until {show.clock(result.ends_at)}." if result.ends_at else ""
    talk.done(f"{wanted} may run {show.duration(result.added_seconds)} longer.{ends}")
    more = f"{show.duration(result.more_seconds)} more" if result.more_seconds else "no more"
    talk.say(f"It was extended by {show.duration(result.total_seconds)} in all; {more} can be added.")
    talk.next(f"ds01 why {wanted}{call.whose}", f"ds01 list{call.whose}")
    return 0


def _meant(name: str | None, by: int | None) -> tuple[str | None, int | None]:
    """``ds01 extend 4h`` is about the container of the project one stands in."""
    if by is not None or name is None:
        return name, by
    try:
        return None, reads.seconds(name)
    except ValueError:
        return name, by
