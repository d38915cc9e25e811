"""``ds01 admin door close``: the way past the gateway is closed again."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.client.admin import Admin


def run(call: Call) -> int:
    """Close it."""
    closed = Admin(call.client.socket).close_glass()
    if call.talk.json:
        call.talk.emit(closed)
        return 0
    call.talk.done("Your way past the gateway is closed. What runs on it goes on; new requests are refused.")
    call.talk.next("unset DOCKER_HOST", "ds01 events --all --type door.glass")
    return 0
