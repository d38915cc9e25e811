"""``ds01 notices show``: what DS01 told you."""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.notices import drawn
from ds01.cli.style import wrap
from ds01.wire.lifecycle import NoticeView


def run(call: Call, *, all_: bool) -> int:
    """Print them, the latest last."""
    talk = call.talk
    call.client.unseen_notices()
    found = call.client.notices(past=all_)
    if talk.json:
        talk.emit(found)
        return 0
    for index, notice in enumerate(found):
        for line in [*([""] if index else []), *drawn(notice, talk.out), *_reached(call, notice)]:
            talk.data(line)
    if not found:
        talk.say("There is nothing you should know." if not all_ else "You were never told anything.")
    talk.next("ds01 notices set", *([] if all_ else ["ds01 notices --all"]))
    return 0


def _reached(call: Call, notice: NoticeView) -> list[str]:
    """When it was said, and by what."""
    ways = ", ".join(f"{channel} ({where})" for channel, where in notice.reached.items())
    said = f"Told {show.clock(notice.delivered_at or notice.at)}" + (f" by {ways}." if ways else ".")
    style = call.talk.out
    return [style("dim", line) for line in wrap(said, style.width, indent="  ")]
