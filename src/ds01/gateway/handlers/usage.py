"""``/system/df``: what one's own things use of the disk.

The engine measures everybody's, which takes it long; so it is asked now and then, not as often as somebody likes.
"""

from __future__ import annotations

from typing import cast

from ds01.domain.dockerpolicy.strictjson import Json
from ds01.gateway.call import Call
from ds01.gateway.handlers.containers import view
from ds01.gateway.handlers.volumes import things
from ds01.gateway.pace import Costly
from ds01.gateway.things import Found
from ds01.gateway.upstream import Ask

_SECONDS = 600


async def usage(call: Call) -> None:
    """The engine's figures of what the user sees."""
    await call.nothing()
    await call.gate.pace.take(call.user.uid, Costly.MEASURE)
    ask = Ask(method="GET", target=call.target("/system/df", call.query.values))
    head, data = await call.gate.engine.whole(ask, _SECONDS)
    cache = await call.gate.door.cache(call.user.uid)
    await call.pass_answer(head, data, lambda found: cast(Json, _own(call, cast(Found, found), cache)))


def _own(call: Call, found: Found, cache: frozenset[str]) -> Found:
    images = view(call).images(found.get("Images") or [])
    every = found.get("BuildCache") or []
    built = [row for row in every if call.user.admin or row.get("ID") in cache]
    sizes = sum(int(row.get("Size") or 0) for row in images)
    return {
        "LayersSize": min(int(found.get("LayersSize") or 0), sizes),
        "Images": images,
        "Containers": view(call).rows(found.get("Containers") or []),
        "Volumes": things(call).volumes(found.get("Volumes")),
        "BuildCache": built,
        "BuilderSize": sum(int(row.get("Size") or 0) for row in built if not row.get("Shared")),
    }
