"""Image names written through the gateway: granted by ds01d before, recorded by it after, whatever happened."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Self

from ds01.gateway.call import Call
from ds01.gateway.held import DoorDownError, UnwrittenError
from ds01.gateway.writers import Writer
from ds01.wire.door import DoorWrite, DoorWriteGrant, DoorWritten, Writing


@dataclass(kw_only=True)
class Written:
    """One writing. ``begin``: granted; as a context: settled at the end at the latest.

    ``done`` and ``images`` say what the engine did; ``settle`` tells ds01d, once.
    """

    call: Call
    grant: DoorWriteGrant
    asked: DoorWrite
    """What was asked for, with the engine's names."""
    done: bool = False
    images: list[str] = field(default_factory=list)
    _settled: bool = False
    _told: ExitStack = field(default_factory=ExitStack)

    @classmethod
    async def begin(cls, call: Call, ask: DoorWrite) -> Self:
        """Ask for it. Raises RefusedError."""
        grant = await call.gate.door.write(ask)
        call.gate.registry.granted(call.user, ask.refs, grant.names)
        asked = replace(ask, refs=tuple(grant.names.get(ref, ref) for ref in ask.refs))
        found = cls(call=call, grant=grant, asked=asked)
        writer = Writer(uid=call.user.uid, refs=asked.refs, images=found.images, makes=ask.what is Writing.IMPORT)
        found._told.enter_context(call.gate.registry.writers.writing(writer))
        return found

    @property
    def parts(self) -> dict[str, list[str]]:
        """Repository and tag of the one name that is written, as parameters for the engine; none without a name."""
        if not self.asked.refs:
            return {}
        repo, _, tag = self.asked.refs[0].rpartition(":")
        return {"repo": [repo], "tag": [tag]}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.settle()

    async def settle(self) -> None:
        """Before the client hears the end: who pulls and runs in one breath finds her image. Raises UnwrittenError
        where ds01d hears of it later.
        """
        if self._settled:
            return
        self._settled = True
        with self._told:
            await self._settle()

    async def _settle(self) -> None:
        written = DoorWritten(
            ticket=self.grant.ticket, asked=self.asked, done=self.done, images=tuple(dict.fromkeys(self.images))
        )
        try:
            images = await self.call.gate.door.written(written)
        except DoorDownError as error:
            if not self.done:
                raise
            raise UnwrittenError(str(error)) from error
        for image in images:
            self.call.gate.registry.learn(image)
            if not self.call.subject:
                self.call.subject = image.id
