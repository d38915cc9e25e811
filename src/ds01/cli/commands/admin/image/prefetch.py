"""``ds01 admin image prefetch``: the catalogue's bases, fetched before anybody waits for one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.progress import Line
from ds01.cli.shell import gateway
from ds01.client.docker import Docker
from ds01.domain.errors import BUILD_FAILED, NO_IMAGE, Ds01Error
from ds01.domain.names import nearest
from ds01.projects.diagnosis import diagnose
from ds01.projects.pulling import Pulling
from ds01.wire.images import BaseView, PrefetchView

BUILT_HERE = "ds01/"
"""Bases that come from no registry."""


def run(call: Call, *, names: Sequence[str], again: bool, engine: str | None) -> int:
    """Fetch what is missing, one after the other; one that cannot be fetched keeps no other from it."""
    socket = _socket(call, engine)
    bases = _meant(call.client.build_settings().bases, names)
    wanted = [base for base in bases if (again or not base.here) and not base.reference.startswith(BUILT_HERE)]
    for base in bases:
        if base not in wanted:
            call.talk.say(f"{base.name} {_state(base)}")
    if call.talk.dry_run:
        call.talk.say("Would be fetched:" if wanted else "Nothing would be fetched.")
        _list(call, wanted)
        return 0
    if wanted and not names and not _agreed(call, wanted):
        call.talk.say("Nothing was fetched.")
        return 0
    views = [_fetched(call, socket, base) for base in wanted]
    if call.talk.json:
        call.talk.emit(views)
    failed = [view for view in views if view.problem]
    call.talk.next("ds01 image bases", "ds01 doctor")
    return BUILD_FAILED.exit if failed else 0


def _socket(call: Call, engine: str | None) -> str:
    """Where to fetch them: who reaches the engine itself is root, for whom the gateway writes no images."""
    from ds01.install.paths import ENGINE

    return engine or (ENGINE if os.access(ENGINE, os.W_OK) else gateway(call))


def _meant(bases: Sequence[BaseView], names: Sequence[str]) -> list[BaseView]:
    known = {base.name: base for base in bases}
    for name in names:
        if name not in known:
            near = nearest(name, known)
            raise Ds01Error(
                NO_IMAGE, f"There is no base '{name}' in the catalogue.",
                reason=f"Did you mean '{near}'?" if near else f"It has: {', '.join(known)}.",
                hint="Add it to images.bases in the limits file.",
            )  # fmt: skip
    return [known[name] for name in names] if names else list(bases)


def _agreed(call: Call, wanted: Sequence[BaseView]) -> bool:
    """Whoever names no base may not know how large they are all together: it is said, and asked."""
    call.talk.say("To fetch:")
    _list(call, wanted)
    whole = show.size(sum(base.size_bytes for base in wanted))
    more = "" if all(base.size_bytes for base in wanted) else " or more"
    question = f"Fetch {show.count(len(wanted), 'base')}, {whole}{more} on the engine's disk?"
    return call.talk.confirm(question, default=True, flag="--yes, or the names of bases")


def _list(call: Call, wanted: Sequence[BaseView]) -> None:
    for base in wanted:
        size = show.size(base.size_bytes) if base.size_bytes else "size unknown"
        call.talk.say(f"  {base.name}  {base.reference}  {size}")


def _state(base: BaseView) -> str:
    if base.here:
        return f"is here ({show.size(base.size_bytes)})."
    return "is built on this server, and is not here: see ds01 doctor."


def _fetched(call: Call, socket: str, base: BaseView) -> PrefetchView:
    """Fetch one, telling how it goes."""
    call.standing = f"{base.name} was not fetched whole; what is here of it is used the next time."
    line = Line(call.talk)
    line.show(f"Fetching {base.name}")
    try:
        problem = _pull(socket, base, line)
    finally:
        line.clear()
    if problem:
        call.talk.warn(f"{base.name} was not fetched: {problem}")
    else:
        call.talk.done(f"{base.name} is here ({base.reference}).")
    return PrefetchView(name=base.name, reference=base.reference, problem=problem)


def _pull(socket: str, base: BaseView, line: Line) -> str:
    """The problem, in a sentence; ``""`` when it is here."""
    pulling = Pulling()
    try:
        with closing(Docker(socket).pull(base.reference)) as messages:
            for message in messages:
                if "error" in message:
                    return f"{diagnose((), str(message['error'])).cause}."
                far = pulling.heard(message) or str(message.get("status", ""))
                line.keep(f"Fetching {base.name}: {far}")
    except Ds01Error as error:
        return f"{diagnose((), error.problem.message).cause}."
    return ""
