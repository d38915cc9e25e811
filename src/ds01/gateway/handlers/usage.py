"""``/system/df``: what one's own things use of the disk.

The engine measures everybody's, which takes it long; so it is asked now and then, not as often as somebody likes.
"""

from __future__ import annotations

from typing import cast

from ds01.domain.dockerpolicy.strictjson import Json
from ds01.gateway.call import Call
from ds01.gateway.diskusage import summed
from ds01.gateway.handlers.containers import view
from ds01.gateway.handlers.volumes import things
from ds01.gateway.measured import KINDS, OLD_FORM, measured
from ds01.gateway.pace import Costly
from ds01.gateway.rows import Seen
from ds01.gateway.things import Found


async def usage(call: Call) -> None:
    """The engine's figures of what the user sees."""
    await call.nothing()
    await call.gate.pace.take(call.user.uid, Costly.MEASURE)
    types = call.query.values.get("type", ())
    cache = await call.gate.door.cache(call.user.uid)
    found = _own(await measured(call, types, _hers(call, cache)))
    if call.version > OLD_FORM:
        found = summed(found, types, verbose=call.query.on("verbose"))
    await call.answer_json(200, cast(Json, found))


def _hers(call: Call, cache: frozenset[str]) -> dict[str, Seen]:
    shown, admin = view(call), call.user.admin
    return {
        "Images": shown.image_row,
        "Containers": shown.row,
        "Volumes": things(call).volume,
        "BuildCache": lambda row: row if admin or row.get("ID") in cache else None,
    }


def _own(found: Found) -> Found:
    sizes = sum(int(row.get("Size") or 0) for row in found["Images"])
    return {
        "LayersSize": min(int(found.get("LayersSize") or 0), sizes),
        **{name: found[name] for name in KINDS},
        "BuilderSize": sum(int(row.get("Size") or 0) for row in found["BuildCache"] if not row.get("Shared")),
    }
