"""``/workspace/.ds01/notices``: every letter, for whoever looks there and for programs that wait for one.

A file that nobody may open proves nothing, so what is only written here counts as reaching nobody. It is opened with
its owner's rights, and never followed anywhere.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import datetime

from ds01.adapters.host.inside import appending
from ds01.adapters.notify.screen import harmless
from ds01.ports.channel import Letter

PATH = ".ds01/notices"
LONGEST = 256 * 1024
"""A longer file is begun anew."""


class WorkspaceFile:
    """Needs root. ``now`` is the time on the server's clock."""

    name = "workspace"
    proves = False
    inside = True
    nowhere = "it has none that can be written"

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    async def deliver(self, letter: Letter) -> str:
        """At its end, with the time before it."""
        if letter.container is None or not letter.container.workspace:
            return ""
        return await asyncio.to_thread(self._append, letter, letter.container.workspace)

    def _append(self, letter: Letter, workspace: str) -> str:
        lines = [f"{self._now():%Y-%m-%d %H:%M:%S %Z}  {letter.subject}", *letter.text.split("\n"), ""]
        content = "\n".join(harmless(line) for line in lines) + "\n"
        try:
            fd = appending(letter.user, workspace, PATH)
        except OSError:
            return ""
        try:
            if os.fstat(fd).st_size > LONGEST:
                os.ftruncate(fd, 0)
            os.write(fd, content.encode(errors="replace"))
        except OSError:
            return ""
        finally:
            os.close(fd)
        return f"/workspace/{PATH}"
