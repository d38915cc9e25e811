"""Colour and width: what a terminal can show, decided once.

Green is done, yellow a warning, red an error or something that goes away, cyan a heading; a word or a sign always
says the same thing too. ``NO_COLOR``, ``--color`` and ``--plain`` decide before the terminal does.
"""

from __future__ import annotations

import os

from ds01.domain.record import record

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from typing import TextIO

_CODES = {"green": "32", "yellow": "33", "red": "31", "cyan": "36", "bold": "1", "dim": "2"}
_ESCAPE = "\x1b["
_STEERING = dict.fromkeys((*range(9), *range(11, 27), *range(28, 32), *range(127, 160)))
"""Control characters but the tabulator, the end of a line and the one that begins a colour."""


@record
class Style:
    """How to write to one stream. ``width`` is in columns; ``symbols``: more than ASCII letters and digits.

    ``cut``: somebody looks at it, so what is too wide is made to fit; a program gets everything.
    """

    colour: bool = False
    plain: bool = False
    symbols: bool = True
    width: int = 80
    cut: bool = True

    def __call__(self, colour: str, text: str) -> str:
        """``text`` in a colour (or bold, dim), when there are colours."""
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self.colour and text else text

    def sign(self, symbol: str, word: str) -> str:
        """A symbol where symbols are welcome, a word elsewhere."""
        return symbol if self.symbols else word

    @property
    def narrow(self) -> bool:
        """Whether tables become one record after another."""
        return self.width < 60 or self.plain


def style(stream: TextIO, *, when: str = "auto", plain: bool = False) -> Style:
    """What ``stream`` can show. Piped output is for programs: no colour, but as wide as the text needs."""
    terminal = stream.isatty()
    colour = when == "always" or (when == "auto" and terminal and not _colourless())
    utf8 = (stream.encoding or "").lower().replace("-", "") == "utf8"
    width = _width(stream, terminal)
    return Style(
        colour=colour and not plain, plain=plain, symbols=utf8 and not plain,
        width=width or 80, cut=width > 0,
    )  # fmt: skip


def _colourless() -> bool:
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def _width(stream: TextIO, terminal: bool) -> int:
    """The columns there are; 0 when nobody looks."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    if terminal:
        try:
            return os.get_terminal_size(stream.fileno()).columns or 80
        except OSError:
            return 80
    return 0


def columns(text: str) -> int:
    """How many columns a text takes: wide letters two, combining marks none, colours none."""
    bare = _without_colours(text)
    if bare.isascii():
        return len(bare)
    return sum(_columns(letter) for letter in bare)


def _without_colours(text: str) -> str:
    first, *rest = text.split(_ESCAPE)
    return "".join([first, *map(_after_code, rest)])


def _after_code(text: str) -> str:
    code, end, after = text.partition("m")
    return after if end and all(letter in "0123456789;" for letter in code) else f"{_ESCAPE}{text}"


def _columns(letter: str) -> int:
    import unicodedata

    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1


def safe(text: str) -> str:
    """A text without what would steer the terminal: whoever chose a file's name may not repaint the screen. Colours
    stay.
    """
    if text.isprintable():
        return text
    first, *rest = text.split("\x1b")
    kept = [f"\x1b{part}" if _is_colour(part) else part for part in rest]
    return "".join([first, *kept]).translate(_STEERING)


def _is_colour(text: str) -> bool:
    code, end, _ = text.removeprefix("[").partition("m")
    return text.startswith("[") and bool(end) and all(letter in "0123456789;" for letter in code)


def pad(text: str, width: int) -> str:
    """``text`` filled with blanks to ``width`` columns."""
    return text + " " * (width - columns(text))


def shorten(text: str, width: int) -> str:
    """``text`` cut to ``width`` columns, with an ellipsis where something is missing. Colourless text only."""
    if columns(text) <= width:
        return text
    kept, used = [], 0
    for letter in text:
        used += _columns(letter)
        if used > width - 1:
            break
        kept.append(letter)
    return "".join(kept) + "…"


def wrap(text: str, width: int, *, indent: str = "", hanging: str | None = None) -> list[str]:
    """``text`` in lines of at most ``width`` columns; blank lines separate paragraphs; a longer word stays whole."""
    lines: list[str] = []
    for paragraph in _paragraphs(text):
        if lines:
            lines.append("")
        lines += _wrap_paragraph(paragraph, width, indent, indent if hanging is None else hanging)
    return lines


def _paragraphs(text: str) -> list[str]:
    """What blank lines separate; one, if empty, for no text at all."""
    found = [""]
    for line in text.strip().splitlines():
        if line.strip():
            found[-1] += f"{line}\n"
        elif found[-1]:
            found.append("")
    return found


def _wrap_paragraph(text: str, width: int, first: str, hanging: str) -> list[str]:
    lines, line = [], first
    empty = True
    for word in text.split():
        if not empty and columns(line) + 1 + columns(word) > width:
            lines.append(line)
            line, empty = hanging, True
        line += word if empty else f" {word}"
        empty = False
    return [*lines, line]
