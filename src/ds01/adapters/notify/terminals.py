"""The terminals somebody is logged in on, as the record of logins and the session manager know them.

Both are asked, because newer systems have only the one and older ones only the other. A terminal counts when it still
belongs to her: records outlive sessions.
"""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from ds01.adapters.notify.screen import drawn, is_screen, write
from ds01.domain.people import User
from ds01.ports.channel import Letter

_RECORD = struct.Struct("hi32s4s32s256shhiii4i20s")
"""One login: its kind, pid, line, id, user, host, …"""
_USER_PROCESS = 7


class Terminals:
    """Needs root. ``utmp`` is the record of logins, ``sessions`` the folder of the session manager."""

    name = "terminals"
    proves = True
    inside = False
    nowhere = "no terminal she is logged in on"

    def __init__(
        self, utmp: Path = Path("/run/utmp"), sessions: Path = Path("/run/systemd/sessions"), dev: Path = Path("/dev")
    ) -> None:
        self._utmp = utmp
        self._sessions = sessions
        self._dev = dev

    async def deliver(self, letter: Letter) -> str:
        """Onto every terminal of hers."""
        return await asyncio.to_thread(self._deliver, letter)

    def _deliver(self, letter: Letter) -> str:
        content = drawn(letter)
        lines = sorted({*self._recorded(letter.user), *self._managed(letter.user)})
        return ", ".join(line for line in lines if self._write(line, content, letter.user.uid))

    def _write(self, line: str, content: bytes, uid: int) -> bool:
        def hers(found: os.stat_result) -> bool:
            return is_screen(found) and found.st_uid == uid

        return write(self._dev / line, content, hers)

    def _recorded(self, user: User) -> Iterator[str]:
        try:
            content = self._utmp.read_bytes()
        except OSError:
            return
        for start in range(0, len(content) - _RECORD.size + 1, _RECORD.size):
            kind, _, line, _, login, *_ = _RECORD.unpack_from(content, start)
            if kind == _USER_PROCESS and _plain(login) == user.login[:32]:
                yield from _line(_plain(line))

    def _managed(self, user: User) -> Iterator[str]:
        try:
            sessions = [entry for entry in self._sessions.iterdir() if entry.is_file()]
        except OSError:
            return
        for session in sessions:
            facts = dict(line.partition("=")[::2] for line in _text(session).splitlines())
            if facts.get("UID") == str(user.uid):
                yield from _line(facts.get("TTY", ""))


def _line(name: str) -> Iterator[str]:
    """``pts/3``: never a path that leads elsewhere."""
    if name and ".." not in name and not name.startswith("/"):
        yield name


def _plain(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode(errors="replace")


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
