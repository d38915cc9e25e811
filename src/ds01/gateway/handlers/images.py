"""Images: seen when they are one's own or shared, under the names that are."""

from __future__ import annotations

import re
from typing import cast

from ds01.domain.dockerpolicy.refpattern import References
from ds01.domain.dockerpolicy.registries import check_registry, credentials, header, registry_of, searched
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.tags import looked_up
from ds01.domain.dockerpolicy.verdict import malformed
from ds01.domain.own_images import stored_image
from ds01.gateway.call import Call, parsed
from ds01.gateway.handlers.containers import view
from ds01.gateway.handlers.lookup import look_up
from ds01.gateway.show import Found
from ds01.gateway.upstream import Ask

NONE = "<none>:<none>"
NO_DIGEST = "<none>@<none>"
_EMPTY_IS_EMPTY = (1, 43)
"""Since this version an image without a name has no names; before, it has ``<none>``."""


async def listing(call: Call) -> None:
    """``images/json``."""
    await call.nothing()
    filters = {key: list(values) for key, values in call.query.filters.items()}
    for key in {"before", "since"} & filters.keys():
        filters[key] = [str((await look_up(call, ref))["Id"]) for ref in filters[key]]
    own = {} if call.user.admin else call.gate.registry.own_images(call.user)
    wanted = filters.get("reference", [])
    patterns = References(wanted)
    if wanted:
        filters["reference"] = [*wanted, *(stored_image(each, call.user.uid) for each in wanted if own)]
    target = call.target("/images/json", call.query.values, filters)

    def shown(found: Json) -> Json:
        rows = view(call).images(found)
        for row in rows if wanted else ():
            row["RepoTags"] = [ref for ref in row["RepoTags"] or () if ref not in own or patterns.find(ref)]
        return cast(Json, [_named(call, row) for row in rows if not wanted or row["RepoTags"] or row["RepoDigests"]])

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
