"""Containers that are changed, looked into, or cleared away: ``update``, ``changes``, ``export``, prune."""

from __future__ import annotations

from ds01.domain.dockerpolicy.running import never_by_itself
from ds01.domain.dockerpolicy.strictjson import Json, dump
from ds01.domain.dockerpolicy.update import UpdatePlan, judge_update
from ds01.gateway import flow
from ds01.gateway.call import Call
from ds01.gateway.cut import cut
from ds01.gateway.finish import CPU_NANO, resolved
from ds01.gateway.handlers.containers import own_labels, removed_from_books
from ds01.gateway.pace import Costly
from ds01.gateway.upstream import Ask, as_object, parsed_object
from ds01.wire.door import DoorAmounts, DoorAmountsGrant


async def update(call: Call) -> None:
    """``update``: never more than a create would have given."""
    plan = judge_update(await call.json(), call.asker)
    container = await call.container()
    ask = DoorAmounts(
        uid=container.uid, id=container.id, cpus=plan.cpus, memory_bytes=plan.memory_bytes, pids=plan.pids
    )
    grant = await call.gate.door.amounts(ask)
    body = _amounts(plan, grant)
    call.changes += (*plan.case.changes, *cut(plan.case, grant))
    told: list[Json] = [f"DS01: {change.text}" for change in call.changes if change.told]

    def shown(found: Json) -> Json:
        said = as_object(found).get("Warnings") or []
        return {"Warnings": [*said, *told]}

    target = call.target(f"/containers/{container.id}/update")
    await call.pass_whole(Ask(method="POST", target=target, body=dump(body)), shown)


def _amounts(plan: UpdatePlan, grant: DoorAmountsGrant) -> dict[str, Json]:
    """What is asked for, at most what is granted; what is not asked for is left as it is."""
    kept = dict(plan.kept)
    if grant.devices and "RestartPolicy" in kept:
        kept["RestartPolicy"] = never_by_itself(plan.case, kept["RestartPolicy"])
    body: dict[str, Json] = {name: resolved(value, {}) for name, value in kept.items()}
    if plan.memory_bytes is not None:
        body |= {"Memory": grant.memory_bytes, "MemorySwap": grant.memory_bytes + grant.swap_bytes}
    if reserved := plan.case.memory_reservation_bytes:
        body["MemoryReservation"] = min(reserved, grant.memory_bytes)
    if plan.cpus is not None:
        body["NanoCpus"] = int(grant.cpus * CPU_NANO)
    if plan.pids is not None:
        body["PidsLimit"] = grant.pids
    return body


async def changes(call: Call) -> None:
    """``changes``: the writable layer against the image, which the engine walks through as for a size."""
    await call.nothing()
    await call.gate.pace.take(call.user.uid, Costly.MEASURE)
    container = await call.container()
    await call.pass_whole(Ask(method="GET", target=call.target(f"/containers/{container.id}/changes")))


async def export(call: Call) -> None:
    """``export``: its own files as an archive; what is mounted is not in it."""
    await call.nothing()
    container = await call.container()
    await flow.stream(call, Ask(method="GET", target=call.target(f"/containers/{container.id}/export")))


async def prune(call: Call) -> None:
    """``containers/prune``: hers that do not run."""
    await call.nothing()
    filters = {key: list(values) for key, values in call.query.filters.items()}
    filters["label"] = [*filters.get("label", []), *own_labels(call)]
    target = call.target("/containers/prune", None, filters)
    head, data = await flow.patiently(call, Ask(method="POST", target=target))
    if head.status < 400:
        for removed in parsed_object(data).get("ContainersDeleted") or ():
            await removed_from_books(call, removed)
    await call.pass_answer(head, data)
