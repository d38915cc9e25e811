"""Containers that are there: shown, followed, stopped, removed. Each only its owner's."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import structlog

from ds01.domain.dockerpolicy.config import STOP_SECONDS
from ds01.domain.dockerpolicy.names import NameFilter
from ds01.domain.dockerpolicy.query import Filters
from ds01.domain.dockerpolicy.verdict import EngineWordsError, RefusedError
from ds01.domain.errors import BUSY
from ds01.domain.image_access import is_id
from ds01.domain.labels import Label
from ds01.gateway import flow
from ds01.gateway.call import Call
from ds01.gateway.handlers.lookup import look_up
from ds01.gateway.held import FULL, DoorDownError
from ds01.gateway.http import AnswerHead
from ds01.gateway.pace import Costly
from ds01.gateway.show import View
from ds01.gateway.unwritten import seen_later
from ds01.gateway.upstream import Ask, UnreachableError, UpstreamError, as_object
from ds01.wire.door import DoorContainer, DoorGone, DoorStart, DoorTicket, GoneBy

_NO_IMAGE = "sha256:" + "0" * 64
_LOG = structlog.get_logger("ds01.gateway.containers")


def view(call: Call) -> View:
    """How this user sees the engine."""
    return View(call.gate.registry, call.user)


def own_labels(call: Call) -> list[str]:
    """The labels everything has that DS01 made for this account: whoever had its uid before has another epoch."""
    return [f"{Label.OWNER}={call.user.uid}", f"{Label.EPOCH}={call.user.epoch}"]


async def listing(call: Call) -> None:
    """``containers/json``: asked of the engine by owner, and checked row by row."""
    await call.nothing()
    if call.query.on("size"):
        await call.gate.pace.take(call.user.uid, Costly.MEASURE)
    filters, names = await _filters(call)
    values, most = _counted(call, names)
    ask = Ask(method="GET", target=call.target("/containers/json", values, filters))
    head, data = await call.gate.engine.whole(ask)
    if head.status >= 400:
        await call.answer_error(head.status, data)
        return
    shown = call.gate.container_list.shown(view(call), data, names, most)
    await call.answer(head.status, shown, {"Content-Type": "application/json"})


def _counted(call: Call, names: NameFilter) -> tuple[Mapping[str, Sequence[str]], int | None]:
    """The parameters for the engine, and the limit where it is ours to keep: the last three of a name are counted by
    who looks at names, among all there are, as the engine does with a limit.
    """
    most = int(call.query.get("limit") or 0)
    if most <= 0 or not names:
        return call.query.values, None
    return {**call.query.values, "limit": ["0"], "all": ["1"]}, most


async def _filters(call: Call) -> tuple[Filters, NameFilter]:
    """The filters for the engine, and the name filters, which only we can apply."""
    filters = {key: list(values) for key, values in call.query.filters.items()}
    if not call.user.admin:
        filters["label"] = [*filters.get("label", []), *own_labels(call)]
    for key in ("before", "since"):
        if key in filters:
            filters[key] = [(await call.gate.registry.container(call.user, ref)).id for ref in filters[key]]
    if "volume" in filters:
        filters["volume"] = [_volume(call, ref) for ref in filters["volume"]]
    if "ancestor" in filters:
        filters["ancestor"] = [await _image(call, ref) for ref in filters["ancestor"]]
    if "network" in filters:
        filters["network"] = [_network(call, ref) for ref in filters["network"]]
    return filters, NameFilter(filters.pop("name", []))


def _volume(call: Call, ref: str) -> str:
    """A volume of hers, or the place it is mounted at."""
    known = call.gate.registry.volume(call.user, ref)
    return known.id if known is not None else ref


async def _image(call: Call, ref: str) -> str:
    """The image she means, by id; where she sees none of this name, one that is nobody's."""
    try:
        return str((await look_up(call, ref))["Id"])
    except RefusedError:
        return ref if is_id(ref) else _NO_IMAGE


def _network(call: Call, ref: str) -> str:
    known = call.gate.registry.network(call.user, ref)
    return known.stored if known is not None else ref


async def inspect(call: Call) -> None:
    """``containers/{id}/json``."""
    await call.nothing()
    if call.query.on("size"):
        await call.gate.pace.take(call.user.uid, Costly.MEASURE)
    container = await call.container()
    target = call.target(f"/containers/{container.id}/json", call.query.values)
    await call.pass_whole(
        Ask(method="GET", target=target), lambda found: view(call).inspected(as_object(found), container)
    )


async def passed(call: Call) -> None:
    """Requests whose answer needs no rewriting: ``top``, ``resize``, ``pause``, ``unpause``."""
    await call.nothing()
    container = await call.container()
    await call.pass_whole(Ask(method=call.head.method, target=_same(call, container)))


async def logs(call: Call) -> None:
    """``logs``, followed or not."""
    await call.nothing()
    await flow.stream(call, Ask(method="GET", target=_same(call, await call.container())))


async def wait(call: Call) -> None:
    """``wait``: the head comes at once, the rest when the container ends."""
    await call.nothing()
    container = await call.container()
    ask = Ask(method="POST", target=_same(call, container))
    removed = call.query.get("condition") == "removed"
    with call.gate.counts.awaiting_removal(container.id) if removed else contextlib.nullcontext():
        await flow.stream(call, ask)


async def stats(call: Call) -> None:
    """``stats``: a line a second."""
    await call.nothing()
    container = await call.container()
    shown, ask = view(call), Ask(method="GET", target=_same(call, container))
    with call.gate.counts.watching(call.user.uid):
        await flow.stream(call, ask, lambda line: shown.stats_line(line, container))


