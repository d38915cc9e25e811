"""A terminal with one of the students in front of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pexpect

from dev.people import Person
from dev.promises.lab import BrokenError

_PROMPT = "\x1b[?2004h"
"""What bash sends when it begins to read a line. What is typed before may be lost on the way in."""


class Terminal:
    """A program on a terminal of its own, run as a person who types and reads."""

    def __init__(self, person: Person, *command: str, columns: int = 80) -> None:
        self._child = pexpect.spawn(
            command[0], list(command[1:]), cwd=str(person.home), encoding="utf-8", codec_errors="replace",
            env=person.environment() | {"TERM": "xterm"}, dimensions=(24, columns), timeout=300,
            preexec_fn=_becoming(person),
        )  # fmt: skip
        self._began = time.monotonic()
        self.last = ""
        """What it showed before it ended, since the last text that was waited for."""

    def answers(self, word: str = "42") -> float:
        """Wait until a shell is there and does as it is told; returns the seconds since the program began."""
        self.shows(_PROMPT)
        self._child.send("echo ready-$((40+2))\n")
        self.shows(f"ready-{word}")
        return time.monotonic() - self._began

    def types(self, text: str) -> None:
        """Type something."""
        self._child.send(text)

    def shows(self, text: str) -> str:
        """Wait until this text is on the screen; returns what came before it."""
        try:
            self._child.expect_exact(text)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            raise BrokenError(
                f"the terminal did not show {text!r} but {(self._child.before or '')[-300:]!r}"
            ) from error
        return str(self._child.before)

    def ends(self) -> int:
        """Wait for the program to end; returns its exit code."""
        try:
            self._child.expect(pexpect.EOF)
        except pexpect.TIMEOUT as error:
            raise BrokenError(f"the program did not end: {(self._child.before or '')[-300:]!r}") from error
        self.last = str(self._child.before)
        self._child.close()
        return int(self._child.exitstatus if self._child.exitstatus is not None else 128)

    def is_lost(self) -> None:
        """The line drops: the terminal is gone at once, as with a broken SSH link."""
        self._child.close(force=True)


def _becoming(person: Person) -> Callable[[], Any]:
    groups = person.groups()

    def become() -> None:
        os.setgroups(groups)
        os.setresgid(person.gid, person.gid, person.gid)
        os.setresuid(person.uid, person.uid, person.uid)

    return become
