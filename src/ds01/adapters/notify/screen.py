"""Writing a letter onto a terminal somebody is using: whole, readable at 80 columns, and never waiting for it.

A terminal may be in raw mode, so lines end with a carriage return; a stopped or dead one takes nothing and is no
delivery. What is written holds names and paths that users chose: nothing in it may steer a terminal.
"""

from __future__ import annotations

import os
import stat
import textwrap
from collections.abc import Callable
from pathlib import Path

from ds01.adapters.host.terminals import SLAVES
from ds01.ports.channel import Letter

WIDTH = 78
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


def write(terminal: Path, content: bytes, hers: Callable[[os.stat_result], bool]) -> bool:
    """Write it, if what is there is ``hers`` to write on and takes it at once."""
    try:
        fd = _opened(terminal, hers)
    except OSError:
        return False
    try:
        return os.write(fd, content) == len(content)
    except OSError:
        return False
    finally:
        os.close(fd)


def is_screen(found: os.stat_result) -> bool:
    """Whether it is a terminal, of the machine or of a program."""
    return stat.S_ISCHR(found.st_mode) and (is_pseudo(found) or os.major(found.st_rdev) in _CONSOLES)


def is_pseudo(found: os.stat_result) -> bool:
    """Whether it is a program's terminal."""
    return stat.S_ISCHR(found.st_mode) and os.major(found.st_rdev) in SLAVES


def _opened(path: Path, hers: Callable[[os.stat_result], bool]) -> int:
    """Looked at before it is opened, and opened as what was looked at: opening what is no terminal can do harm, and she
    may hold the place of a file that she has no right to open. Raises OSError.
    """
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not hers(os.fstat(place)):
            raise PermissionError(f"{path} is no terminal of hers")
        return os.open(f"/proc/self/fd/{place}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    finally:
        os.close(place)
