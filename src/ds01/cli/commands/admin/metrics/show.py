"""``ds01 admin metrics show``: what ds01d measures, for Prometheus."""

from __future__ import annotations

import os

from ds01.cli.call import Call
from ds01.cli.files import put

EVERYBODY, GROUP = 0o644, 0o640


def run(call: Call, *, to: str | None, people: bool) -> int:
    """Print it, or put it in the place of a file in one step."""
    talk = call.talk
    if to is not None and talk.dry_run:
        talk.say(f"Would write the metrics to {to}.")
        return 0
    text = call.client.metrics(people=people)
    if to is None:
        talk.data(text.rstrip())
        return 0
    if people:
        put(to, text, mode=GROUP, group=_of_folder(to))
    else:
        put(to, text, mode=EVERYBODY)
    talk.done(f"{to} is written.")
    return 0


def _of_folder(path: str) -> int | None:
    """The group of the folder: that of the collector. None when there is no such folder; writing says so then."""
    folder = os.path.dirname(os.path.abspath(path))
    return os.stat(folder).st_gid if os.path.isdir(folder) else None
