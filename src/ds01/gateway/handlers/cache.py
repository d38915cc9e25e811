"""``build/prune``: of BuildKit's cache, what is one's own. The engine's own pruning knows no owners."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from ds01.domain.dockerpolicy.cacheprune import CachePrune, judge_cache_prune
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.verdict import malformed
from ds01.gateway.call import Call
from ds01.gateway.measured import measured
from ds01.gateway.pace import Costly
from ds01.gateway.things import Found
from ds01.gateway.upstream import Ask, parsed_object

_SECONDS = 600
_ROUNDS = 5
"""A record goes when nothing is made of it any more, so others are tried again."""


async def prune(call: Call) -> None:
    """One's own records, each by its id."""
    await call.nothing()
    await call.gate.pace.take(call.user.uid, Costly.MEASURE)
    values = call.query.values
    if any(int(value) for value in values.get("min-free-space", ())):
        raise malformed("prune.space", "The disk's free space is the server's to keep", "Leave out --min-free-space.")
    sizes = [*values.get("keep-storage", ()), *values.get("reserved-space", ()), *values.get("max-used-space", ())]
    plan = judge_cache_prune(sizes, call.query.filters, datetime.now(UTC))
    mine = await _removable(call, plan)
    left = plan.takes(await _records(call, mine))
    pruned = _Pruned()
    for _ in range(_ROUNDS):
        before = len(pruned.gone)
        for record in left:
            await _prune(call, record, pruned)
        left = [record for record in left if record not in pruned.gone]
        if len(pruned.gone) == before or not left:
            break
    if pruned.refusal is not None and not pruned.gone:
        await call.answer_error(*pruned.refusal)
        return
    gone: Json = [*pruned.gone] or None
    await call.answer_json(200, {"CachesDeleted": gone, "SpaceReclaimed": pruned.reclaimed_bytes})


@dataclass(kw_only=True)
class _Pruned:
    """What went so far, and what the engine said last of a record that did not."""

    gone: list[str] = field(default_factory=list)
    reclaimed_bytes: int = 0
    refusal: tuple[int, bytes] | None = None


async def _removable(call: Call, plan: CachePrune) -> frozenset[str]:
    """Whoever wants all of it gone gives up what others may have made as well: it goes with the last of them."""
    if not (plan.whole and call.query.on("all")):
        return await call.gate.door.cache(call.user.uid)
    found = await call.gate.door.drop_cache(call.user.uid)
    return frozenset((*found.ids, *found.unseen))


async def _records(call: Call, mine: frozenset[str]) -> list[Found]:
    found = await measured(call, ["build-cache"], {"BuildCache": lambda row: row if row["ID"] in mine else None})
    records: list[Found] = found["BuildCache"]
    return records


async def _prune(call: Call, record: str, pruned: _Pruned) -> None:
    values = {"all": list(call.query.values["all"])} if "all" in call.query.values else {}
    target = call.target("/build/prune", values, {"id": [record]})
    head, data = await call.gate.engine.whole(Ask(method="POST", target=target), _SECONDS)
    if head.status != 200:
        pruned.refusal = head.status, data
        return
    done = parsed_object(data)
    pruned.gone += done.get("CachesDeleted") or ()
    pruned.reclaimed_bytes += int(done.get("SpaceReclaimed") or 0)
