"""The way past the gateway: an admin opens it for herself, for a while, with a reason that is written down.

Root has the engine's own socket. An admin who is not root gets the engine through the gateway, which relays what she
sends as it is and writes every request down.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.names import GLASS_SOCKET
from ds01.domain.people import Uid
from ds01.ports.ledger import Books
from ds01.services.caller import Caller, require_admin
from ds01.services.world import World
from ds01.wire.admin import GlassRequest, GlassView

LONGEST_MINUTES = 8 * 60
SHORTEST_REASON = 8


async def open_glass(world: World, caller: Caller, ask: GlassRequest) -> GlassView:
    """Open it. Raises Ds01Error when the caller is no admin, or says no reason."""
    require_admin(caller, "go past the gateway")
    if caller.uid == 0:
        raise Ds01Error(
            BAD_REQUEST, "root has the engine's own socket, and needs no other way to it.",
            reason="At the gateway uid 0 is nobody: it may be root of a container.",
            hint=f"docker -H {world.paths.engine} ps",
        )  # fmt: skip
    reason = " ".join(ask.reason.split())
    if len(reason) < SHORTEST_REASON:
        raise Ds01Error(
            BAD_REQUEST, "Going past the gateway needs a reason.",
            reason="It is written down with every request, for whoever asks later.",
            hint='ds01 admin door open "what is to be mended"',
        )  # fmt: skip
    if not 1 <= ask.minutes <= LONGEST_MINUTES:
        raise Ds01Error(BAD_REQUEST, f"It can be open for 1 to {LONGEST_MINUTES} minutes.")
    now = world.clock.now()
    until = now + timedelta(minutes=ask.minutes)
    details = {"reason": reason, "until": until.isoformat()}
    await world.ledger.write(lambda books: _note(books, caller, now, details))
    return GlassView(socket=str(world.paths.run / GLASS_SOCKET), until=until.isoformat(), reason=reason)


async def close_glass(world: World, caller: Caller) -> GlassView:
    """Close it before its time."""
    require_admin(caller, "go past the gateway")
    await world.ledger.write(lambda books: _note(books, caller, world.clock.now(), {"what": "closed"}))
    return GlassView(socket=str(world.paths.run / GLASS_SOCKET), until="", reason="")


async def why_open(world: World, caller: Caller) -> str:
    """The reason for which this admin may go past the gateway now; empty when she may not."""
    if not caller.admin:
        return ""
    text = await world.ledger.read(lambda books: books.note(_key(caller.uid)))
    found = json.loads(text or "{}")
    until = found.get("until")
    return str(found["reason"]) if until and world.clock.now() < datetime.fromisoformat(until) else ""


def _note(books: Books, caller: Caller, now: datetime, details: dict[str, str]) -> None:
    books.put_note(_key(caller.uid), json.dumps(details))
    books.record(
        Event(at=now, type=EventType.DOOR_GLASS, actor=caller.actor, uid=caller.uid, subject="engine", details=details)
    )


def _key(uid: Uid) -> str:
    return f"glass:{uid}"
