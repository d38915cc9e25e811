"""``ds01 container logs``: output to stdout, errors to stderr, byte by byte as they were written."""

from __future__ import annotations

import sys
from datetime import datetime

from ds01.cli import here
from ds01.cli.call import Call
from ds01.cli.shell import docker


def run(call: Call, *, name: str | None, follow: bool, tail: str | None, since: str | None, timestamps: bool) -> int:
    """Print the log, and stay with ``--follow``."""
    container = call.client.container(here.meant(call, name))
    call.standing = f"{container.name} goes on; only the log was left."
    pieces = docker(call).logs(
        container.id, follow=follow, tail=tail or "all", since=_stamp(since), timestamps=timestamps
    )  # fmt: skip
    nothing = True
    for kind, piece in pieces:
        stream = sys.stderr if kind == 2 else sys.stdout
        stream.buffer.write(piece)
        stream.buffer.flush()
        nothing = False
    if nothing and not follow:
        call.talk.say(f"{container.name} has written nothing.")
    return 0


def _stamp(since: str | None) -> str:
    """The engine counts seconds."""
    return f"{datetime.fromisoformat(since).timestamp():.3f}" if since else ""
