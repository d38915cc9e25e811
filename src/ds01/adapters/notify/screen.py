"""Writing a letter onto a terminal somebody is using: whole, readable at 80 columns, and never waiting for it.

A terminal may be in raw mode, so lines end with a carriage return; a stopped or dead one takes nothing and is no
delivery. What is written holds names and paths that users chose: nothing in it may steer a terminal.
"""

from __future__ import annotations

import os
import stat
import textwrap
from pathlib import Path

from ds01.ports.channel import Letter

WIDTH = 78
_PSEUDO = range(136, 144)
"""Major numbers of pseudo-terminals."""
_CONSOLES = range(4, 6)


def drawn(letter: Letter) -> bytes:
    """The letter as it goes onto a screen."""
    rule = "-" * (WIDTH - 7)
    lines = ["", f"- DS01 {rule}"[:WIDTH], *_wrapped(letter.title), "", *_wrapped(letter.text), "-" * WIDTH, ""]
    return ("\a" + "\r\n".join(harmless(line) for line in lines)).encode(errors="replace")


def harmless(text: str) -> str:
    """Without anything a terminal would obey."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _wrapped(text: str) -> list[str]:
    """Sentences are wrapped; a line with a command stays one line, its explanation goes below when it is too long."""
    found: list[str] = []
    for line in text.split("\n"):
        if line.startswith("  ") and len(line) > WIDTH:
            command, _, does = line.strip().partition("  ")
            found += [f"  {command}", *textwrap.wrap(does, WIDTH, initial_indent="      ", subsequent_indent="      ")]
        else:
            found += [line] if line.startswith("  ") else textwrap.wrap(line, WIDTH) or [""]
    return found


def write(terminal: Path, content: bytes, *, owner: int | None = None) -> bool:
    """Write it, if that is a terminal (of ``owner``) that takes it at once."""
    try:
        fd = os.open(terminal, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        found = os.fstat(fd)
        major = os.major(found.st_rdev)
        if not stat.S_ISCHR(found.st_mode) or not (major in _PSEUDO or major in _CONSOLES):
            return False
        if owner is not None and found.st_uid != owner:
            return False
        return os.write(fd, content) == len(content)
    except OSError:
        return False
    finally:
        os.close(fd)
