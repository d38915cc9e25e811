"""From the words on the command line to values, by the command's declaration.

Our own and small, because the declaration says all there is to know, and because a parser library would cost more
time than everything else ``ds01 --help`` does (see docs/explanation/command-line.md). The rules are the usual ones:
``--name value``, ``--name=value``, ``-n value``, ``-nvalue``, ``-qv``, options anywhere, ``--`` ends them, no
abbreviations; a value that may be left out is written ``--name=value``. Every mistake is a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence

from ds01.cli.command import TIERS, Argument, Command, Option, common
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.domain.names import nearest
from ds01.domain.record import made, record

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from typing import Any


@record(frozen=False, kw_only=False)
class Parsed:
    """What was typed: the command's own ``values`` by parameter, the ``common`` options, and a tier of help."""

    values: dict[str, Any] = made(factory=dict)
    common: dict[str, Any] = made(factory=dict)
    tier: str = ""
    given: set[str] = made(factory=set)
    """The options and arguments that were typed."""


def parse(command: Command, typed: str, words: Sequence[str]) -> Parsed:
    """Read the words after the command's name. Raises Ds01Error (``request.invalid``)."""
    reader = _Reader(command, typed)
    reader.read(list(words))
    return reader.finish()


class _Reader:
    def __init__(self, command: Command, typed: str) -> None:
        self._command = command
        self._typed = typed
        self._shared = common(command)
        known = (*command.options, *self._shared, *TIERS)
        self._long = {option.name: option for option in known}
        self._short = {option.short: option for option in known if option.short}
        self._words: list[str] = []
        self._values: dict[str, Any] = {}
        self.parsed = Parsed()

    def read(self, words: list[str]) -> None:
        """Sort the words into options and arguments."""
        takes_rest = any(argument.rest for argument in self._command.arguments)
        before_rest = sum(not argument.rest for argument in self._command.arguments)
        while words:
            word = words.pop(0)
            if word == "--":
                self._words += words
                return
            if takes_rest and len(self._words) >= before_rest and not word.startswith("-"):
                self._words += [word, *words]
                return
            if word.startswith("--"):
                self._read_long(word, words)
            elif word.startswith("-") and len(word) > 1:
                self._read_short(word[1:], words)
            else:
                self._words.append(word)

    def _read_long(self, word: str, words: list[str]) -> None:
        name, equals, value = word.partition("=")
        option = self._long.get(name)
        if option is None:
            raise self._unknown(name)
        if not option.value:
            if equals:
                raise self._mistake(f"'{name}' takes no value.")
            self._take(option, True)
        elif equals:
            self._take(option, value)
        elif option.optional:
            self._take(option, True)
        else:
            self._take(option, self._next(option, words))

    def _read_short(self, letters: str, words: list[str]) -> None:
        option = self._short.get(f"-{letters[0]}")
        if option is None:
            raise self._unknown(f"-{letters[0]}")
        rest = letters[1:]
        if option.value:
            self._take(option, rest or self._next(option, words))
            return
        self._take(option, True)
        if rest:
            self._read_short(rest, words)

    def _next(self, option: Option, words: list[str]) -> str:
        if not words or words[0].partition("=")[0] in (*self._long, "--"):
            raise self._mistake(f"'{option.name}' needs a value: {option.shown}.")
        return words.pop(0)

    def _take(self, option: Option, value: str | bool) -> None:
        read = value if isinstance(value, bool) else self._convert(option.name, option, value)
        if option.many:
            self._values[option.key] = (*self._values.get(option.key, ()), read)
        else:
            self._values[option.key] = read
        self.parsed.given.add(option.name)
        if option in TIERS and not self.parsed.tier:
            self.parsed.tier = option.name.removeprefix("--")

    def _convert(self, name: str, taker: Option | Argument, text: str) -> object:
        if isinstance(taker, Option) and taker.choices and text not in taker.choices:
            raise self._mistake(
                f"'{text}' is not one of {', '.join(taker.choices)} for '{name}'.", nearest(text, taker.choices)
            )
        try:
            return value_of(taker, text)
        except ValueError as error:
            raise self._mistake(
                f"'{text}' cannot be used for '{name}'.", reason=f"{error}.".replace("..", ".")
            ) from error

    def finish(self) -> Parsed:
        """The values of every option and argument, given or not."""
        if self.parsed.tier or "answers" in self._values:
            self.parsed.given |= {argument.name for argument in self._command.arguments[: len(self._words)]}
        else:
            self._arguments()
        for option in self._command.options:
            self.parsed.values[option.key] = self._values.get(option.key, _absent(option))
        for option in self._shared:
            self.parsed.common[option.key] = self._values.get(option.key, _absent(option))
        return self.parsed

    def _arguments(self) -> None:
        words = self._words
        for argument in self._command.arguments:
            if argument.many or argument.rest:
                taken, words = words, []
                self._argument(argument, taken)
            else:
                self._argument(argument, words[:1])
                words = words[1:]
        if words:
            raise self._mistake(f"'{words[0]}' is one word too many.", reason=self._takes())

    def _argument(self, argument: Argument, taken: list[str]) -> None:
        if not taken and argument.required:
            raise self._missing(argument)
        read = tuple(self._convert(argument.name.upper(), argument, word) for word in taken)
        if taken:
            self.parsed.given.add(argument.name)
        single = read[0] if read else None
        self.parsed.values[argument.key] = read if argument.many or argument.rest else single

    def _takes(self) -> str:
        shown = " ".join(argument.shown for argument in self._command.arguments)
        return f"The command takes {shown}." if shown else "The command takes options only."

    def _unknown(self, name: str) -> Ds01Error:
        return self._mistake(f"'{name}' is no option of 'ds01 {self._typed}'.", nearest(name, self._long))

    def _missing(self, argument: Argument) -> Ds01Error:
        """Told apart from other mistakes: on a terminal it can be asked for."""
        if argument.lacking:
            message, reason, hint = (text.format(self._words[-1]) for text in argument.lacking)
            return Ds01Error(BAD_REQUEST, message, reason=reason, hint=hint)
        return Ds01Error(
            BAD_REQUEST, f"{argument.name.upper()} is missing: {argument.help}.", hint=f"ds01 {self._typed} --help",
            missing=argument.name,
        )  # fmt: skip

    def _mistake(self, message: str, meant: str | None = None, *, reason: str = "") -> Ds01Error:
        hint = f"Did you mean '{meant}'?" if meant else f"ds01 {self._typed} --help"
        return Ds01Error(BAD_REQUEST, message, reason=reason, hint=hint)


def value_of(taker: Option | Argument, text: str) -> object:
    """The value that a text is. Raises ValueError with a sentence. Imported when needed: most values are text."""
    if taker.reads == "text":
        return text
    from ds01.cli import reads

    value: object = getattr(reads, taker.reads)(text)
    return value


def _absent(option: Option) -> object:
    if option.many:
        return ()
    return None if option.value else False
