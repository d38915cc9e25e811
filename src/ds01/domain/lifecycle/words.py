"""What a notice says: what happens to which container, when, why, and how to prevent it.

The title is one line that says enough by itself, once ``domain.headline`` has put the moment into it; the text has the
rest, with the commands on lines of their own. The text is kept as it is, so it tells since when and never for how long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ds01.domain.headline import WHEN, hour, moment
from ds01.domain.lifecycle.case import Act, Due, Rule
from ds01.domain.quantity import show_duration, show_size


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known about a container that something will happen to. Times are in the server's zone; ``acts_at`` is
    when, as things are ``now``.

    ``usual`` is the idle limit without the server being busy; ``asked`` says that its owner's own plan ends it and not
    her limit; ``extend_left`` is what she may still add. ``booked`` is what its GPU is of and goes back
    with: ``booking``, or ``class``, which takes the container with it. A ``job`` starts anew. What came through
    ``docker`` no launch makes anew; it ``goes`` with its end when it was started with ``--rm``.
    """

    name: str
    due: Due
    now: datetime
    acts_at: datetime
    lasted: timedelta
    gpu: bool = True
    usual: timedelta | None = None
    gpu_memory_bytes: int = 0
    asked: bool = False
    grace: timedelta = timedelta(0)
    gpu_hold: timedelta = timedelta(0)
    container_hold: timedelta | None = None
    workspace: str = ""
    keep_max: timedelta = timedelta(0)
    extend_left: timedelta = timedelta(0)
    booked: str = ""
    job: bool = False
    docker: bool = False
    goes: bool = False


def title(facts: Facts) -> str:
    """One line: ``thesis stops {when}, unless it is used``."""
    verb = "is removed" if facts.due.act is Act.REMOVE else "stops"
    why = f": its {facts.booked} is over" if facts.booked else ""
    return f"{facts.name} {verb} {WHEN}{why or _TITLES[facts.due.rule]}"


_TITLES = {
    Rule.IDLE: ", unless it is used",
    Rule.PAUSED: ": it is paused and keeps a GPU",
    Rule.RUNTIME: ": its time is over",
    Rule.CONTAINER_HOLD: ", unless it is started",
    Rule.NEVER_STARTED: ", unless it is started",
    Rule.YIELDING: ": somebody else is to have its GPU",
}


def text(facts: Facts) -> str:
    """Why, what becomes of it, and what to type."""
    why = _WHY[facts.due.rule](facts)
    return "\n".join([why, _becomes(facts), "", *ways(_WAYS[facts.due.rule](facts))])


def _since(facts: Facts) -> str:
    """Since when it has been so: ``15:13 CET``, with the day when that is not today."""
    return moment(facts.now - facts.lasted, facts.now, facts.now.tzinfo or UTC)


def _had_run(facts: Facts) -> str:
    return f"it had run for {_short(facts.lasted)} at {hour(facts.now)}"


def _short(value: timedelta) -> str:
    """To the minute when it is long, as people say it."""
    step = 60 if value >= timedelta(minutes=3) else 1
    return show_duration(timedelta(seconds=round(value.total_seconds() / step) * step))


def _idle(facts: Facts) -> str:
    busy = ""
    if facts.usual is not None and facts.usual > facts.due.limit:
        busy = f" (shortened from {show_duration(facts.usual)}: the server is busy)"
    said = f"Its GPU, processors and network have done nothing since {_since(facts)}; it may idle for"
    memory = ""
    if facts.gpu_memory_bytes:
        memory = f" It holds {show_size(facts.gpu_memory_bytes)} of GPU memory, but holding it is not using it."
    return f"{said} {show_duration(facts.due.limit)}{busy}.{memory}"


def _paused(facts: Facts) -> str:
    return (
        f"It has been paused since {_since(facts)} and keeps its GPU from others; it may do so for "
        f"{show_duration(facts.due.limit)}."
    )


def _runtime(facts: Facts) -> str:
    if facts.booked:
        return f"Its GPU is booked until then; {_had_run(facts)}."
    whose = "it was launched for" if facts.asked else f"a container{' with a GPU' if facts.gpu else ''} may run"
    return f"I{_had_run(facts)[1:]}, of the {_short(facts.due.limit)} that {whose}, restarts included."


def _hold(facts: Facts) -> str:
    kept = show_duration(facts.due.limit)
    return f"It has been stopped since {_since(facts)}; a stopped container is kept for {kept}."


def _never(facts: Facts) -> str:
    since = _since(facts)
    return f"It was made {'at ' if since[0].isdigit() else 'on '}{since} and was never started."


def _yielding(facts: Facts) -> str:
    return (
        "What your group runs gives way to others (preemptible), and somebody waits for what it has, or has it booked."
    )


