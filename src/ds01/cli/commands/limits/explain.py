"""``ds01 limits explain``: one limit, and the line it comes from."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.style import wrap


def run(call: Call, *, key: str, user: str | None) -> int:
    """Print it."""
    limit = call.client.limit(key, user=user or "")
    if call.talk.json:
        call.talk.emit(limit)
        return 0
    style = call.talk.out
    lines = [f"{style('bold', limit.key)} is {style('bold', limit.value)}"]
    lines += wrap(limit.meaning, style.width, indent="  ") if limit.meaning else []
    lines += wrap(f"It comes from {limit.source}.", style.width, indent="  ")
    for overruled in limit.overrules:
        lines += wrap(f"It overrules {overruled}.", style.width, indent="  ")
    for line in lines:
        call.talk.data(line)
    call.talk.next("ds01 limits", "ds01 status")
    return 0
