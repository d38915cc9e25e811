"""A limits file being written: values under dotted paths, each with a comment that says where it came from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

ORDER = (
    "defaults",
    "groups",
    "users",
    "doors",
    "policy",
    "exemptions",
    "aggregate",
    "gpus",
    "images",
    "docker",
    "shares",
)
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]*")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off"})

Where = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One value: text as it is written, a list of texts, or None for ``null``."""

    value: str | tuple[str, ...] | None
    comment: str = ""


@dataclass(kw_only=True)
class Draft:
    """Entries by path, and comments above a section."""

    entries: dict[Where, Entry] = field(default_factory=dict)
    notes: dict[Where, str] = field(default_factory=dict)

    def put(self, where: Where, value: str | tuple[str, ...] | None, comment: str = "") -> None:
        """Set a value; the last one stands."""
        self.entries[where] = Entry(value=value, comment=comment)

    def text(self, head: str) -> str:
        """The file, with ``head`` as its first comment."""
        lines = [f"# {line}".rstrip() for line in head.splitlines()]
        for section in sorted({where[0] for where in self.entries}, key=ORDER.index):
            lines += ["", *self._lines((section,))]
        return "\n".join(lines) + "\n"

    def _lines(self, where: Where) -> Iterator[str]:
        """What stands at and below a path."""
        indent = "  " * (len(where) - 1)
        if where in self.notes:
            yield f"{indent}# {self.notes[where]}"
        entry = self.entries.get(where)
        if entry is not None:
            comment = f"  # {entry.comment}" if entry.comment else ""
            yield f"{indent}{written(where[-1])}: {_value(entry.value)}{comment}"
            return
        yield f"{indent}{written(where[-1])}:"
        for name in self._below(where):
            yield from self._lines((*where, name))

    def _below(self, where: Where) -> list[str]:
        depth = len(where)
        return list(dict.fromkeys(path[depth] for path in self.entries if path[:depth] == where))


def _value(value: str | tuple[str, ...] | None) -> str:
    if value is None:
        return "null"
    return written(value) if isinstance(value, str) else f"[{', '.join(written(item) for item in value)}]"


def written(text: str) -> str:
    """Text as YAML reads it back: quoted when it would mean something else."""
    number_with_unit = re.fullmatch(r"\d+(\.\d+)?(%|[A-Za-z]{1,2})?", text) is not None
    plain = number_with_unit or (_PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS)
    return text if plain or text in ("true", "false") else _quoted(text)


def _quoted(text: str) -> str:
    """JSON's quotes are YAML's too, but YAML takes nothing unprintable as it is, and JSON leaves some (DEL, C1)."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in quoted)
