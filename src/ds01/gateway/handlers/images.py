"""Images: seen when they are one's own or shared, under the names that are."""

from __future__ import annotations

import json
import re
from typing import Any, cast

from ds01.domain.dockerpolicy.registries import check_registry, credentials, header, registry_of, searched
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.tags import joined, looked_up
from ds01.domain.dockerpolicy.verdict import RefusedError, absent, malformed
from ds01.domain.image import is_reference, with_tag
from ds01.domain.image_access import is_id
from ds01.gateway.call import Call, parsed
from ds01.gateway.finish import Blueprint
from ds01.gateway.handlers.containers import view
from ds01.gateway.show import Found
from ds01.gateway.upstream import Ask

_HEX = re.compile(r"[0-9a-f]{1,64}")
NONE = "<none>:<none>"
NO_DIGEST = "<none>@<none>"
_EMPTY_IS_EMPTY = (1, 43)
"""Since this version an image without a name has no names; before, it has ``<none>``."""


async def resolve(call: Call, ref: str) -> Blueprint:
    """The image a user means, by id. Raises AbsentError when it is not there or not hers to see."""
    found = await look_up(call, ref)
    config = found.get("Config") or {}
    checked = config.get("Healthcheck") or {}
    return Blueprint(
        id=str(found["Id"]), environment=tuple(config.get("Env") or ()),
        ports=tuple(config.get("ExposedPorts") or ()), volumes=tuple(config.get("Volumes") or ()),
        health={name: int(checked[name]) for name in ("Interval", "StartInterval") if checked.get(name)},
    )  # fmt: skip


async def look_up(call: Call, ref: str) -> dict[str, Any]:
    """What the engine says of an image this user may see, under a name she may use.

    A name of somebody else's that looks like a short id wins over the id in the engine, not here.
    """
    if not is_reference(ref):
        raise absent("image", ref)
    if not is_id(ref) and not _HEX.fullmatch(ref):
        joined(ref, "")
    found = await _inspect(call, ref)
    if found is not None and await _hers(call, ref, found):
        return found
    ids = call.gate.registry.images_by_prefix(call.user, ref) if _HEX.fullmatch(ref) else []
    again = await _inspect(call, ids[0]) if len(ids) == 1 else None
    if again is None:
        raise absent("image", with_tag(ref))
    return again


async def _inspect(call: Call, ref: str) -> dict[str, Any] | None:
    head, data = await call.gate.engine.whole(Ask(method="GET", target=call.target(f"/images/{ref}/json")))
    if head.status == 404 or head.status == 400:
        return None
    if head.status != 200:
        raise RefusedError("image.lookup", "The engine cannot say what this image is", status=502)
    found: dict[str, Any] = json.loads(data)
    return found


async def _hers(call: Call, ref: str, found: Found) -> bool:
    id_ = str(found["Id"])
    if is_id(ref) or (name := looked_up(ref)) not in names(found):
        return await call.gate.registry.sees_image(call.user, id_) is not None
    return await call.gate.registry.image_named(call.user, id_, name) is not None


def names(found: Found) -> tuple[str, ...]:
    """All names of an image, whoever's."""
    return (*(found.get("RepoTags") or ()), *(found.get("RepoDigests") or ()))


async def listing(call: Call) -> None:
    """``images/json``."""
    await call.nothing()
    filters = {key: list(values) for key, values in call.query.filters.items()}
    for key in {"before", "since"} & filters.keys():
        filters[key] = [str((await look_up(call, ref))["Id"]) for ref in filters[key]]
    target = call.target("/images/json", call.query.values, filters)
    by_name = "reference" in filters or bool(call.query.get("filter"))

    def shown(found: Json) -> Json:
        rows = view(call).images(found)
        return cast(Json, [_named(call, row) for row in rows if not by_name or row["RepoTags"] or row["RepoDigests"]])

    await call.pass_whole(Ask(method="GET", target=target), shown)


async def all_images(call: Call) -> int:
    """How many images she sees, the layers of her builds among them."""
    head, data = await call.gate.engine.whole(Ask(method="GET", target=call.target("/images/json", {"all": ["1"]})))
    return len(view(call).images(parsed(data))) if head.status == 200 else 0


def _named(call: Call, row: Found) -> Found:
    if not row.get("RepoTags") and not row.get("RepoDigests") and call.version < _EMPTY_IS_EMPTY:
        row |= {"RepoTags": [NONE], "RepoDigests": [NO_DIGEST]}
    return row


async def inspect(call: Call) -> None:
    """``images/{name}/json``."""
    await call.nothing()
    found = await look_up(call, call.names["image"])
    known = await call.gate.registry.sees_image(call.user, str(found["Id"]))
    await call.answer_json(200, cast(Json, found if known is None else view(call).image(found, known)))


async def history(call: Call) -> None:
    """``images/{name}/history``."""
    await call.nothing()
    found = await look_up(call, call.names["image"])
    target = call.target(f"/images/{found['Id']}/history")
    await call.pass_whole(Ask(method="GET", target=target), lambda rows: cast(Json, view(call).layers(rows)))


async def attestations(call: Call) -> None:
    """``images/{name}/attestations``: what builders said of an image she may see. Older engines do not know it."""
    await call.nothing()
    found = await look_up(call, call.names["image"])
    await call.pass_whole(
        Ask(method="GET", target=call.target(f"/images/{found['Id']}/attestations", call.query.values))
    )


async def search(call: Call) -> None:
    """``images/search``: the engine asks the registry in the term."""
    await call.nothing()
    term = call.query.get("term")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/ -]{0,200}", term):
        raise malformed("search.term", "The search term is missing or cannot be read")
    check_registry(searched(term), call.user.registries)
    filters = {key: list(values) for key, values in call.query.filters.items()}
    headers = header(credentials(call.head.headers.get("x-registry-auth", "")))
    await call.pass_whole(
        Ask(method="GET", target=call.target("/images/search", call.query.values, filters), headers=headers)
    )


async def distribution(call: Call) -> None:
    """``distribution/{name}/json``: what a registry has under a name."""
    await call.nothing()
    name = looked_up(call.names["image"])
    if not name:
        raise malformed("tags.name", "invalid reference format")
    check_registry(registry_of(name), call.user.registries)
    headers = header(credentials(call.head.headers.get("x-registry-auth", "")))
    await call.pass_whole(Ask(method="GET", target=call.target(f"/distribution/{name}/json"), headers=headers))
