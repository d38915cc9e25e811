"""Images: seen when they are one's own or shared, under the names that are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import cast

from ds01.domain.dockerpolicy.query import Filters
from ds01.domain.dockerpolicy.refpattern import References
from ds01.domain.dockerpolicy.registries import check_registry, credentials, header, registry_of, searched
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.tags import looked_up
from ds01.domain.dockerpolicy.verdict import malformed
from ds01.domain.own_images import stored_image
from ds01.gateway.call import Call
from ds01.gateway.handlers.containers import own_labels, view
from ds01.gateway.handlers.lookup import look_up
from ds01.gateway.rows import NoListError, listed
from ds01.gateway.things import Found
from ds01.gateway.upstream import JSON_BYTES, Ask, TooLargeError, as_object, parsed_object

NONE = "<none>:<none>"
NO_DIGEST = "<none>@<none>"
_FILTERS_ALONE = (1, 41)
"""Before, a name could be asked for with ``filter``, which is read no more."""
_EMPTY_IS_EMPTY = (1, 43)
"""Since this version an image without a name has no names; before, it has ``<none>``."""


async def listing(call: Call) -> None:
    """``images/json``."""
    await call.nothing()
    filters = {key: list(values) for key, values in call.query.filters.items()}
    values = dict(call.query.values)
    named = values.pop("filter", ())
    if named and call.version < _FILTERS_ALONE:
        filters["reference"] = [*filters.get("reference", []), *named]
    for key in {"before", "since"} & filters.keys():
        filters[key] = [str((await look_up(call, ref))["Id"]) for ref in filters[key]]
    own = {} if call.user.admin else call.gate.registry.own_images(call.user)
    wanted = filters.get("reference", [])
    patterns = References(wanted)
    if wanted:
        filters["reference"] = [*wanted, *(stored_image(each, call.user.uid) for each in wanted if own)]
    rows = await _rows(call, values, filters)
    for row in rows if wanted else ():
        row["RepoTags"] = [ref for ref in row["RepoTags"] or () if ref not in own or patterns.find(ref)]
    kept = (row for row in rows if not wanted or row["RepoTags"] or row["RepoDigests"])
    await call.answer_json(200, cast(Json, [_named(call, row) for row in kept]))


async def all_images(call: Call) -> int:
    """How many images she sees, the layers of her builds among them."""
    try:
        return len(await _rows(call, {"all": ["1"]}, {}))
    except NoListError:
        return 0


async def _rows(call: Call, values: Mapping[str, Sequence[str]], filters: Filters) -> list[Found]:
    """Her rows of the engine's list. The layers of builds are asked for by owner: others may have any number of them.
    Raises NoListError.
    """
    plain = {name: many for name, many in values.items() if name != "all"}
    if call.user.admin or "all" not in values:
        return await _asked(call, values, filters)
    named = await _asked(call, plain, filters)
    layers = await _asked(call, values, {**filters, "label": [*filters.get("label", ()), *own_labels(call)]})
    every = {str(row["Id"]): row for row in (*named, *layers)}
    return sorted(every.values(), key=lambda row: int(row["Created"]), reverse=True)


async def _asked(call: Call, values: Mapping[str, Sequence[str]], filters: Filters) -> list[Found]:
    shown, found, size = view(call), list[Found](), 0
    async for row in listed(call, call.target("/images/json", values, filters)):
        mine = shown.image_row(parsed_object(row))
        if mine is not None:
            found.append(mine)
            size += len(row)
        if size > JSON_BYTES:
            raise TooLargeError("the engine's answer is too large")
    return found


def _named(call: Call, row: Found) -> Found:
    if not row.get("RepoTags") and not row.get("RepoDigests") and call.version < _EMPTY_IS_EMPTY:
        row |= {"RepoTags": [NONE], "RepoDigests": [NO_DIGEST]}
    return row


async def inspect(call: Call) -> None:
    """``images/{name}/json``."""
    await call.nothing()
    found = await look_up(call, call.names["image"])
    known = await call.gate.registry.sees_image(call.user, str(found["Id"]))

    def shown(found: Json) -> Json:
        return cast(Json, found if known is None else view(call).image(as_object(found), known))

    if call.query.values:  # more of it, or another platform's
        target = call.target(f"/images/{found['Id']}/json", call.query.values)
        await call.pass_whole(Ask(method="GET", target=target), shown)
    else:
        await call.answer_json(200, shown(found))


async def history(call: Call) -> None:
    """``images/{name}/history``."""
    await call.nothing()
    found = await look_up(call, call.names["image"])
    target = call.target(f"/images/{found['Id']}/history", call.query.values)
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
