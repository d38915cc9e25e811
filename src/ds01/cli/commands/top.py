"""``ds01 top``: the live view, and what its keys wish for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ds01.cli import failures
from ds01.cli.call import Call
from ds01.cli.commands.container import attach, retire
from ds01.domain.errors import BAD_REQUEST, Ds01Error

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from ds01.tui.top import Wish


def run(call: Call) -> int:
    """Show it; leave it for a shell or a question, and come back."""
    _check(call)
    from ds01.tui.top import view

    call.client.ping()
    chosen = told = ""
    while True:
        with _colours(call):
            wish = view(call.client, call.talk.out, chosen=chosen, told=told)
        if wish is None:
            return 0
        chosen, told = wish.name, _granted(call, wish)


@contextmanager
def _colours(call: Call) -> Iterator[None]:
    """The view reads from the environment whether it may use colours, and takes it out there."""
    before = os.environ.get("NO_COLOR")
    if not call.talk.out.colour:
        os.environ["NO_COLOR"] = "1"
    yield
    if before is not None:
        os.environ["NO_COLOR"] = before


def _check(call: Call) -> None:
    talk = call.talk
    there = talk.stdin.isatty() and talk.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    if not there or talk.out.plain or talk.no_input:
        raise Ds01Error(
            BAD_REQUEST, "The live view needs a terminal that can draw.",
            reason="ds01 status is the still picture, and has --json and --plain.", hint="ds01 status",
        )  # fmt: skip


def _granted(call: Call, wish: Wish) -> str:
    """Do it as the command of that name would; what to say at the bottom of the view then."""
    verbs: dict[str, Callable[[], int]] = {
        "attach": lambda: attach.run(call, name=wish.name),
        "retire": lambda: retire.run(
            call, name=wish.name, keep_packages=False, rescue=False, force=False, user=None, reason=None
        ),
    }
    try:
        verbs[wish.verb]()
    except Ds01Error as error:
        failures.tell(error.problem, call.talk)
    except KeyboardInterrupt:
        return call.standing or "Nothing was done."
    else:
        if wish.verb == "attach":
            return ""
    return _read(call)


def _read(call: Call) -> str:
    """What was said stays until she has read it."""
    try:
        call.talk.ask("Enter goes back", flag="--no-input")
    except KeyboardInterrupt:
        call.talk.tell("")
    return ""
