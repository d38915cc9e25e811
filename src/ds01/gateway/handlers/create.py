"""``POST /containers/create``: judged, granted, written anew; whatever fails on the way gives the grant back.

So does what breaks it off, when the gateway stops. Of a gateway that is killed ds01d takes the grant back by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import random

import structlog

from ds01.domain.dockerpolicy.builders import check_builder_container
from ds01.domain.dockerpolicy.case import Joined, Plan
from ds01.domain.dockerpolicy.commandsize import check_command
from ds01.domain.dockerpolicy.create import door_of, judge_create
from ds01.domain.dockerpolicy.mountcount import check_mounts, nameless
from ds01.domain.dockerpolicy.mounts import check_places
from ds01.domain.dockerpolicy.names import container_name, invented
from ds01.domain.dockerpolicy.platform import check_platform
from ds01.domain.dockerpolicy.portcount import published
from ds01.domain.dockerpolicy.strictjson import Json, dump
from ds01.domain.dockerpolicy.verdict import Change, RefusedError, malformed, not_allowed
from ds01.gateway import links, ports
from ds01.gateway.call import Call
from ds01.gateway.cut import cut
from ds01.gateway.finish import Blueprint, Resolved, body
from ds01.gateway.handlers.lookup import resolve
from ds01.gateway.handlers.networks import resolve_network
from ds01.gateway.held import DoorDownError
from ds01.gateway.ongoing import before_the_end, while_there
from ds01.gateway.upstream import Ask, UpstreamError, parsed_object, text_of
from ds01.wire.door import DoorBind, DoorCommit, DoorContainer, DoorCreate, DoorDevice, DoorGrant, DoorTicket
from ds01.wire.holdings import DoorVolumeAsk

_PARTS_SINCE = (1, 45)
_CHOOSE = random.SystemRandom()
_LOG = structlog.get_logger("ds01.gateway.create")


async def create(call: Call) -> None:
    """The whole of a create."""
    asked = call.query.get("name")
    check_builder_container(asked)
    check_platform("create.platform", "a container for", call.query.get("platform"), call.gate.facts.platform)
    hers = {c.name for c in call.gate.registry.containers(call.user)}
    name = container_name(asked) if asked else invented(_CHOOSE, hers)
    plan = await call.judged(judge_create, await call.json(), name, call.asker)
    call.changes += plan.case.changes
    _check_parts(call, plan)
    image = await resolve(call, plan.case.image)
    check_command(plan.config, image.entrypoint, image.command)
    others = {ref: await call.gate.registry.container(call.user, ref) for ref in plan.references}
    check_places(image.volumes)
    inherited = await _volumes_from(call, plan, others)
    check_mounts(plan.case, image.volumes, inherited)
    plan.case.environment[:0] = await links.environment(call, plan, others)
    networks = {name: (await resolve_network(call, name)).stored for name in plan.networks if name}
    socket = await call.gate.own_socket(call.user) if plan.case.sockets else ""
    grant = await _granted(call, _ask(call, plan, others, nameless(plan.case, image.volumes, inherited), image))
    call.changes += (*ports.elsewhere(plan.case, grant), *cut(plan.case, grant))
    if grant.own_network is not None:
        call.gate.registry.learn(grant.own_network)
    found = Resolved(
        containers={ref: other.id for ref, other in others.items()}, networks={"": grant.network, **networks},
        socket=socket,
    )  # fmt: skip
    with call.gate.registry.coming(grant.stored_name, _coming(call, plan, grant)):
        await _made(call, plan, grant, image, found)


async def _granted(call: Call, ask: DoorCreate) -> DoorGrant:
    """Who waits for GPUs and hangs up gives her place up: ds01d is hung up on as well."""
    if not ask.wait_seconds:
        return await call.gate.door.create(ask)
    return await while_there(call.client.gone, call.gate.door.create(ask))


def _coming(call: Call, plan: Plan, grant: DoorGrant) -> DoorContainer:
    return DoorContainer(
        id="", uid=call.user.uid, epoch=call.user.epoch, name=plan.name, stored_name=grant.stored_name,
        image_ref=plan.case.image,
    )  # fmt: skip


def _ask(call: Call, plan: Plan, others: dict[str, DoorContainer], anonymous: int, image: Blueprint) -> DoorCreate:
    case = plan.case
    named = {volume.name: volume for volume in case.volumes if volume.name}
    return DoorCreate(
        uid=call.user.uid,
        name=plan.name,
        image=case.image,
        image_id=image.id,
        user=str(plan.config.get("User") or ""),
        door=door_of(case.labels),
        gpus=case.gpus,
        gpu_memory_bytes=case.gpu_memory_bytes,
        binds=tuple(
            DoorBind(source=b.source, target=b.target, read_only=b.read_only, create=b.create) for b in case.binds
        ),
        devices=tuple(DoorDevice(host=d.host, inside=d.inside, permissions=d.permissions) for d in case.devices),
        ports=tuple(dict.fromkeys(case.ports)),
        published=published(plan, image.ports),
        volumes=tuple(
            DoorVolumeAsk(uid=call.user.uid, name=name, labels=dict(volume.labels), options=dict(volume.options))
            for name, volume in named.items()
        ),
        anonymous=anonymous,
        joins=tuple(other.id for other in others.values()),
        cpus=case.asked_cpus,
        memory_bytes=case.memory_bytes,
        shm_bytes=case.shm_bytes,
        pids=case.pids,
        wait_seconds=case.wait_seconds,
    )


def _check_parts(call: Call, plan: Plan) -> None:
    """An engine that does not know parts of volumes mounts the whole one."""
    if call.version < _PARTS_SINCE and any(volume.subpath for volume in plan.case.volumes):
        raise not_allowed("create.volumes.subpath", "a part of a volume with this engine", "Mount the whole volume.")


async def _volumes_from(call: Call, plan: Plan, others: dict[str, DoorContainer]) -> list[str]:
    """The places of what comes from other containers. Folders of the host do not travel from one into another: whoever
    wants one names it.
    """
    found = plan.host.get("VolumesFrom")
    named = [others[item.ref] for item in found if isinstance(item, Joined)] if isinstance(found, list) else []
    for other in named:
        if other.binds:
            raise malformed(
                "create.volumes-from", f"'{other.name}' has a folder of the host", "Name the folder again with -v."
            )
    seen = [await call.engine_container(other.id) for other in named]
    return [str(mount["Destination"]) for each in seen for mount in each.get("Mounts") or ()]


async def _made(call: Call, plan: Plan, grant: DoorGrant, image: Blueprint, found: Resolved) -> None:
    """Ask the engine; commit when it made the container, abort when it did not."""
    made: str | None = None
    try:
        made, answer, status = await _engine_create(call, body(plan, grant, image, found), grant.stored_name)
        if made is None:
            await call.gate.door.abort(DoorTicket(ticket=grant.ticket))
            await call.answer_error(status, answer)
            return
        recorded = await call.gate.door.commit(DoorCommit(ticket=grant.ticket, id=made))
    except asyncio.CancelledError:
        with contextlib.suppress(TimeoutError):
            await before_the_end(_undo(call, grant, made))
        raise
    except Exception:
        await _undo(call, grant, made)
        raise
    call.gate.registry.learn(recorded.container)
    for volume in recorded.volumes:
        call.gate.registry.learn(volume)
    call.subject = made
    changes = (*call.changes, *(Change(rule="create.granted", text=text, told=True) for text in grant.notes))
    warnings: list[Json] = [f"DS01: {change.text}" for change in changes if change.told]
    await call.answer_json(201, {"Id": made, "Warnings": [*_warnings(answer), *warnings]})


async def _engine_create(call: Call, wanted: dict[str, Json], stored: str) -> tuple[str | None, bytes, int]:
    target = call.target("/containers/create", {"name": [stored]})
    head, data = await call.gate.engine.whole(Ask(method="POST", target=target, body=dump(wanted)))
    if head.status != 201:
        return None, data, head.status if head.status >= 400 else 502
    return text_of(parsed_object(data), "Id"), data, head.status


async def _undo(call: Call, grant: DoorGrant, made: str | None) -> None:
    """Leave nothing behind: neither a container without an owner nor a grant without a container. One that cannot be
    removed now was never started, and ds01d clears it away.
    """
    if made is not None:
        await _removed(call, made)
    try:
        await call.gate.door.abort(DoorTicket(ticket=grant.ticket))
    except (DoorDownError, RefusedError):
        return  # the ticket expires by itself


async def _removed(call: Call, made: str) -> None:
    target = call.target(f"/containers/{made}", {"force": ["1"], "v": ["1"]})
    try:
        await call.gate.engine.whole(Ask(method="DELETE", target=target))
    except (UpstreamError, ConnectionError) as error:
        _LOG.warning("create.left", container=made, reason=str(error))


def _warnings(answer: bytes) -> list[Json]:
    found = parsed_object(answer).get("Warnings")
    return found if isinstance(found, list) else []
