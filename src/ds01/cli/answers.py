"""Answers from a file: what a form would ask, written down once, for a class, a script, or the next time.

The file is TOML with one line for each argument or option, under its name without dashes. It becomes the words one
would have typed, so it can do exactly what the command line can, and everything in it is checked as if typed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Set

from ds01.cli.command import Argument, Command, Option, common
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.domain.names import nearest

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from typing import Any


def answered(command: Command, path: str, given: Set[str]) -> list[str]:
    """The words for what the file answers and was not typed. Raises Ds01Error that names file and answer."""
    takers = _takers(command)
    values = _load(path)
    for name in values:
        if name not in takers:
            near = nearest(name, takers)
            raise _wrong(path, f"'{name}' is nothing this command asks", f"Did you mean '{near}'?" if near else "")
    options, arguments = list[str](), list[str]()
    for name, taker in takers.items():
        if name not in values or taker.name in given:
            continue
        words = list(_words(path, name, taker, values[name]))
        (arguments if isinstance(taker, Argument) else options).extend(words)
    return [*options, *(["--"] if any(word.startswith("-") for word in arguments) else []), *arguments]


def _takers(command: Command) -> dict[str, Argument | Option]:
    """By the name an answer has; arguments in their order."""
    takers: tuple[Argument | Option, ...] = (*command.arguments, *command.options, *common(command))
    return {taker.name.lstrip("-"): taker for taker in takers if taker.name != "--answers"}


def _load(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            return tomllib.loads(file.read())
    except OSError as error:
        raise _wrong(path, (error.strerror or str(error)).lower(), "") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(path, f"it is not TOML: {error}", "") from error


def _words(path: str, name: str, taker: Argument | Option, value: object) -> Iterator[str]:
    if isinstance(taker, Option) and (not taker.value or (taker.optional and isinstance(value, bool))):
        if not isinstance(value, bool):
            raise _wrong(path, f"'{name}' is true or false", f"{name} = true")
        yield from [taker.name] if value else []
        return
    many = taker.many or (isinstance(taker, Argument) and taker.rest)
    values = value if isinstance(value, list) and many else [value]
    for each in values:
        if isinstance(each, bool) or not isinstance(each, str | int):
            raise _wrong(path, f"'{name}' is a text or a number", f'{name} = "…"')
        yield str(each) if isinstance(taker, Argument) else f"{taker.name}={each}"


def _wrong(path: str, reason: str, hint: str) -> Ds01Error:
    return Ds01Error(
        BAD_REQUEST, f"{path} cannot answer: {reason}.", hint=hint or 'Write one answer a line, as in: type = "ml"'
    )