_WHY = {
    Rule.IDLE: _idle,
    Rule.PAUSED: _paused,
    Rule.RUNTIME: _runtime,
    Rule.CONTAINER_HOLD: _hold,
    Rule.NEVER_STARTED: _never,
    Rule.YIELDING: _yielding,
}


def _becomes(facts: Facts) -> str:
    """What the stop or the removal does, and what stays."""
    files = f"your files in {facts.workspace} stay" if facts.workspace else "its image stays"
    if facts.due.rule in (Rule.CONTAINER_HOLD, Rule.NEVER_STARTED):
        return f"What is in it outside /workspace goes with it; {files}."
    if facts.booked == "class":
        return (
            f"Its programs get SIGTERM and {show_duration(facts.grace)} to save what they have. Then the container "
            f"goes with the class, and what is in it outside /workspace too; {files}."
        )
    if facts.goes:
        return (
            f"Its programs get SIGTERM and {show_duration(facts.grace)} to save what they have. It was started with "
            f"--rm: then it is removed, and what is in it outside its mounts too; {files}."
        )
    if facts.due.rule is Rule.YIELDING:
        return f"Its programs get SIGTERM and {show_duration(facts.grace)} to save what they have. {_then(facts.job)}"
    kept = "for ever" if facts.container_hold is None else f"for {show_duration(facts.container_hold)}"
    held = f" and its GPU for {show_duration(facts.gpu_hold)}{_unless(facts.due)}"
    gpu = held if facts.gpu and not facts.booked else ""
    return (
        f"Its programs get SIGTERM and {show_duration(facts.grace)} to save what they have. Then the container is kept "
        f"{kept}{gpu}; {files}."
    )


def _unless(due: Due) -> str:
    """What ends the hold of a GPU sooner: past the time it was given for it is kept from nobody."""
    return " unless somebody else is to have it" if due.firm else ""


def _then(job: bool) -> str:
    """What becomes of work that yielded."""
    if job:
        return "Then the job waits for its next turn and starts again from its beginning; its files stay."
    return "Then its GPU goes to them; the container and your files stay."


def ways(listed: Sequence[tuple[str, str]]) -> list[str]:
    """Commands on lines of their own, with what each does."""
    width = max(len(command) for command, _ in listed)
    return [f"  {command:<{width}}  {does}" for command, does in listed]


EXEMPTION = ("ask an admin", "to lift it for a while: ds01 admin exempt")
"""The way out of every limit that one can lift."""


def _idle_ways(facts: Facts) -> list[tuple[str, str]]:
    most = show_duration(facts.keep_max)
    touch = [("touch /workspace/.keep-alive", f"the same from inside, good for {most}")] if facts.workspace else []
    return [
        (f"ds01 keep {facts.name} --for 2h", f"let it idle longer (at most {most})"),
        *touch,
        EXEMPTION,
        (f"ds01 retire {facts.name}", "if you are done: frees the GPU now"),
    ]


def _paused_ways(facts: Facts) -> list[tuple[str, str]]:
    return [
        (f"ds01 unpause {facts.name}", "let it go on"),
        (f"ds01 keep {facts.name} --for 2h", f"leave it paused longer (at most {show_duration(facts.keep_max)})"),
        EXEMPTION,
        (f"ds01 retire {facts.name}", "if you are done: frees the GPU now"),
    ]


