"""A channel in memory: what it was given, and whether anybody is there to read it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from ds01.domain.errors import ENGINE_ERROR, Ds01Error
from ds01.ports.channel import Letter


@dataclass
class SimChannel:
    """``open`` says whether somebody is there, ``inside`` that it is in containers only; ``broken`` that it fails,
    ``hangs`` that it never answers, ``fault`` is a mistake in it; ``letters`` is what it delivered.
    """

    name: str
    proves: bool = True
    inside: bool = False
    open: bool = True
    broken: bool = False
    hangs: bool = False
    fault: Exception | None = None
    nowhere: str = "nobody is there"
    letters: list[Letter] = field(default_factory=list)

    async def deliver(self, letter: Letter) -> str:
        """Keep it."""
        if self.hangs:
            await asyncio.Event().wait()
        if self.fault is not None:
            raise self.fault
        if self.broken:
            raise Ds01Error(ENGINE_ERROR, "The channel is broken.", reason="a test says so")
        if not self.open or (self.inside and letter.container is None):
            return ""
        self.letters.append(letter)
        return f"{letter.user.login} here"
