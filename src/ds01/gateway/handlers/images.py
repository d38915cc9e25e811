"""Images: seen when they are one's own or shared."""

from __future__ import annotations

import json
from typing import Any, cast

from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.verdict import RefusedError, absent
from ds01.domain.image import is_reference, with_tag
from ds01.gateway.call import Call
from ds01.gateway.finish import Blueprint
from ds01.gateway.handlers.containers import view
from ds01.gateway.upstream import Ask


async def resolve(call: Call, ref: str) -> Blueprint:
    """The image a user means, by id. Raises AbsentError when it is not there or not hers to see."""
    found = await look_up(call, ref)
    config = found.get("Config") or {}
    return Blueprint(id=str(found["Id"]), ports=tuple(config.get("ExposedPorts") or ()))


async def look_up(call: Call, ref: str) -> dict[str, Any]:
    """What the engine says of an image this user may see."""
    if not is_reference(ref):
        raise absent("image", ref)
    head, data = await call.gate.engine.whole(Ask(method="GET", target=call.target(f"/images/{ref}/json")))
    if head.status == 404 or head.status == 400:
        raise absent("image", with_tag(ref))
    if head.status != 200:
        raise RefusedError("image.lookup", "The engine cannot say what this image is", status=502)
    found: dict[str, Any] = json.loads(data)
    if await call.gate.registry.sees_image(call.user, str(found["Id"])) is None:
        raise absent("image", with_tag(ref))
    return found


async def listing(call: Call) -> None:
    """``images/json``."""
    await call.nothing()
    filters = {key: list(values) for key, values in call.query.filters.items()}
    for key in {"before", "since"} & filters.keys():
        filters[key] = [str((await look_up(call, ref))["Id"]) for ref in filters[key]]
    target = call.target("/images/json", call.query.values, filters)
    await call.pass_whole(Ask(method="GET", target=target), lambda found: cast(Json, view(call).images(found)))


async def inspect(call: Call) -> None:
    """``images/{name}/json``."""
    await call.nothing()
    await call.answer_json(200, cast(Json, await look_up(call, call.names["image"])))


async def history(call: Call) -> None:
    """``images/{name}/history``."""
    await call.nothing()
    found = await look_up(call, call.names["image"])
    await call.pass_whole(Ask(method="GET", target=call.target(f"/images/{found['Id']}/history")))