def _runtime_ways(facts: Facts) -> list[tuple[str, str]]:
    done = (f"ds01 retire {facts.name}", f"if you are done{': frees the GPU now' if facts.gpu else ''}")
    if facts.booked:
        return [done]
    if facts.extend_left < timedelta(minutes=1):
        lifted = "" if facts.asked else ": ds01 admin exempt"
        return [("ask an admin", f"for more time{lifted}; {facts.name} cannot be extended further"), done]
    some = min(timedelta(hours=4), facts.extend_left)
    shown = show_duration(timedelta(minutes=int(some.total_seconds() // 60)))
    longer = (f"ds01 extend {facts.name} {shown}", f"run longer (at most {_short(facts.extend_left)} more)")
    return [longer, ("ask an admin", "for more than that") if facts.asked else EXEMPTION, done]


def _yielding_ways(facts: Facts) -> list[tuple[str, str]]:
    if facts.job:
        return [(f"ds01 job show {facts.name}", "how it goes on")]
    done = (f"ds01 retire {facts.name}", "if you are done: frees the GPU now")
    return [done] if facts.goes else [_again(facts.name, docker=facts.docker), done]


def _again(name: str, *, docker: bool) -> tuple[str, str]:
    """How work that yielded goes on."""
    verb = f"start {name}" if docker else f"launch {name} --wait"
    return f"ds01 {verb}", "go on when a GPU is free again"


def _hold_ways(facts: Facts) -> list[tuple[str, str]]:
    held = facts.due.rule is Rule.CONTAINER_HOLD
    return [
        (f"ds01 start {facts.name}", "use it again"),
        *([EXEMPTION] if held else []),
        (f"ds01 retire {facts.name}", "see what would be lost, keep what you want of it"),
    ]


_WAYS = {
    Rule.IDLE: _idle_ways,
    Rule.PAUSED: _paused_ways,
    Rule.RUNTIME: _runtime_ways,
    Rule.CONTAINER_HOLD: _hold_ways,
    Rule.NEVER_STARTED: _hold_ways,
    Rule.YIELDING: _yielding_ways,
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was done. ``killed`` says that its programs did not end by themselves within ``grace``; ``on_stop`` how its
    command of the project file went; ``held_until`` until when its GPU is kept; ``gone`` that nothing of it is left;
    ``docker`` as in ``Facts``. ``packages`` were added by hand: ``noted`` is the file that has them now, or ``problem``
    says why there is none.
    """

    name: str
    due: Due
    at: datetime
    killed: bool = False
    grace: timedelta = timedelta(0)
    on_stop: str = ""
    held_until: datetime | None = None
    workspace: str = ""
    packages: str = ""
    noted: str = ""
    problem: str = ""
    booked: str = ""
    job: bool = False
    gone: bool = False
    docker: bool = False


def done_title(outcome: Outcome) -> str:
    """One line about what was done."""
    if outcome.booked:
        return f"{outcome.name} was stopped {WHEN}: its {outcome.booked} is over"
    verb = "was removed" if outcome.due.rule in (Rule.CONTAINER_HOLD, Rule.NEVER_STARTED) else "was stopped"
    return f"{outcome.name} {verb} {WHEN}: {_DONE[outcome.due.rule].format(_limit(outcome.due))}"


_DONE = {
    Rule.IDLE: "idle for {}",
    Rule.PAUSED: "paused with a GPU for {}",
    Rule.RUNTIME: "it ran for {}",
    Rule.CONTAINER_HOLD: "stopped for {}",
    Rule.NEVER_STARTED: "not started for {}",
    Rule.YIELDING: "somebody else was to have its GPU",
}


def _limit(due: Due) -> str:
    return due.detail.removesuffix(", paused")


def done_text(outcome: Outcome) -> str:
    """What became of its programs and files, and how to go on. ``booked`` as in ``Facts``."""
    files = f"Your files in {outcome.workspace} stay." if outcome.workspace else "Its image stays."
    if outcome.due.rule in (Rule.CONTAINER_HOLD, Rule.NEVER_STARTED):
        again = ("ds01 list", "what you have") if outcome.docker else (f"ds01 launch {outcome.name}", "make it again")
        return "\n".join([f"{files}{_packages(outcome)}", "", *ways([again])])
    saved = "Its programs ended by themselves."
    if outcome.killed:
        saved = f"Its programs did not end within {show_duration(outcome.grace)} and were killed."
    if outcome.gone:
        went = f"{outcome.on_stop} {saved} It was started with --rm and is gone with its end. {files}".strip()
        return "\n".join([went, "", *ways([(f"ds01 why {outcome.name}", "the whole story")])])
    if outcome.due.rule is Rule.YIELDING:
        listed = [(f"ds01 why {outcome.name}", "the whole story")]
        if not outcome.job:
            listed.insert(0, _again(outcome.name, docker=outcome.docker))
        return "\n".join([f"{outcome.on_stop} {saved} {_then(outcome.job)}".strip(), "", *ways(listed)])
    gpu = f" Its GPU is kept for it until {_held(outcome)}{_unless(outcome.due)}." if outcome.held_until else ""
    if outcome.booked == "class":
        return f"{outcome.on_stop} {saved} The container goes with the class. {files}".strip()
    listed = [
        (f"ds01 undo {outcome.name}", "start it again, with its files as they were"),
        (f"ds01 why {outcome.name}", "the whole story"),
    ]
    said = f"{outcome.on_stop} {saved}".strip()
    return "\n".join([f"{said}{gpu}", "", *ways(listed)])


def _held(outcome: Outcome) -> str:
    return moment(outcome.held_until or outcome.at, outcome.at, outcome.at.tzinfo or UTC)


def _packages(outcome: Outcome) -> str:
    if not outcome.packages:
        return ""
    if outcome.noted:
        return f" Packages you had added by hand are noted in {outcome.noted}: {outcome.packages}."
    return f" Packages you had added by hand: {outcome.packages}." + (f" {outcome.problem}" if outcome.problem else "")
