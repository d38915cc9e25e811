"""``images/load``: every name in the archive is judged before the engine sees the archive's end.

A name that means its image already is not written again: so an archive may bring along the base it was built on, which
nobody but the admin may write.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from ds01.domain.dockerpolicy.context import END, Context
from ds01.domain.dockerpolicy.loading import MANIFEST, LoadPlan, judge_load, reader
from ds01.domain.dockerpolicy.strictjson import dump
from ds01.domain.dockerpolicy.tarhead import entry
from ds01.domain.dockerpolicy.unpacked import Unpacked
from ds01.domain.dockerpolicy.verdict import Change, RefusedError
from ds01.gateway import flow
from ds01.gateway.body import Piece
from ds01.gateway.call import Call
from ds01.gateway.entries import TAR, entries, last_entries, unpacked
from ds01.gateway.handlers.containers import view
from ds01.gateway.handlers.lookup import look_up
from ds01.gateway.handlers.writing import Written
from ds01.gateway.shownjson import load_object
from ds01.gateway.things import Found
from ds01.gateway.upstream import Ask
from ds01.wire.door import DoorWrite, Writing

_LOADED, _LOADED_ID = "Loaded image", "Loaded image ID"


async def load(call: Call) -> None:
    """The whole of a load."""
    with call.gate.counts.loading(call.user.uid), call.gate.unpackings.taking(call.user.uid) as take:
        room = await call.gate.door.room(call.user.uid, image=True)
        await _passed(call, _Loading(call, unpacked("The archive", room.left_bytes, take)))


async def _passed(call: Call, loading: _Loading) -> None:
    ask = Ask(method="POST", target=call.target("/images/load", call.query.values), stream=True, content_type=TAR)
    try:
        await flow.upload(call, ask, loading.through, loading.end, loading.line, loading.settle)
    except RefusedError as error:
        if error.status != 400 or call.answered:
            raise
        await _not_loaded(call, error)
    finally:
        await loading.settle()


class _Loading:
    """One archive on its way."""

    def __init__(self, call: Call, plain: Unpacked) -> None:
        self._call = call
        self._plain = plain
        self._archive: Context = reader()
        self.through = entries(plain, self._archive)
        self._written: Written | None = None
        self._kept: list[str] = []
        self._unsaid = _Unsaid(LoadPlan(loaded=()))

    async def end(self) -> Iterable[Piece]:
        """The end of the archive, with our list of names."""
        last = last_entries(self._plain, self._archive)
        asked = judge_load(self._archive)
        plan = asked.without(await _named_now(self._call, asked.refs))
        self._kept = [ref for ref in asked.refs if ref not in plan.refs]
        self._unsaid = _Unsaid(plan)
        ask = DoorWrite(uid=self._call.user.uid, what=Writing.LOAD, refs=plan.refs, nameless=plan.nameless)
        self._written = await Written.begin(self._call, ask)
        self._written.images += plan.images
        return [*last, entry(MANIFEST, plan.named(self._written.grant.names).manifest), END]

    async def settle(self) -> None:
        """ds01d hears what became of it."""
        if self._written is not None:
            await self._written.settle()

    def line(self, found: bytes) -> bytes:
        """What the engine says, and of the names that were there already what it would have said."""
        said = load_object(found) or {}
        self._unsaid.hear(said)
        if self._written is not None:
            self._written.done = self._unsaid.nothing
        text = str(said.get("stream"))
        if not text.startswith(_LOADED):
            return found + b"\n"
        found = dump({**said, "stream": view(self._call).text(text)})
        if not self._kept:
            return found + b"\r\n"
        kept, self._kept = b"".join(_loaded(ref) for ref in self._kept), []
        return kept if text.startswith(_LOADED_ID) else kept + found + b"\r\n"


class _Unsaid:
    """What the engine has still to say before all is loaded: it names each name; and where the last image has none, it
    says at the end the ids of all images at once, and otherwise never.
    """

    def __init__(self, plan: LoadPlan) -> None:
        self._names = sum(len(each.names) for each in plan.loaded)
        self._ids = bool(plan.loaded) and not plan.loaded[-1].names
        self._failed = False

    @property
    def nothing(self) -> bool:
        """Whether all was said, and nothing went wrong."""
        return not (self._failed or self._ids or self._names > 0)

    def hear(self, said: Found) -> None:
        """One line of the engine's."""
        text = str(said.get("stream"))
        if "errorDetail" in said or "error" in said:
            self._failed = True
        elif text.startswith(_LOADED_ID):
            self._ids = False
        elif text.startswith(_LOADED):
            self._names -= 1


async def _named_now(call: Call, refs: Iterable[str]) -> dict[str, str]:
    """What these names mean now, where they mean something to her."""
    found = {}
    for ref in refs:
        with contextlib.suppress(RefusedError):
            found[ref] = str((await look_up(call, ref))["Id"])
    return found


def _loaded(ref: str) -> bytes:
    return dump({"stream": f"Loaded image: {ref}\n"}) + b"\r\n"


async def _not_loaded(call: Call, error: RefusedError) -> None:
    """What cannot be read is told as the engine tells it: as the end of what goes on."""
    call.leave()
    call.denied(error)
    call.changes.append(Change(rule=error.rule, text=f"not loaded: {error.what}"))
    told = dump({"errorDetail": {"message": error.message}, "error": error.message}) + b"\r\n"
    await call.answer(200, told, {"Content-Type": "application/json"})
