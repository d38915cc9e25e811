"""``ds01 why``: a container's story."""

from __future__ import annotations

from ds01.cli import here, show
from ds01.cli.call import Call
from ds01.cli.style import wrap
from ds01.cli.table import pairs
from ds01.wire.containers import WhyView


def run(call: Call, *, name: str | None, user: str | None) -> int:
    """Print the summary and the timeline."""
    here.whose(call, user)
    story = call.client.why(here.meant(call, name), user=call.user)
    if call.talk.json:
        call.talk.emit(story)
        return 0
    style = call.talk.out
    lines = [*wrap(story.summary, style.width)]
    if story.place is not None and story.place.instead:
        lines += ["", style("cyan", "Would start now")]
        verb = "ds01 run" if story.job else f"ds01 launch {story.name}"
        lines += pairs([(f"{verb} {one.flags}", one.what) for one in story.place.instead], style)
    if story.entries:
        lines += ["", style("cyan", "What happened")]
        lines += pairs([(show.clock(entry.at), entry.what) for entry in story.entries], style)
    for line in lines:
        call.talk.data(line)
    call.talk.next(*(_for_another(story, call) if call.user else _next(story, call)))
    return 0


def _for_another(story: WhyView, call: Call) -> tuple[str, ...]:
    """What an admin can do with somebody else's."""
    if story.state == "running":
        return f"ds01 logs {story.name}{call.whose}", f"ds01 stop {story.name}{call.whose}"
    return ("ds01 list --everybody",)


def _next(story: WhyView, call: Call) -> tuple[str, ...]:
    if story.job:
        ended = story.state == "ended"
        return ("ds01 runs", f"ds01 job show {story.name}" if ended else f"ds01 cancel {story.name}")
    if story.place is not None:
        now = "claim" if story.place.state == "reserved" else "queue"
        return (f"ds01 claim {story.name}" if now == "claim" else "ds01 queue"), f"ds01 cancel {story.name}"
    if story.state == "running":
        return f"ds01 attach {story.name}", f"ds01 logs {story.name}"
    if story.state == "removed":
        return here.again(call, story.name, story.project, story.door) or ("ds01 list --all",)
    ends = [entry.detail for entry in story.entries if entry.detail]
    if ends and ends[-1].startswith(("idle", "runtime")):
        return f"ds01 undo {story.name}", f"ds01 retire {story.name}"
    verb = "start" if here.by_docker(story.door) else "launch"
    return f"ds01 {verb} {story.name}", f"ds01 retire {story.name}"
