"""A student's screen: a login shell in tmux, 80 columns wide, to type in and to look at."""

from __future__ import annotations

import os
import subprocess
import time

from dev.people import Person
from dev.promises.lab import BrokenError

_PROMPT = "$ "
_PATIENCE_SECONDS = 300


class Screen:
    """One terminal of one person. What it shows is what she would see: the visible lines, nothing else."""

    def __init__(self, person: Person, path: str, *, columns: int = 80, lines: int = 60) -> None:
        self._person = person
        self._path = path
        self._name = f"ds01-screen-{os.getpid()}"
        shell = f"PS1='{_PROMPT}' exec bash --norc --noprofile"
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(lines), shell)
        self.asks_nothing_more()

    def types(self, line: str) -> None:
        """Type a line, see it on the screen, and press Enter."""
        if line:
            self._tmux("send-keys", "-l", line)
            self._until(lambda _: line in self.seen(joined=True), f"did not show what was typed, {line!r}")
        self._tmux("send-keys", "Enter")

    def shows(self, text: str) -> str:
        """Wait until this is on the screen; returns the screen then."""
        return self._until(lambda seen: text in seen, f"did not show {text!r}")

    def asks_nothing_more(self) -> str:
        """Wait until the server's shell has its prompt back; returns the screen then."""
        return self._until(lambda seen: seen.splitlines()[-1:] == [_PROMPT.strip()], "did not come back to its prompt")

    def clear(self) -> None:
        """An empty screen with a prompt."""
        self.types("clear")
        self._until(lambda seen: seen.strip() == _PROMPT.strip(), "was not cleared")

    def seen(self, *, joined: bool = False) -> str:
        """The visible lines, without blank ones at the end. ``joined``: one that goes on in the next is one."""
        lines = self._tmux("capture-pane", "-p", *(["-J"] if joined else [])).splitlines()
        return "\n".join(lines).rstrip()

    def ends(self) -> None:
        """Close it, whatever runs in it."""
        self._tmux("kill-server")

    def _until(self, true: object, otherwise: str) -> str:
        assert callable(true)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not true(seen := self.seen()):
            if time.monotonic() > deadline:
                raise BrokenError(f"the screen {otherwise}; it shows:\n{seen}")
            time.sleep(0.1)
        return seen

    def _tmux(self, *words: str) -> str:
        person = self._person
        environment = person.environment() | {"TERM": "xterm-256color"}
        environment["PATH"] = f"{self._path}:{environment['PATH']}"
        done = subprocess.run(
            ["tmux", "-L", self._name, *words], capture_output=True, text=True, check=False, cwd=person.home,
            env=environment, user=person.uid, group=person.gid, extra_groups=person.groups(),
        )  # fmt: skip
        if done.returncode != 0:
            raise BrokenError(f"tmux {words[0]}: {done.stderr.strip()}")
        return done.stdout
