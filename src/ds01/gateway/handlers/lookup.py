"""Which image a user means: hers or a shared one, by a name she may use or an id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ds01.domain.dockerpolicy.tags import engine_name, looked_up
from ds01.domain.dockerpolicy.verdict import RefusedError, absent
from ds01.domain.health import Health
from ds01.domain.image import is_reference, with_tag
from ds01.domain.image_access import is_id
from ds01.domain.own_images import can_be_own, is_stored, stored_image
from ds01.gateway.call import Call
from ds01.gateway.denied import AGAIN
from ds01.gateway.finish import Blueprint
from ds01.gateway.things import Found
from ds01.gateway.upstream import Ask, parsed_object, text_of

_HEX = re.compile(r"[0-9a-f]{1,64}")


async def resolve(call: Call, ref: str) -> Blueprint:
    """The image a user means, by id. Raises AbsentError when it is not there or not hers to see."""
    found = await look_up(call, ref)
    config = found.get("Config") or {}
    return Blueprint(
        id=str(found["Id"]), entrypoint=tuple(config.get("Entrypoint") or ()), command=tuple(config.get("Cmd") or ()),
        environment=tuple(config.get("Env") or ()),
        ports=tuple(config.get("ExposedPorts") or ()), volumes=tuple(config.get("Volumes") or ()),
        health=health(config), api=call.version,
    )  # fmt: skip


def health(config: Mapping[str, Any]) -> Health:
    """How often an image wants to be looked at."""
    checked = config.get("Healthcheck") or {}
    return Health(interval_ns=int(checked.get("Interval") or 0), starting_ns=int(checked.get("StartInterval") or 0))


async def look_up(call: Call, ref: str) -> dict[str, Any]:
    """What the engine says of an image this user may see, under a name she may use."""
    return (await find(call, ref))[0]


async def find(call: Call, ref: str) -> tuple[Found, str]:
    """The same, with the engine's name that is meant: empty when an id is.

    A name of somebody else's that looks like a short id wins over the id in the engine, not here.
    """
    if not is_reference(ref):
        raise absent("image", ref)
    if not is_id(ref) and not _HEX.fullmatch(ref):
        engine_name(ref)
    if is_stored(looked_up(ref)) and not call.user.admin:
        raise absent("image", with_tag(ref))
    for asked in _spellings(call, ref):
        found = await engine_image(call, asked)
        if found is not None and await _hers(call, asked, found):
            name = "" if is_id(asked) else looked_up(asked)
            return found, name if name in names(found) else ""
    ids = call.gate.registry.images_by_prefix(call.user, ref) if _HEX.fullmatch(ref) else []
    again = await engine_image(call, ids[0]) if len(ids) == 1 else None
    if again is None:
        raise absent("image", with_tag(ref))
    return again, ""


def _spellings(call: Call, ref: str) -> tuple[str, ...]:
    """How the engine may call what she means: what lies in her own name space comes first. The mirror may be late."""
    name, uid = looked_up(ref), call.user.uid
    if is_id(ref) or not can_be_own(name, uid):
        return (ref,)
    stored = stored_image(name, uid)
    return (stored, ref) if name in call.gate.registry.own_images(call.user) else (ref, stored)


async def engine_image(call: Call, ref: str) -> dict[str, Any] | None:
    """What the engine says of an image, whoever's; None when it has none of this name."""
    head, data = await call.gate.engine.whole(Ask(method="GET", target=call.target(f"/images/{ref}/json")))
    if head.status == 404 or head.status == 400:
        return None
    if head.status != 200:
        raise RefusedError("image.lookup", "The engine cannot say what this image is", AGAIN, status=502)
    found = parsed_object(data)
    text_of(found, "Id")
    return found


async def _hers(call: Call, ref: str, found: Found) -> bool:
    id_ = str(found["Id"])
    if is_id(ref) or (name := looked_up(ref)) not in names(found):
        return await call.gate.registry.sees_image(call.user, id_) is not None
    return await call.gate.registry.image_named(call.user, id_, name) is not None


def names(found: Found) -> tuple[str, ...]:
    """All names of an image, whoever's."""
    return (*(found.get("RepoTags") or ()), *(found.get("RepoDigests") or ()))
