"""``ds01 admin fence down``: the rules out of the firewall."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.client.admin import Admin
from ds01.domain.errors import BAD_REQUEST, Ds01Error

SURE = "Users' networks will reach each other, and this server. Take the fence down?"


def run(call: Call) -> int:
    """Take it down."""
    if not call.talk.confirm(SURE, default=False):
        raise Ds01Error(BAD_REQUEST, "The fence stays.")
    found = Admin(call.client.socket).fence_down()
    if call.talk.json:
        call.talk.emit(found)
        return 0
    call.talk.warn("The fence is down, and stays down until 'ds01 admin fence up'. ds01 doctor fails meanwhile.")
    call.talk.next("ds01 admin fence up")
    return 0
