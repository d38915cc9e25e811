"""``ds01 claim``: take the GPUs that are kept for what waited, and get into it."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.commands.container.launch import step_in
from ds01.cli.launching import Launched
from ds01.cli.waiting import follow
from ds01.domain.errors import BAD_REQUEST, NO_REQUEST, Ds01Error


def run(call: Call, *, name: str | None, background: bool) -> int:
    """Launch it as it was asked for, then step in."""
    call.standing = "Nothing was launched; what is kept for you stays until its time is over."
    chosen = name or _only_one(call)
    if call.talk.dry_run:
        call.talk.say(f"{chosen} would be launched with the GPUs that are kept for it. Nothing was changed.")
        return 0
    event = follow(call, chosen, lambda: call.client.claim(chosen), stays=True)
    return step_in(call, Launched(container=event.container, new=True), background=background)


def _only_one(call: Call) -> str:
    """The one whose turn it is. Raises Ds01Error when there is none, or more than one."""
    places = call.client.queue().places
    turns = [place.name for place in places if place.state == "reserved"]
    if len(turns) == 1:
        return turns[0]
    if turns:
        raise Ds01Error(
            BAD_REQUEST, "Which one?", reason=f"It is the turn of {', '.join(turns)}.", hint=f"ds01 claim {turns[0]}"
        )
    raise Ds01Error(
        NO_REQUEST, "It is the turn of nothing of yours.",
        reason=f"{', '.join(place.name for place in places)} still waits." if places else "Nothing of yours waits.",
        hint="ds01 queue",
    )  # fmt: skip
