"""What a uid is called by the server's own files, where these have the first word.

The directory behind them may be another server, so it is asked in a thread, and every new connection waits for that.
Who is in ``/etc/passwd`` is known without: it is read again whenever it may have changed.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PASSWD, SWITCH = Path("/etc/passwd"), Path("/etc/nsswitch.conf")

SETTLED_NS = 1_000_000_000
"""A file that changed less than this before it was read may change again without looking so."""

_ENTRY = re.compile(r"([^:\s#+-][^:]*):[^:]*:([0-9]{1,10}):[^:]*:[^:]*:[^:]*:[^:]*")
_SWITCHES = re.compile(r"^[ \t]*passwd[ \t]*:[ \t]*(.*)$", re.MULTILINE)
_FILES_FIRST = re.compile(r"files(?:[ \t]+[^\[\s].*)?[ \t]*")

Stamp = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """Names by uid, and what the files looked like when they were read. Only where they were ``settled`` then does
    another look tell whether they are what they were.
    """

    stamp: Stamp
    settled: bool
    names: dict[int, str]


class LocalAccounts:
    """The accounts of this server itself. Whatever is not plain in the files is left to the directory."""

    def __init__(
        self, passwd: Path = PASSWD, switch: Path = SWITCH, clock: Callable[[], int] = time.time_ns
    ) -> None:  # fmt: skip
        self._passwd, self._switch = passwd, switch
        self._clock = clock
        self._seen: _Seen | None = None

    def login(self, uid: int) -> str | None:
        """The account's name; None when these files alone do not say."""
        try:
            return self._names().get(uid)
        except (OSError, ValueError):
            return None

    def _names(self) -> dict[int, str]:
        stamp = self._stamp()
        seen = self._seen
        if seen is None or seen.stamp != stamp or not seen.settled:
            seen = self._seen = self._read(stamp)
        return seen.names

    def _read(self, stamp: Stamp) -> _Seen:
        settled = self._clock() - max(stamp[3::5]) > SETTLED_NS
        passwd, switch = self._passwd.read_text(), self._switch.read_text()
        names = dict(_entries(passwd)) if _files_first(switch) else {}
        return _Seen(stamp=stamp, settled=settled, names=names)

    def _stamp(self) -> Stamp:
        return *_looks(os.stat(self._passwd)), *_looks(os.stat(self._switch))


def _files_first(switch: str) -> bool:
    """Whether what is found in the files is what everybody is told."""
    found = _SWITCHES.findall(switch)
    return len(found) == 1 and _FILES_FIRST.fullmatch(found[0]) is not None


def _looks(found: os.stat_result) -> Stamp:
    return found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns, found.st_mtime_ns


def _entries(text: str) -> Iterator[tuple[int, str]]:
    """Name by uid; of several with one uid the first counts. Raises ValueError where a line is no plain entry."""
    for line in reversed(text.splitlines()):
        match = _ENTRY.fullmatch(line)
        if match is None and line:
            raise ValueError("not a plain list of accounts")
        if match is not None:
            yield int(match[2]), match[1]