async def start(call: Call) -> None:
    """``start``: its GPU is leased again and its folders are pinned again first. The engine refuses a body here."""
    await call.nothing(again=False)
    container = await call.container()
    try:
        await _granted(call, container, Ask(method="POST", target=call.target(f"/containers/{container.id}/start")))
    except (RefusedError, DoorDownError) as error:
        if not _passes(error) or call.gate.counts.removal_awaited(container.id):
            with contextlib.suppress(RefusedError, UpstreamError):  # it or the engine is gone already
                await _not_kept(call, container)
        raise


def _passes(error: RefusedError | DoorDownError) -> bool:
    """Whether the same start may be granted in a moment."""
    return isinstance(error, DoorDownError) or error.rule == BUSY.code


async def _not_kept(call: Call, container: DoorContainer) -> None:
    """A container made with ``--rm`` goes when its first start fails, as with any engine. ``docker run`` waits for
    that, and would wait forever.
    """
    seen = await call.engine_container(container.id)
    if seen["State"]["Status"] == "created" and seen["HostConfig"]["AutoRemove"]:
        target = call.target(f"/containers/{container.id}", {"v": ["1"]})
        head, _ = await call.gate.engine.whole(Ask(method="DELETE", target=target))
        if head.status < 400:
            await removed_from_books(call, container.id)


async def _granted(call: Call, container: DoorContainer, ask: Ask, *, again: bool = False) -> None:
    """A start that ds01d grants first and hears of before the client does. ``again``: a stop comes before it."""
    await call.pass_answer(*await _started(call, container, ask, again=again))


async def _started(call: Call, container: DoorContainer, ask: Ask, *, again: bool) -> tuple[AnswerHead, bytes]:
    """What the engine answers. When its answer is lost the start may have happened, so nothing is taken back: ds01d
    sees what came of it.
    """
    ending_seconds = int(call.query.get("t") or STOP_SECONDS) if again else 0
    asked = DoorStart(uid=container.uid, id=container.id, ending_seconds=ending_seconds)
    granted = await call.gate.door.start(asked)
    call.gate.registry.learn(granted.container)
    ticket = DoorTicket(ticket=granted.ticket)
    try:
        head, data = await (flow.patiently(call, ask) if again else call.gate.engine.whole(ask))
    except UnreachableError:
        await _not_started(call, ticket)
        raise
    await (_runs(call, ticket) if head.status < 300 else _not_started(call, ticket))
    return head, data


async def _runs(call: Call, ticket: DoorTicket) -> None:
    """It was started. What ds01d cannot be told now, or has no room for, it sees by itself; so it has where it does not
    know of this start any more: it began anew, or a stop took longer than a grant lasts. Raises RefusedError where
    ds01d undid it.
    """
    try:
        await call.gate.door.started(ticket)
    except (RefusedError, DoorDownError) as error:
        if isinstance(error, RefusedError) and error.rule != FULL and error.status != 404:
            raise
        _LOG.warning("start.unwritten", container=call.subject, reason=str(error))


async def _not_started(call: Call, ticket: DoorTicket) -> None:
    """ds01d takes back what it granted; by itself, later, when it does not hear of this."""
    try:
        await call.gate.door.not_started(ticket)
    except (RefusedError, DoorDownError) as error:
        _LOG.warning("start.unwritten", container=call.subject, reason=str(error))


async def stop(call: Call) -> None:
    """``stop``, ``kill``: ds01d hears first, so that it knows who did it. Where it cannot write that down it sees the
    end by itself, without knowing whose word it was.
    """
    await call.nothing()
    container = await call.container()
    what = GoneBy.KILL if call.path.endswith("/kill") else GoneBy.STOP
    said = DoorGone(uid=call.user.uid, id=container.id, what=what, signal=call.query.get("signal"))
    try:
        await call.gate.door.gone(said)
    except DoorDownError as error:
        _LOG.warning("stop.unwritten", container=container.id, reason=str(error))
    except RefusedError as error:
        if error.status < 500:
            raise
        _LOG.warning("stop.unwritten", container=container.id, reason=str(error))
    await call.pass_answer(*await flow.patiently(call, Ask(method="POST", target=_same(call, container))))


async def restart(call: Call) -> None:
    """``restart``: a stop, then a start that is granted like any other, for as long as both may take."""
    await call.nothing()
    container = await call.container()
    await call.gate.door.gone(DoorGone(uid=call.user.uid, id=container.id, what=GoneBy.RESTART))
    await _granted(call, container, Ask(method="POST", target=_same(call, container)), again=True)


async def remove(call: Call) -> None:
    """``DELETE``: what it held is free before the answer comes.

    Removing works also while nothing can be written down (a full disk, ds01d away): ds01d sees it later by itself.
    """
    await call.nothing()
    container = await call.container()
    if call.query.on("link"):
        raise EngineWordsError(
            "links.default", "Conflict, cannot remove the default link name of the container", status=409
        )
    target = call.target(f"/containers/{container.id}", call.query.values)
    head, data = await flow.patiently(call, Ask(method="DELETE", target=target))
    if head.status < 400:
        await removed_from_books(call, container.id)
    await call.pass_answer(head, data)


async def removed_from_books(call: Call, container_id: str) -> None:
    """The engine has removed it."""
    with seen_later("removal", container_id):
        await call.gate.door.gone(DoorGone(uid=call.user.uid, id=container_id, what=GoneBy.REMOVED))
    call.gate.registry.forget(container_id)


def _same(call: Call, container: DoorContainer) -> str:
    """The same request of the same container, by its full id."""
    last = call.path.rsplit("/", 1)[1]
    return call.target(f"/containers/{container.id}/{last}", call.query.values)
