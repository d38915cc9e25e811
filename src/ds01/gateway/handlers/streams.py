"""Terminals: attach, and commands in a running container."""

from __future__ import annotations

import re

from ds01.domain.dockerpolicy.execute import judge_exec, judge_exec_start
from ds01.domain.dockerpolicy.strictjson import Json, dump
from ds01.domain.dockerpolicy.verdict import RefusedError, absent, malformed
from ds01.gateway import flow, relay
from ds01.gateway.call import Call
from ds01.gateway.execs import WAITING
from ds01.gateway.pace import EXEC_BYTES, Costly
from ds01.gateway.stream import Stream
from ds01.gateway.upstream import Ask, parsed_object, text_of

_EXEC = re.compile(r"[0-9a-f]{64}")
_WEBSOCKET = ("sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol", "origin")


async def attach(call: Call) -> None:
    """``attach``: the container's own terminal."""
    await call.nothing()
    container = await call.container()
    target = call.target(f"/containers/{container.id}/attach", call.query.values)
    await flow.upgrade(call, Ask(method="POST", target=target, upgrade=_protocol(call, "tcp")))


async def attach_websocket(call: Call) -> None:
    """``attach/ws``."""
    await call.nothing()
    container = await call.container()
    if call.head.upgrade != "websocket":
        raise malformed("attach.websocket", "This address is for websockets")
    headers = {name.title(): call.head.headers[name] for name in _WEBSOCKET if name in call.head.headers}
    target = call.target(f"/containers/{container.id}/attach/ws", call.query.values)
    await flow.upgrade(call, Ask(method="GET", target=target, upgrade="websocket", headers=headers))


def _protocol(call: Call, wanted: str) -> str:
    """The protocol to ask for: the client's, when it is the one this request knows."""
    if call.head.upgrade not in ("", wanted):
        raise malformed("http.upgrade", f"The protocol {call.head.upgrade[:20]!r} is not spoken here")
    return call.head.upgrade


async def exec_create(call: Call) -> None:
    """``exec``: as the container's owner where the container must be hers alone."""
    container = await call.container()
    await call.gate.pace.take(call.user.uid, Costly.EXEC)
    plan = judge_exec(await call.json(), call.asker, container.force_user)
    call.changes += plan.changes
    body, execs = dump(plan.body), call.gate.execs
    await call.gate.pace.take(call.user.uid, Costly.EXECS, 1 + len(body) // EXEC_BYTES)
    if execs.many(container.id):
        execs.seen(container.id, (await call.engine_container(container.id)).get("ExecIDs") or ())
        if execs.many(container.id):
            raise _too_many()
    ask = Ask(method="POST", target=call.target(f"/containers/{container.id}/exec"), body=body)
    head, data = await execs.making(container.id, call.gate.engine.whole(ask))
    if head.status < 400:
        execs.learn(text_of(parsed_object(data), "Id"), container.id)
    await call.pass_answer(head, data)


def _too_many() -> RefusedError:
    what = f"{WAITING} commands were made in this container and never started"
    return RefusedError("exec.waiting", what, "Start them, or the container anew: docker restart.", status=429)


async def _known(call: Call) -> None:
    """The exec in the path is in a container of the user's. Raises AbsentError."""
    known = call.gate.execs.container(call.names["exec"])
    await (_owned(call, known) if known else _exec(call))


async def _exec(call: Call) -> dict[str, Json]:
    """The exec in the path, as the engine shows it, when it is in a container of the user's."""
    wanted = call.names["exec"]
    if not _EXEC.fullmatch(wanted):
        raise absent("exec instance", wanted)
    target = call.target(f"/exec/{wanted}/json")
    found = await call.gate.ends.take(target)
    if found is None:
        head, data = await call.gate.engine.whole(Ask(method="GET", target=target))
        if head.status != 200:
            raise absent("exec instance", wanted)
        found = parsed_object(data)
    await _owned(call, str(found.get("ContainerID")))
    return found


async def _owned(call: Call, container_id: str) -> None:
    try:
        container = await call.gate.registry.container(call.user, container_id)
    except RefusedError as error:
        if error.status != 404:
            raise
        raise absent("exec instance", call.names["exec"]) from error
    call.subject = container.id


async def exec_start(call: Call) -> None:
    """``exec/{id}/start``: the body says whether a stream follows, headers do not."""

    async def until_its_end(client: Stream, engine: Stream) -> None:
        how = call.gate.ends.question(call.gate.engine, call.target(f"/exec/{call.names['exec']}/json"))
        await relay.raw(client, engine, how)

    started = judge_exec_start(await call.json(), call.asker)
    await _known(call)
    target = call.target(f"/exec/{call.names['exec']}/start")
    detached = started.get("Detach") is True
    protocol = "" if detached else _protocol(call, "tcp")
    ask = Ask(method="POST", target=target, body=dump({"Detach": False, "Tty": False, **started}), upgrade=protocol)
    call.gate.execs.started(call.names["exec"], call.subject)
    try:
        await (call.pass_whole(ask) if detached else flow.upgrade(call, ask, until_its_end))
    finally:
        if call.status >= 400:
            call.gate.execs.learn(call.names["exec"], call.subject)


async def exec_inspect(call: Call) -> None:
    """``exec/{id}/json``."""
    await call.nothing()
    await call.answer_json(200, await _exec(call))


async def exec_resize(call: Call) -> None:
    """``exec/{id}/resize``."""
    await call.nothing()
    await _known(call)
    await call.pass_whole(
        Ask(method="POST", target=call.target(f"/exec/{call.names['exec']}/resize", call.query.values))
    )
