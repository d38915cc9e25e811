"""``ds01 container exit``: how to leave, for those who know the command of old and look for it outside."""

from __future__ import annotations

from ds01.cli import here, show
from ds01.cli.call import Call


def run(call: Call, *, name: str | None) -> int:
    """Say how to leave and what stays; change nothing."""
    talk = call.talk
    talk.data("To leave a container, type 'exit' or press Ctrl-D in its shell. It goes on without you.")
    container = call.client.container(here.meant(call, name))
    gpus = show.gpus(container)
    talk.data(f"{container.name} is {container.state}{f' and holds GPU {gpus}' if gpus else ''}.")
    talk.next(f"ds01 stop {container.name}", f"ds01 retire {container.name} when you are done")
    return 0
