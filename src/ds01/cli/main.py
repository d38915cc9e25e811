"""The program: from argv to an exit code.

``ds01`` and every name users of such servers know (``container-deploy``, ``image``, ``check-limits``, …) are this
one program; the name it was called by is its first words.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from ds01 import __version__
from ds01.cli import failures, tree
from ds01.cli.call import Call
from ds01.cli.command import ALWAYS, DRY_RUN, JSON, YES, Command, Group
from ds01.cli.parse import Parsed, parse
from ds01.cli.talk import Talk, talk
from ds01.cli.tree import Found
from ds01.domain.errors import Ds01Error, Exit
from ds01.domain.record import record, replace

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from typing import Any


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; ``argv`` includes the program's name."""
    words = list(sys.argv if argv is None else argv)
    if words[1:2] == ["__complete"]:
        return complete(words[2:])
    return run([*called_as(words[0]), *words[1:]])


def complete(words: Sequence[str]) -> int:
    """Tab: offer what may follow. The first word is the program that was typed."""
    from ds01.cli.complete import offers

    try:
        for word, meaning in offers([*called_as(words[0]), *words[1:]]):
            sys.stdout.write(f"{word}\t{meaning}\n")
    except Exception:  # noqa: BLE001 - in the middle of somebody's typing nothing is better than a message
        return int(Exit.FAILED)
    return 0


def called_as(program: str) -> list[str]:
    """The words a program name stands for: ``container-deploy`` is ``container deploy``."""
    name = os.path.basename(program)
    if name in tree.SAME and "-" in name:
        return tree.SAME[name].split()
    noun, _, verb = name.partition("-")
    if noun in tree.listing("") and tree.is_group(noun):
        return [noun, verb] if verb else [noun]
    return []


def run(words: Sequence[str]) -> int:
    """Find the command, read its options, do it; every failure becomes a sentence."""
    program = Program(talk=talk(**early(words)))
    try:
        return program.run(words)
    except Ds01Error as error:
        return failures.tell(program.explained(error).problem, program.talk)
    except KeyboardInterrupt:
        return failures.interrupted(program.talk, program.standing)
    except BrokenPipeError as error:
        return failures.quiet_pipe() if failures.nobody_reads() else failures.unexpected(error, program.talk)
    except Exception as error:  # noqa: BLE001 - the last line of defence: nobody sees a stack trace
        return failures.unexpected(error, program.talk)


@record(frozen=False)
class Program:
    """One run. ``talk`` is what the options said as far as they were read; ``call`` exists once a command runs."""

    talk: Talk
    call: Call | None = None

    @property
    def standing(self) -> str:
        """What stands if the command is interrupted now."""
        return self.call.standing if self.call else ""

    def explained(self, error: Ds01Error) -> Ds01Error:
        """The error with the name that was probably meant, when one was named that does not exist."""
        if self.call is None or not self.call.wanted:
            return error
        from ds01.cli.here import with_nearest

        return with_nearest(self.call, error)

    def run(self, words: Sequence[str]) -> int:
        """Do what the words say; the exit code."""
        if list(words) == ["--version"]:
            return self._print([f"ds01 {__version__}"])
        found = tree.find(names_first(words))
        if isinstance(found.entry, Group):
            return self._group(found, found.entry)
        return self._command(found, found.entry)

    def _command(self, found: Found, command: Command) -> int:
        found, parsed = self._read(found, command)
        answers = parsed.common.pop("answers")
        self.talk = talk(**parsed.common)
        if answers:
            from ds01.cli.guided import from_file

            parsed = from_file(found, command, parsed, answers, self.talk)
            parsed.common.pop("answers")
            self.talk = talk(**parsed.common)
        guided = parsed.tier == "guided"
        if guided:
            from ds01.cli.guided import guide

            told = guide(found, command, parsed, self.talk)
            if told is None:
                return 0
            parsed = told
        elif parsed.tier:
            from ds01.cli import tiers

            return self._print(tiers.TELLS[parsed.tier](found.typed, command, self.talk.out))
        module = importlib.import_module(".".join([tree.PACKAGE, *found.path.split()]))
        self.call = Call(path=found.path, talk=self.talk, guided=guided)
        code = module.run(self.call, **parsed.values)
        _remind(self.call)
        sys.stdout.flush()
        return int(code or 0)

    def _read(self, found: Found, command: Command) -> tuple[Found, Parsed]:
        """The options and arguments. A word that is missing is asked for where somebody can answer."""
        try:
            return found, parse(command, found.typed, found.rest)
        except Ds01Error as error:
            silent = {"--no-input", "--json", "--yes", "-y"} & set(found.rest)
            if "missing" not in error.problem.details or silent or not self.talk.somebody_there:
                raise
        found = replace(found, rest=("--guided", *found.rest))
        return found, parse(command, found.typed, found.rest)

    def _group(self, found: Found, group: Group) -> int:
        from ds01.cli import tiers

        parsed = parse(NO_COMMAND, found.typed, found.rest)
        parsed.common.pop("answers")
        self.talk = talk(**parsed.common)
        if parsed.tier == "guided":
            from ds01.cli.guided import choose

            return self.run([*found.typed.split(), choose(found, self.talk), "--guided"])
        return self._print(tiers.GROUP_TELLS[parsed.tier or "help"](found.typed, group, self.talk.out))

    def _print(self, lines: Sequence[str]) -> int:
        for line in lines:
            self.talk.data(line)
        sys.stdout.flush()
        return 0


def _remind(call: Call) -> None:
    """What ds01d has to tell, after any command that asked it something."""
    if "client" in vars(call):
        from ds01.cli.notices import remind

        remind(call)


NO_COMMAND = Command(summary="", examples=(), about="", idea="", guide=(), local=True)
"""What a bare noun takes: the options of every command."""

_FRONT_OPTIONS = {option.name: option for option in (*ALWAYS, JSON, YES, DRY_RUN)} | {
    option.short: option for option in (*ALWAYS, YES) if option.short
}


def names_first(words: Sequence[str]) -> list[str]:
    """Common options may come first: ``ds01 --plain list`` is ``ds01 list --plain``."""
    rest, front = list(words), []
    while rest and (option := _FRONT_OPTIONS.get(rest[0].partition("=")[0])):
        front.append(rest.pop(0))
        if option.value and not option.optional and "=" not in front[-1] and rest:
            front.append(rest.pop(0))
    if not front or not rest:
        return [*front, *rest]
    names = len(rest) - len(tree.find(rest).rest)
    return [*rest[:names], *front, *rest[names:]]


def early(words: Sequence[str]) -> dict[str, Any]:
    """How to speak before the options are read properly: for the errors of reading them."""
    typed = list(words)[: words.index("--")] if "--" in words else list(words)
    never = any(word in ("--color=never", "never") for word in typed)
    return {
        "json": "--json" in typed, "plain": "--plain" in typed, "color": "never" if never else None,
    }  # fmt: skip
