"""The fields of a form: how each is asked for, and what it takes.

An answer is checked where it is given, not when everything has been asked: as it would be on the command line, and a
name of something that is there against the names Tab offers. A name that cannot be told from here (an image of a
registry, a container by its id) is left to the command.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from ds01.cli import looks
from ds01.cli.command import Argument, Command, Option
from ds01.cli.parse import value_of
from ds01.cli.table import pairs
from ds01.cli.talk import Talk
from ds01.domain.names import nearest

BACK = "<"
LISTED = ("type", "project", "built", "launch", "base")
"""What is few enough to be shown before it is asked for."""
KNOWN = {
    "type": "type", "project": "project", "built": "project", "launch": "project or container", "base": "base",
    "container": "container", "waiting": "place in the queue", "booking": "booking", "class": "class", "job": "job",
    "ending": "job or place in the queue", "logged": "container or job", "topic": "page", "limit": "limit",
    "gpu": "GPU",
}  # fmt: skip
"""What can be named only when it is there, in words."""
_ELSEWHERE = re.compile(r".*[/:@].*|.*\._\..*|[0-9a-f]{12,64}")
"""References of images and builds, full names and ids of containers."""


def ask(command: Command, name: str, before: str, talk: Talk, *, anybodys: bool = False) -> str:
    """One answer, or ``<``. ``before`` is what was answered when one comes back to it."""
    taker = taken_by(command, name)
    if isinstance(taker, Option) and not taker.value:
        return talk.ask(f"{taker.name} (y/n)", flag=taker.name, default=before or "n", check=_yes_or_no)
    listed = _listed(taker)
    default = before or _default(taker, [name for name, _ in listed])
    needed = isinstance(taker, Argument) and taker.required
    for line in pairs(listed, talk.err):
        talk.say_line(line)
    talk.say(talk.err("dim", taker.help + ("" if needed or default else f"; empty: {taker.default or 'none'}")))
    check = _checked(taker, needed=needed, anybodys=anybodys)
    return talk.ask(taker.name, flag=taker.name, default=default, check=check)


def words(command: Command, name: str, answer: str) -> list[str]:
    """The words that say it on the command line."""
    taker = taken_by(command, name)
    if not answer:
        return []
    if isinstance(taker, Argument):
        return _split(taker, answer)
    if taker.value:
        return [taker.name, answer]
    return [taker.name] if answer == "y" else []


def taken_by(command: Command, name: str) -> Argument | Option:
    """The argument or option of this name."""
    takers: tuple[Argument | Option, ...] = (*command.arguments, *command.options)
    return next(taker for taker in takers if taker.name == name)


def go_on(talk: Talk) -> str:
    """An explanation was read."""
    return talk.ask("Press Enter to go on", flag="--guided", check=_nothing)


def _listed(taker: Argument | Option) -> list[tuple[str, str]]:
    """What there is to choose from, where that is a short list."""
    return _offered(taker) if taker.complete in LISTED else []


def _offered(taker: Argument | Option) -> list[tuple[str, str]]:
    from ds01.cli.complete import values

    return list(values(taker, ""))


def _default(taker: Argument | Option, listed: list[str]) -> str:
    """What Enter means, where that is one of the words to choose from."""
    if isinstance(taker, Option) and taker.choices:
        return taker.choices[0]
    return taker.default if taker.default in listed else ""


def _checked(taker: Argument | Option, *, needed: bool, anybodys: bool) -> Callable[[str], object]:
    def check(answer: str) -> None:
        if answer == BACK:
            return
        if not answer and needed:
            raise ValueError("This one is needed")
        if isinstance(taker, Option) and taker.choices and answer and answer not in taker.choices:
            raise ValueError(f"Please answer one of {', '.join(taker.choices)}")
        for word in _split(taker, answer) if answer else []:
            value_of(taker, word)
            if taker.looks:
                getattr(looks, taker.looks)(word)
            if taker.complete in KNOWN and not anybodys:
                _is_there(taker, word)

    return check


def _is_there(taker: Argument | Option, word: str) -> None:
    offered = [name for name, _ in _offered(taker)]
    if word in offered or _ELSEWHERE.fullmatch(word):
        return
    what = KNOWN[taker.complete]
    if not offered and taker.complete == "project":
        raise ValueError("You have no project yet: Ctrl-C, then ds01 init NAME")
    if offered:
        near = nearest(word, offered)
        listed = ", ".join(offered[:_MOST]) + (", …" if len(offered) > _MOST else "")
        raise ValueError(f"There is no {what} '{word}'. {f'Did you mean {near}' if near else f'There are {listed}'}")


_MOST = 8
"""Names that a sentence has room for."""


def _split(taker: Argument | Option, answer: str) -> list[str]:
    """The words of an answer: several where several are taken. Raises ValueError with a sentence."""
    if not isinstance(taker, Argument) or not (taker.many or taker.rest):
        return [answer]
    try:
        return shlex.split(answer)
    except ValueError:
        raise ValueError("A quotation mark is not closed") from None


def _nothing(answer: str) -> None:
    if answer not in ("", BACK):
        raise ValueError(f"Press Enter, or {BACK} to go back")


def _yes_or_no(answer: str) -> None:
    if answer not in ("y", "n", BACK):
        raise ValueError("Please answer y or n")
