"""``--guided``: the same command, explained, one question at a time.

It is a form that equals the options: each question has a default, is checked, and can be gone back from with ``<``.
At the end it shows the plain command, so that the next time one can type it, and does it if wanted. Only on a
terminal: a guide for nobody is an error.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable

from ds01.cli import tree
from ds01.cli.command import Argument, Command, Option, Step
from ds01.cli.parse import Parsed, parse, value_of
from ds01.cli.talk import Talk
from ds01.cli.tree import Found
from ds01.domain.errors import NEEDS_ANSWER, Ds01Error

BACK = "<"


def guide(found: Found, command: Command, parsed: Parsed, talk: Talk) -> Parsed | None:
    """Ask what the command needs; returns it as if it had been typed, None when it should not be done."""
    if not talk.somebody_there:
        raise Ds01Error(
            NEEDS_ANSWER, "--guided needs a terminal.", hint=f"ds01 {found.typed} --help, or ds01 {found.typed} --info"
        )
    talk.title(f"{command.summary}, step by step")
    talk.say(f"Press Enter for what is in brackets, {BACK} to go back, Ctrl-C to stop; nothing happens before the end.")
    words = [word for word in found.rest if word != "--guided"]
    answers = _ask_all(command, talk)
    for step in command.guide:
        words += _words(command, step, answers.get(step.asks, ""))
    plain = shlex.join(["ds01", *found.typed.split(), *words])
    talk.say()
    talk.say(f"The same without questions: {talk.err('bold', plain)}")
    if not talk.confirm("Do it now?", default=True):
        return None
    return parse(command, found.typed, words)


def choose(found: Found, talk: Talk) -> str:
    """Which verb of a noun to be guided through."""
    if not talk.somebody_there:
        raise Ds01Error(
            NEEDS_ANSWER, "--guided needs a terminal.", hint=f"ds01 {found.typed} --help".replace("  ", " ")
        )
    verbs = [(name, tree.load(f"{found.typed} {name}".strip()).summary) for name in tree.members(found.typed)]
    return talk.choose("What do you want to do?", verbs, flag="the command's name", default=verbs[0][0])


def _ask_all(command: Command, talk: Talk) -> dict[str, str]:
    answers: dict[str, str] = {}
    steps = command.guide
    at = 0
    while at < len(steps):
        talk.say()
        talk.say(f"{talk.err('cyan', f'{at + 1}/{len(steps)}')} {steps[at].text}")
        answer = _ask(command, steps[at], answers, talk)
        if answer == BACK:
            at = max(0, at - 1)
            continue
        answers[steps[at].asks] = answer
        at += 1
    return answers


def _ask(command: Command, step: Step, answers: dict[str, str], talk: Talk) -> str:
    if not step.asks:
        return talk.ask("Press Enter to go on", flag="--guided", check=_nothing)
    taker = taken_by(command, step.asks)
    if isinstance(taker, Option) and not taker.value:
        default = answers.get(step.asks) or "n"
        return talk.ask(f"{taker.name} (y/n)", flag=taker.name, default=default, check=_yes_or_no)
    default = answers.get(step.asks) or (taker.choices[0] if isinstance(taker, Option) and taker.choices else "")
    needed = isinstance(taker, Argument) and taker.required
    talk.say(talk.err("dim", taker.help + ("" if needed or default else f"; empty: {taker.default or 'none'}")))
    return talk.ask(taker.name, flag=taker.name, default=default, check=_checked(taker, needed))


def taken_by(command: Command, name: str) -> Argument | Option:
    """The argument or option of this name."""
    takers: tuple[Argument | Option, ...] = (*command.arguments, *command.options)
    return next(taker for taker in takers if taker.name == name)


def _checked(taker: Argument | Option, needed: bool) -> Callable[[str], object]:
    def check(answer: str) -> object:
        if answer == BACK:
            return None
        if not answer and needed:
            raise ValueError("This one is needed")
        if isinstance(taker, Option) and taker.choices and answer and answer not in taker.choices:
            raise ValueError(f"Please answer one of {', '.join(taker.choices)}")
        return value_of(taker, answer) if answer else None

    return check


def _nothing(answer: str) -> None:
    if answer not in ("", BACK):
        raise ValueError(f"Press Enter, or {BACK} to go back")


def _yes_or_no(answer: str) -> None:
    if answer not in ("y", "n", BACK):
        raise ValueError("Please answer y or n")


def _words(command: Command, step: Step, answer: str) -> list[str]:
    if not step.asks or answer in ("", "n"):
        return []
    taker = taken_by(command, step.asks)
    if isinstance(taker, Argument):
        return shlex.split(answer) if taker.many or taker.rest else [answer]
    if not taker.value:
        return [taker.name]
    return [taker.name, answer]
