"""Says where in a TOML text each key and value stands, so that an error can name line and column.

The parsers at hand give values without places. This reads a text that is already known to be valid TOML, and only
when something in it has to be complained about; it decides nothing about what the text means.
"""

from __future__ import annotations

import re

from ds01.domain.record import made, record

Path = tuple[str | int, ...]
"""Keys and array indexes from the top of the document."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")
_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_ESCAPED = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL)


@record
class Places:
    """Offsets of keys and of values, by path. A table's key is its header."""

    text: str
    keys: dict[Path, int] = made(factory=dict)
    values: dict[Path, int] = made(factory=dict)

    def key(self, path: Path) -> tuple[int, int]:
        """Line and column, both from 1, of a key; of its nearest known parent when it is not written there."""
        return self._nearest(self.keys, path)

    def value(self, path: Path) -> tuple[int, int]:
        """Line and column of a value, or of its key when the value is a table."""
        if path in self.values:
            return line_and_column(self.text, self.values[path])
        return self.key(path)

    def _nearest(self, known: dict[Path, int], path: Path) -> tuple[int, int]:
        while path and path not in known:
            path = path[:-1]
        return line_and_column(self.text, known.get(path, 0))


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Where an offset is, both counted from 1."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def places(text: str) -> Places:
    """Read a valid TOML text."""
    return _Reader(text).document()


class _Reader:
    """One pass over the text; ``at`` is the offset of the next character to read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found = Places(text=text)
        self.arrays: dict[Path, int] = {}

    def document(self) -> Places:
        table: Path = ()
        self.skip(_BLANK)
        while self.at < len(self.text):
            table = self.header() if self.text[self.at] == "[" else self.pair(table)
            self.skip(_BLANK)
        return self.found

    def skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return match[0] if match else ""

    def header(self) -> Path:
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        start, path = self.dotted()
        self.at += 2 if many else 1
        if many:
            count = self.arrays.get(path, 0)
            self.arrays[path] = count + 1
            self.found.keys.setdefault(path, start)
            path = (*path, count)
        self.found.keys.setdefault(path, start)
        return path

    def pair(self, table: Path) -> Path:
        start, path = self.dotted()
        self.at += 1  # the equals sign
        self.skip(_SPACE)
        whole = table + path
        for depth in range(len(table) + 1, len(whole) + 1):
            self.found.keys.setdefault(whole[:depth], start)
        self.value(whole)
        return table

    def dotted(self) -> tuple[int, Path]:
        self.skip(_SPACE)
        start, parts = self.at, [self.one_key()]
        self.skip(_SPACE)
        while self.text.startswith(".", self.at):
            self.at += 1
            self.skip(_SPACE)
            parts.append(self.one_key())
            self.skip(_SPACE)
        return start, tuple(parts)

    def one_key(self) -> str:
        if self.text[self.at] in "\"'":
            return self.string()
        return self.skip(_BARE_KEY)

    def value(self, path: Path) -> None:
        self.found.values[path] = self.at
        if self.text[self.at] in "\"'":
            self.string()
        elif self.text[self.at] == "[":
            self.array(path)
        elif self.text[self.at] == "{":
            self.inline_table(path)
        else:
            self.skip(_SCALAR)

    def array(self, path: Path) -> None:
        index = 0
        self.at += 1
        self.skip(_BLANK)
        while self.text[self.at] != "]":
            self.value((*path, index))
            index += 1
            self.separator()
        self.at += 1

    def inline_table(self, path: Path) -> None:
        self.at += 1
        self.skip(_BLANK)
        while self.text[self.at] != "}":
            self.pair(path)
            self.separator()
        self.at += 1

    def separator(self) -> None:
        self.skip(_BLANK)
        if self.text[self.at] == ",":
            self.at += 1
        self.skip(_BLANK)

    def string(self) -> str:
        quote = self.text[self.at]
        if self.text.startswith(quote * 3, self.at):
            return self.long_string(quote * 3)
        start = self.at + 1
        if quote == "'":
            self.at = self.text.index("'", start) + 1
        else:
            self.at = start
            self.skip(_ESCAPED)
        return self.text[start : self.at - 1]

    def long_string(self, quotes: str) -> str:
        start = self.at + 3
        end = self.text.index(quotes, start)
        while quotes == '"""' and _backslashes(self.text, end) % 2:
            end = self.text.index(quotes, end + 1)
        self.at = end + 3
        while self.text.startswith(quotes[0], self.at):  # a string may end in one or two more quotes
            self.at += 1
        return self.text[start : self.at - 3]


def _backslashes(text: str, end: int) -> int:
    return end - len(text[:end].rstrip("\\"))
