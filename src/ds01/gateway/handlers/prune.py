"""``images/prune``: what is one's own and nobody uses goes. The engine's own pruning knows no owners."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ds01.domain.dockerpolicy.prune import Prune, judge_prune
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.call import Call
from ds01.gateway.handlers.images import NONE
from ds01.gateway.handlers.naming import removed
from ds01.gateway.rows import listed
from ds01.gateway.things import Found
from ds01.gateway.upstream import parsed_object, text_of


async def images(call: Call) -> None:
    """Those without a name, or with ``-a`` all that no container uses."""
    await call.nothing()
    plan = judge_prune(call.query.filters, datetime.now(UTC))
    containers = listed(call, call.target("/containers/json", {"all": ["1"]}))
    used = {text_of(parsed_object(row), "ImageID") async for row in containers}
    rows: list[Json] = []
    reclaimed = 0
    for image in await _hers(call, plan):
        if image["Id"] in used:
            continue
        gone = await _remove(call, image)
        rows += gone
        whole = any(isinstance(row, dict) and row.get("Deleted") == image["Id"] for row in gone)
        reclaimed += int(image["Size"]) - max(0, int(image.get("SharedSize") or 0)) if whole else 0
    await call.answer_json(200, {"ImagesDeleted": rows or None, "SpaceReclaimed": reclaimed})


async def _hers(call: Call, plan: Prune) -> list[Found]:
    """Her images that she means."""
    found = []
    async for row in listed(call, call.target("/images/json", {}, plan.engine)):
        image = parsed_object(row)
        known = call.gate.registry.image(call.user, text_of(image, "Id"))
        if known is not None and call.user.account in known.owners and plan.takes(image):
            found.append(image)
    return found


async def _remove(call: Call, image: dict[str, Any]) -> list[Json]:
    """Remove it with all its names; what cannot go now (an image others are built on) stays, as with the engine."""
    image["RepoTags"] = [ref for ref in image.get("RepoTags") or () if ref != NONE]
    try:
        status, rows = await removed(call, image, "", force=True)
    except RefusedError:
        return []
    return rows if status == 200 and isinstance(rows, list) else []
