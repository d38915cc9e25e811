"""``--guided`` and ``--answers``: the same command as a form, one question at a time or filled in from a file.

The form equals the options: each question has a default, is checked, and can be gone back from with ``<``; what was
typed already is not asked. At the end it shows the plain command, so that the next time one can type it, and does it
if wanted. How much is explained is remembered. Only on a terminal: a guide for nobody is an error, a file is not.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator

from ds01.cli import tree
from ds01.cli.command import Argument, Command, Option, Step
from ds01.cli.level import NEW, level
from ds01.cli.parse import Parsed, parse, value_of
from ds01.cli.table import pairs
from ds01.cli.talk import Talk
from ds01.cli.tree import Found
from ds01.domain.errors import NEEDS_ANSWER, Ds01Error
from ds01.domain.public_key import is_private

BACK = "<"
LISTED = ("type", "project", "launch", "base")
"""What is few enough to be shown before it is asked for."""


def guide(found: Found, command: Command, parsed: Parsed, talk: Talk) -> Parsed | None:
    """Ask what the command needs; returns it as if it had been typed, None when it should not be done."""
    if not talk.somebody_there:
        raise Ds01Error(
            NEEDS_ANSWER, "--guided needs a terminal.", reason="A file can answer its questions, too.",
            hint=f"ds01 {found.typed} --answers FILE, or ds01 {found.typed} --help",
        )  # fmt: skip
    talk.title(f"{command.summary}, step by step")
    explained = level(talk) == NEW
    if explained:
        talk.say(
            f"Press Enter for what is in brackets, {BACK} to go back, Ctrl-C to stop; nothing happens before the end."
        )
    words = [word for word in found.rest if word != "--guided"]
    steps = [step for step in command.guide if step.asks not in parsed.given and (explained or step.asks)]
    answers = _ask_all(command, steps, talk, explained=explained)
    for step in steps:
        words += _words(command, step, answers.get(step.asks, ""))
    talk.say()
    say_plain(found, words, talk)
    if not talk.confirm("Do it now?", default=True):
        return None
    return parse(command, found.typed, words)


def from_file(found: Found, command: Command, parsed: Parsed, path: str, talk: Talk) -> Parsed:
    """The command with what was typed, and the rest from a file. Raises Ds01Error with what is wrong in it."""
    from ds01.cli.answers import answered

    words = [*_typed(found.rest), *answered(command, path, parsed.given)]
    say_plain(found, words, talk)
    return parse(command, found.typed, words)


def _typed(words: tuple[str, ...]) -> Iterator[str]:
    """The words of the command line without the file of answers."""
    waiting = iter(words)
    for word in waiting:
        if word == "--":
            yield word
            yield from waiting
        elif word == "--answers":
            next(waiting, "")
        elif not word.startswith("--answers=") and word != "--guided":
            yield word


def say_plain(found: Found, words: list[str], talk: Talk) -> None:
    """The command one would type instead. A private key that was given by mistake is shown to nobody."""
    shown = ["…" if is_private(word) else word for word in words]
    talk.say(f"The same without questions: {talk.err('bold', shlex.join(['ds01', *found.typed.split(), *shown]))}")


def choose(found: Found, talk: Talk) -> str:
    """Which verb of a noun to be guided through."""
    if not talk.somebody_there:
        raise Ds01Error(
            NEEDS_ANSWER, "--guided needs a terminal.", hint=f"ds01 {found.typed} --help".replace("  ", " ")
        )
    verbs = [(name, tree.summary(f"{found.typed} {name}".strip())) for name in tree.members(found.typed)]
    return talk.choose("What do you want to do?", verbs, flag="the command's name", default=verbs[0][0])


def _ask_all(command: Command, steps: list[Step], talk: Talk, *, explained: bool) -> dict[str, str]:
    answers: dict[str, str] = {}
    at = 0
    while at < len(steps):
        if explained:
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
    listed = _listed(taker)
    default = answers.get(step.asks) or _default(taker, [name for name, _ in listed])
    needed = isinstance(taker, Argument) and taker.required
    for line in pairs(listed, talk.err):
        talk.say_line(line)
    talk.say(talk.err("dim", taker.help + ("" if needed or default else f"; empty: {taker.default or 'none'}")))
    return talk.ask(taker.name, flag=taker.name, default=default, check=_checked(taker, needed))


def _listed(taker: Argument | Option) -> list[tuple[str, str]]:
    """What there is to choose from, where that is a short list."""
    if taker.complete not in LISTED:
        return []
    from ds01.cli.complete import values

    return list(values(taker, ""))


def _default(taker: Argument | Option, listed: list[str]) -> str:
    """What Enter means, where that is one of the words to choose from."""
    if isinstance(taker, Option) and taker.choices:
        return taker.choices[0]
    return taker.default if taker.default in listed else ""


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
