"""``--guided`` and ``--answers``: the same command as a form, one question at a time or filled in from a file.

The form equals the options: each question has a default, is checked, and can be gone back from with ``<``; what was
typed already is not asked. At the end it shows the plain command, so that the next time one can type it, and does it
if wanted. How much is explained is remembered. Only on a terminal: a guide for nobody is an error, a file is not.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence, Set

from ds01.cli import fields, tree
from ds01.cli.command import Command, Step
from ds01.cli.fields import BACK
from ds01.cli.level import NEW, known, level
from ds01.cli.parse import Parsed, parse
from ds01.cli.talk import Talk
from ds01.cli.tree import Found
from ds01.domain.errors import NEEDS_ANSWER, Ds01Error
from ds01.domain.public_key import is_private

STOP = "Ctrl-C to stop"
HOW = f"Press Enter for what is in brackets, {BACK} to go back, {STOP}"


def guide(found: Found, command: Command, parsed: Parsed, talk: Talk) -> Parsed | None:
    """Ask what the command needs; returns it as if it had been typed, None when it should not be done."""
    if not talk.somebody_there:
        raise Ds01Error(
            NEEDS_ANSWER, "--guided needs a terminal.", reason="A file can answer its questions, too.",
            hint=f"ds01 {found.typed} --answers FILE, or ds01 {found.typed} --help",
        )  # fmt: skip
    talk.title(f"{command.summary}, step by step")
    _say_stop(talk)
    explained = level(talk) == NEW
    if explained:
        talk.say(f"{HOW}; nothing happens before the end.")
    words = [word for word in found.rest if word != "--guided"]
    steps = [step for step in command.guide if step.asks not in parsed.given and (explained or step.asks)]
    answers = _ask_all(command, steps, talk, explained=explained, given=parsed.given)
    words += _words(command, steps, answers)
    talk.say()
    say_plain(found.typed, words, talk)
    if not talk.confirm("Do it now?", default=True):
        return None
    return parse(command, found.typed, words)


def _say_stop(talk: Talk) -> None:
    """Who is about to be told all of ``HOW`` needs this no more than once."""
    if known() != NEW:
        talk.say(f"{STOP}.")


def questions(
    command: Command, asks: Sequence[str], talk: Talk, *, given: Set[str]
) -> tuple[dict[str, str], list[str]]:
    """Some questions of a command that has begun: the answers, and the words that say them on the command line.

    ``given`` are those that were answered when it was typed. Whoever was never asked how much to explain is new; a
    first day needs no question more about that.
    """
    explained = known() in (NEW, None)
    steps = [step for name in asks for step in command.guide if step.asks == name]
    if explained and steps:
        talk.say(f"{HOW}.")
    elif steps:
        talk.say(f"{STOP}.")
    answers = _ask_all(command, steps, talk, explained=explained, given=given)
    return answers, _words(command, steps, answers)


def from_file(found: Found, command: Command, parsed: Parsed, path: str, talk: Talk) -> Parsed:
    """The command with what was typed, and the rest from a file. Raises Ds01Error with what is wrong in it."""
    from ds01.cli.answers import answered

    words = [*_typed(found.rest), *answered(command, path, parsed.given)]
    say_plain(found.typed, words, talk)
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


def say_plain(typed: str, words: Sequence[str], talk: Talk) -> None:
    """The command one would type instead. A private key that was given by mistake is shown to nobody."""
    shown = ["…" if is_private(word) else word for word in words]
    talk.say(f"The same without questions: {talk.err('bold', shlex.join(['ds01', *typed.split(), *shown]))}")


def choose(found: Found, talk: Talk) -> str:
    """Which verb of a noun to be guided through."""
    if not talk.somebody_there:
        raise Ds01Error(
            NEEDS_ANSWER, "--guided needs a terminal.", hint=f"ds01 {found.typed} --help".replace("  ", " ")
        )
    talk.say(f"{STOP}.")
    verbs = [(name, tree.summary(f"{found.typed} {name}".strip())) for name in tree.members(found.typed)]
    return talk.choose("What do you want to do?", verbs, flag="the command's name", default=verbs[0][0])


def _ask_all(
    command: Command, steps: Sequence[Step], talk: Talk, *, explained: bool, given: Set[str]
) -> dict[str, str]:
    """The answers of a form. A step that rests on another one is left out where that has no answer."""
    answers: dict[str, str] = {}
    path: list[int] = []
    at = 0
    while at < len(steps):
        step = steps[at]
        if step.after and step.after not in given and not answers.get(step.after):
            answers.pop(step.asks, None)
            at += 1
            continue
        if explained:
            talk.say()
            talk.say(f"{talk.err('cyan', f'{at + 1}/{len(steps)}')} {step.text}")
        before = answers.get(step.asks, "")
        answer = (
            fields.ask(command, step.asks, before, talk, anybodys="--user" in given)
            if step.asks
            else fields.go_on(talk)
        )
        if answer == BACK:
            at = path.pop() if path else 0
            continue
        answers[step.asks] = answer
        path.append(at)
        at += 1
    return answers


def _words(command: Command, steps: Sequence[Step], answers: dict[str, str]) -> list[str]:
    named = [step.asks for step in steps if step.asks]
    return [word for name in named for word in fields.words(command, name, answers.get(name, ""))]
