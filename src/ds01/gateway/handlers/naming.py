"""Names of images: given, and taken away."""

from __future__ import annotations

from typing import Any, cast

from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.tags import joined
from ds01.gateway import flow
from ds01.gateway.call import Call
from ds01.gateway.handlers.containers import view
from ds01.gateway.handlers.lookup import find, look_up, names
from ds01.gateway.handlers.writing import Written
from ds01.gateway.things import Found
from ds01.gateway.unwritten import seen_later
from ds01.gateway.upstream import Ask, parsed_list
from ds01.wire.door import DoorRemoval, DoorRemoved, DoorWrite, Writing


async def tag(call: Call) -> None:
    """``images/{name}/tag``."""
    await call.nothing()
    found = await look_up(call, call.names["image"])
    ref = joined(call.query.get("repo"), call.query.get("tag"))
    wanted = DoorWrite(uid=call.user.uid, what=Writing.TAG, refs=(ref,), image=str(found["Id"]))
    async with await Written.begin(call, wanted) as written:
        target = call.target(f"/images/{found['Id']}/tag", written.parts)
        head, data = await call.gate.engine.whole(Ask(method="POST", target=target))
        written.done = head.status < 300
    await call.pass_answer(head, data)


async def remove(call: Call) -> None:
    """``DELETE``: an image, or one of its names."""
    await call.nothing()
    found, ref = await find(call, call.names["image"])
    status, answer = await removed(call, found, ref, force=call.query.on("force"))
    await call.answer_json(status, answer)


async def removed(call: Call, found: dict[str, Any], ref: str, *, force: bool) -> tuple[int, Json]:
    """Remove what may be removed; the status and the engine's own words about it."""
    image = str(found["Id"])
    call.subject = image
    plan = await call.gate.door.removal(DoorRemoval(uid=call.user.uid, image=image, ref=ref, force=force))
    rows: list[Json] = []
    status, refusal, over = 200, b"", False
    try:
        for target in plan.targets:
            head, data = await _delete(call, target, force=force)
            if head >= 400:
                status, refusal = head, data
                break
            rows += parsed_list(data)
        over = True
    finally:
        if over or rows:
            await _settled(call, image, names(found))
    rows += ({"Untagged": name} for name in plan.untagged)
    rows += ({"Deleted": name} for name in plan.deleted)
    rows = [{kind: view(call).called(str(name)) for kind, name in cast(Found, row).items()} for row in rows]
    return (status, call.refusal(refusal)) if status >= 400 else (200, rows)


async def _delete(call: Call, target: str, *, force: bool) -> tuple[int, bytes]:
    values = {"force": ["1"]} if force else {}
    if "noprune" in call.query.values:
        values["noprune"] = list(call.query.values["noprune"])
    head, data = await flow.patiently(call, Ask(method="DELETE", target=call.target(f"/images/{target}", values)))
    return head.status, data


async def _settled(call: Call, image: str, refs: tuple[str, ...]) -> None:
    with seen_later("image", image):
        left = await call.gate.door.removed(DoorRemoved(uid=call.user.uid, image=image, refs=refs))
        if not left:
            call.gate.registry.forget(image)
        for each in left:
            call.gate.registry.learn(each)
