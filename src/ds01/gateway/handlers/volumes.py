"""Volumes: each user has her own, under names of her own."""

from __future__ import annotations

import secrets
from typing import cast

from ds01.domain.dockerpolicy.names import NameFilter
from ds01.domain.dockerpolicy.prune import labelled
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.verdict import absent
from ds01.domain.dockerpolicy.volumes import judge_volume
from ds01.domain.names import stored_volume
from ds01.gateway import flow
from ds01.gateway.call import Call
from ds01.gateway.measured import measured
from ds01.gateway.pace import Costly
from ds01.gateway.rows import NoListError, own_lists
from ds01.gateway.things import Found, Things
from ds01.gateway.unwritten import seen_later
from ds01.gateway.upstream import Ask, parsed_object
from ds01.wire.holdings import DoorDropped, DoorVolume, DoorVolumeAsk, Kind

_ANONYMOUS = "com.docker.volume.anonymous"
"""The engine's own mark of a volume nobody named."""

_ALL_SINCE = (1, 42)
"""From here on a prune takes named volumes only when it is told to."""


def things(call: Call) -> Things:
    """How this user sees volumes and networks."""
    return Things(call.gate.registry, call.user)


async def listing(call: Call) -> None:
    """``/volumes``."""
    await call.nothing()
    filters = {key: list(values) for key, values in call.query.filters.items()}
    names = NameFilter(filters.pop("name", []))
    found = await own_lists(call, call.target("/volumes", None, filters), {"Volumes": things(call).volume})
    rows: list[Found] = found["Volumes"]
    shown = [row for row in rows if names.matches(row["Name"])]
    await call.answer_json(200, {"Volumes": cast(Json, shown), "Warnings": None})


async def inspect(call: Call) -> None:
    """``/volumes/{name}``."""
    await call.nothing()
    await _show(call, _own(call), 200)


def _own(call: Call) -> DoorVolume:
    name = call.names["volume"]
    known = call.gate.registry.volume(call.user, name)
    if known is None:
        raise absent("volume", name)
    call.subject = known.id
    return known


async def _show(call: Call, volume: DoorVolume, status: int) -> None:
    head, data = await call.gate.engine.whole(Ask(method="GET", target=call.target(f"/volumes/{volume.id}")))
    if head.status == 404:
        raise absent("volume", call.gate.registry.called(call.user, volume))
    if head.status >= 400:
        await call.answer_error(head.status, data)
        return
    await call.answer_json(status, cast(Json, things(call).volume(parsed_object(data))))


async def create(call: Call) -> None:
    """``/volumes/create``: one of this name that she has is answered as if it were new, as the engine does."""
    plan = judge_volume(await call.json(), call.asker)
    call.changes += plan.changes
    name = plan.name or secrets.token_hex(32)
    stored = stored_volume(name, call.user.uid)
    coming = DoorVolume(id=stored, uid=call.user.uid, epoch=call.user.epoch, name=name)
    with call.gate.registry.coming(stored, coming):
        nameless = {} if plan.name or call.version < _ALL_SINCE else {_ANONYMOUS: ""}
        labels = {**plan.labels, **nameless}
        ask = DoorVolumeAsk(uid=call.user.uid, name=name, labels=labels, options=dict(plan.options))
        made = await call.gate.door.volume(ask)
    call.gate.registry.learn(made)
    call.subject = made.id
    await _show(call, made, 201)


async def remove(call: Call) -> None:
    """``DELETE /volumes/{name}``."""
    await call.nothing()
    if call.query.on("force") and call.gate.registry.volume(call.user, call.names["volume"]) is None:
        await call.answer(204)
        return
    known = _own(call)
    ask = Ask(method="DELETE", target=call.target(f"/volumes/{known.id}", call.query.values))
    head, data = await flow.patiently(call, ask)
    if head.status < 400:
        await gone(call, Kind.VOLUME, [known.id])
    await call.pass_answer(head, data)


async def gone(call: Call, kind: Kind, ids: list[str]) -> None:
    """ds01d hears of it before the client does. It is forgotten first: of what was made again, ds01d tells again."""
    for each in ids:
        call.gate.registry.forget(each)
    if ids:
        with seen_later(kind.value, ids[0]):
            await call.gate.door.dropped(DoorDropped(uid=call.user.uid, kind=kind, ids=tuple(ids)))


async def prune(call: Call) -> None:
    """``/volumes/prune``: hers that nothing uses. The engine would take everybody's, so they are removed one by one."""
    await call.nothing()
    unused = await _unused(call)
    known = await _sizes(call) if unused else {}
    removed: list[DoorVolume] = []
    try:
        for volume in unused:
            if await _removed(call, volume):
                removed.append(volume)  # noqa: PERF401  what went before it breaks off is told as well
    finally:
        await gone(call, Kind.VOLUME, [volume.id for volume in removed])
    names = [call.gate.registry.called(call.user, volume) for volume in removed]
    freed = sum(known.get(name, 0) for name in names)
    await call.answer_json(200, {"VolumesDeleted": cast(Json, names), "SpaceReclaimed": freed})


async def _sizes(call: Call) -> dict[str, int]:
    """How large each of hers is, as the engine measures them; it is asked like anybody who measures."""
    await call.gate.pace.take(call.user.uid, Costly.MEASURE)
    try:
        rows = (await measured(call, ["volume"], {"Volumes": things(call).volume}))["Volumes"]
    except NoListError:
        return {}
    return {row["Name"]: max(0, int((row.get("UsageData") or {}).get("Size") or 0)) for row in rows}


async def _unused(call: Call) -> list[DoorVolume]:
    """Those of hers that no container has, as the filters say."""
    wanted = call.query.filters
    filters = {"dangling": ["true"], "label": list(wanted.get("label", ()))}
    target = call.target("/volumes", None, {key: values for key, values in filters.items() if values})
    named = call.version < _ALL_SINCE or any(value in ("1", "true") for value in wanted.get("all", ()))

    def meant(row: Found) -> Found | None:
        known = call.gate.registry.volume_by_id(call.user, row["Name"])
        mine = known is not None and known.uid == call.user.uid
        nameless = known is not None and (known.anonymous or _ANONYMOUS in (row.get("Labels") or {}))
        return row if mine and (named or nameless) and not labelled(row, wanted.get("label!", ())) else None

    rows: list[Found] = (await own_lists(call, target, {"Volumes": meant}))["Volumes"]
    found = (call.gate.registry.volume_by_id(call.user, row["Name"]) for row in rows)
    return [volume for volume in found if volume is not None]


async def _removed(call: Call, volume: DoorVolume) -> bool:
    """False when a container got it meanwhile."""
    head, _ = await flow.patiently(call, Ask(method="DELETE", target=call.target(f"/volumes/{volume.id}")))
    return head.status < 300
