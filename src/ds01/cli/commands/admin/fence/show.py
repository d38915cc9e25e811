"""``ds01 admin fence``: whether the rules stand."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.client.admin import Admin


def run(call: Call) -> int:
    """Say it; 1 when they do not stand."""
    found = Admin(call.client.socket).fence()
    if call.talk.json:
        call.talk.emit(found)
    elif found.down:
        call.talk.warn("The fence was taken down: users' networks reach each other and this server.")
    elif found.missing:
        call.talk.warn(f"The fence does not stand: {found.missing}. ds01d puts it up within seconds.")
    else:
        call.talk.done("The fence around users' networks stands.")
    if not call.talk.json:
        call.talk.next("ds01 admin fence up" if found.down else "ds01 doctor")
    return int(found.down or bool(found.missing))
