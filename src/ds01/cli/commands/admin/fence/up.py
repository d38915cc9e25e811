"""``ds01 admin fence up``: the rules back in the firewall."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.client.admin import Admin


def run(call: Call) -> int:
    """Put it up."""
    found = Admin(call.client.socket).fence_up()
    if call.talk.json:
        call.talk.emit(found)
        return 0
    call.talk.done("The fence around users' networks stands, and ds01d keeps it.")
    call.talk.next("ds01 doctor")
    return 0
