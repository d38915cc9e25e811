"""What the gateway asks ds01d. Every fact and every grant comes from there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import quote

from ds01.domain.dockerpolicy.verdict import EngineWordsError, RefusedError, absent
from ds01.domain.errors import kind
from ds01.gateway.held import DoorDownError, Held, UnreadableError
from ds01.gateway.upstream import Ask, Exchange, Upstream, UpstreamError
from ds01.wire import codec
from ds01.wire.door import (
    DoorAmounts,
    DoorAmountsGrant,
    DoorAudit,
    DoorBuild,
    DoorBuildGrant,
    DoorCache,
    DoorCommit,
    DoorContainer,
    DoorCreate,
    DoorEngine,
    DoorGone,
    DoorGrant,
    DoorImage,
    DoorMade,
    DoorRemoval,
    DoorRemovalPlan,
    DoorRemoved,
    DoorRename,
    DoorRoom,
    DoorStart,
    DoorStarting,
    DoorTicket,
    DoorUpdate,
    DoorUser,
    DoorWrite,
    DoorWriteGrant,
    DoorWritten,
)
from ds01.wire.errors import ErrorBody
from ds01.wire.holdings import (
    DoorCopy,
    DoorCopying,
    DoorDropped,
    DoorNetwork,
    DoorNetworkAsk,
    DoorVolume,
    DoorVolumeAsk,
)

T = TypeVar("T")
SECONDS = 30
MEASURE_SECONDS = 600
SILENCE_SECONDS = 20
"""ds01d says something on the registry stream more often than this, or it is not there."""


class Door:
    """ds01d, as the gateway sees it. Raises RefusedError with ds01d's own words, and DoorDownError."""

    def __init__(self, api: str) -> None:
        self._upstream = Upstream(api, "ds01d")
        self.held = Held(self._post)

    async def user(self, uid: int) -> DoorUser | None:
        """Who this uid is; None when nobody."""
        return await self._find(DoorUser, f"/v1/door/users/{uid}")

    async def container(self, ref: str, uid: int | None) -> DoorContainer | None:
        """The container a user calls ``ref``; anybody's for uid None."""
        query = "" if uid is None else f"?uid={uid}"
        return await self._find(DoorContainer, f"/v1/door/containers/{quote(ref, safe='')}{query}")

    async def image(self, image_id: str) -> DoorImage | None:
        """Whose an image is."""
        return await self._find(DoorImage, f"/v1/door/images/{quote(image_id, safe='')}")

    async def create(self, ask: DoorCreate) -> DoorGrant:
        """Ask for everything a create needs; the answer may take as long as it is to wait for GPUs."""
        return _read(DoorGrant, await self._post("/v1/door/creates", ask, SECONDS + ask.wait_seconds))

    async def commit(self, ask: DoorCommit) -> DoorMade:
        """The engine made it."""
        return _read(DoorMade, await self._post("/v1/door/creates/commit", ask))

    async def abort(self, ask: DoorTicket) -> None:
        """The engine did not make it."""
        await self._post("/v1/door/creates/abort", ask)

    async def start(self, ask: DoorStart) -> DoorStarting:
        """Ask whether a container may start."""
        return _read(DoorStarting, await self._post("/v1/door/starts", ask))

    async def started(self, ask: DoorTicket) -> None:
        """The engine started it."""
        await self._post("/v1/door/starts/commit", ask)

    async def not_started(self, ask: DoorTicket) -> None:
        """The engine did not start it."""
        await self._post("/v1/door/starts/abort", ask)

    @asynccontextmanager
    async def copying(self, ask: DoorCopy) -> AsyncIterator[asyncio.Future[None]]:
        """While files are copied. What this gives is done when that must end: ds01d says so, or is not there any
        more. Raises RefusedError.
        """
        exchange = await self._opened(Ask(method="POST", target="/v1/door/copies", body=_body(ask)))
        try:
            said = await self._said_of_copy(exchange)
            if said.error is not None:
                _checked(kind(said.error.code).status, codec.plain(said))
            yield exchange.stream.gone
        finally:
            exchange.close()

    async def _opened(self, ask: Ask) -> Exchange:
        try:
            return await self._upstream.open(ask)
        except UpstreamError as error:
            raise DoorDownError(str(error)) from error

    async def _said_of_copy(self, exchange: Exchange) -> DoorCopying:
        try:
            head = await exchange.answered(SECONDS)
            if head.status != 200:
                raise DoorDownError(f"ds01d answered {head.status} for a copy")
            async for parts in exchange.pieces(SECONDS):
                return _read(DoorCopying, json.loads(b"".join(parts)))
            raise DoorDownError("ds01d does not say whether files may be copied")
        except (UpstreamError, ConnectionError, ValueError) as error:
            raise DoorDownError(str(error)) from error

    async def rename(self, ask: DoorRename) -> DoorContainer:
        """Give a container another name, in the engine too."""
        return _read(DoorContainer, await self._post("/v1/door/renames", ask))

    async def amounts(self, ask: DoorAmounts) -> DoorAmountsGrant:
        """How much of what is asked for a container may use."""
        return _read(DoorAmountsGrant, await self._post("/v1/door/amounts", ask))

    async def gone(self, ask: DoorGone) -> None:
        """A container was removed, or is about to be stopped, by its owner."""
        await self._post("/v1/door/gone", ask)

    async def engine(self) -> DoorEngine:
        """What ds01d knows of the engine."""
        return _read(DoorEngine, _checked(*await self._ask(Ask(method="GET", target="/v1/door/engine"))))

    async def build(self, ask: DoorBuild) -> DoorBuildGrant:
        """Ask whether these tags may be written, and what the build may use."""
        grant = _read(DoorBuildGrant, await self.held.ask("/v1/door/builds", ask))
        self.held.take(grant.held)
        return grant

    async def built(self, ask: DoorTicket) -> tuple[DoorImage, ...]:
        """The build is over; the images its tags name now."""
        return _read(tuple[DoorImage, ...], await self.held.over(ask.ticket, "/v1/door/builds/commit", ask))

    async def room(self, uid: int, *, image: bool) -> DoorRoom:
        """How much more may come, in an image or otherwise. Raises RefusedError when nothing may."""
        target = f"/v1/door/users/{uid}/room?image={int(image)}"
        return _read(DoorRoom, _checked(*await self._ask(Ask(method="GET", target=target))))

    async def cache(self, uid: int) -> frozenset[str]:
        """The records of BuildKit's cache that are hers."""
        ask = Ask(method="GET", target=f"/v1/door/users/{uid}/cache")
        return frozenset(_read(DoorCache, _checked(*await self._ask(ask, MEASURE_SECONDS))).ids)

    async def drop_cache(self, uid: int) -> DoorCache:
        """Those she may have removed, after she gave up what may be somebody else's as well."""
        target = f"/v1/door/users/{uid}/cache/dropped"
        return _read(DoorCache, await self._post(target, {}, MEASURE_SECONDS))

    async def write(self, ask: DoorWrite) -> DoorWriteGrant:
        """Ask whether image names may be written."""
        grant = _read(DoorWriteGrant, await self.held.ask("/v1/door/writes", ask))
        self.held.take(grant.held)
        return grant

    async def written(self, ask: DoorWritten) -> tuple[DoorImage, ...]:
        """The writing is over; the images it changed, as they are now."""
        return _read(tuple[DoorImage, ...], await self.held.over(ask.ticket, "/v1/door/writes/commit", ask))

    async def removal(self, ask: DoorRemoval) -> DoorRemovalPlan:
        """Ask what of an image may be removed."""
        return _read(DoorRemovalPlan, await self._post("/v1/door/removals", ask))

    async def removed(self, ask: DoorRemoved) -> tuple[DoorImage, ...]:
        """The engine has removed what it could; the image as it is now."""
        return _read(tuple[DoorImage, ...], await self._post("/v1/door/removals/commit", ask))

    async def volume(self, ask: DoorVolumeAsk) -> DoorVolume:
        """The user's volume of this name, made when it is not there."""
        return _read(DoorVolume, await self._post("/v1/door/volumes", ask))

    async def network(self, ask: DoorNetworkAsk) -> DoorNetwork:
        """A new network of the user's."""
        return _read(DoorNetwork, await self._post("/v1/door/networks", ask))

    async def own_network(self, uid: int) -> DoorNetwork:
        """The user's own network, made when it is not there."""
        return _read(DoorNetwork, await self._post(f"/v1/door/users/{uid}/network", {}))

    async def dropped(self, ask: DoorDropped) -> None:
        """The engine has removed volumes or networks."""
        await self._post("/v1/door/dropped", ask)

    async def audit(self, records: Sequence[DoorAudit]) -> None:
        """Record decisions."""
        await self._post("/v1/door/audit", list(records))

    async def updates(self) -> AsyncIterator[DoorUpdate]:
        """The registry: everything, then ``ready``, then changes, until ds01d goes away."""
        try:
            exchange = await self._upstream.open(Ask(method="GET", target="/v1/door/registry"))
            try:
                head = await exchange.answered(SECONDS)
                if head.status != 200:
                    raise DoorDownError(f"ds01d answered {head.status} for the registry")
                held, pieces = b"", exchange.pieces()
                while True:
                    async with asyncio.timeout(SILENCE_SECONDS):
                        parts = await anext(pieces, None)
                    if parts is None:
                        return
                    *lines, held = (held + b"".join(parts)).split(b"\n")
                    for line in filter(None, lines):
                        yield _read(DoorUpdate, json.loads(line))
            finally:
                exchange.close()
        except (UpstreamError, ConnectionError, TimeoutError, ValueError) as error:
            raise DoorDownError(str(error) or "ds01d is silent") from error

    async def _find(self, kind: type[T], target: str) -> T | None:
        status, data = await self._ask(Ask(method="GET", target=target))
        if status == 404:
            return None
        return _read(kind, _checked(status, data))

    async def _post(self, target: str, value: object, seconds: float = SECONDS) -> Any:
        return _checked(*await self._ask(Ask(method="POST", target=target, body=_body(value)), seconds))

    async def _ask(self, ask: Ask, seconds: float = SECONDS) -> tuple[int, Any]:
        try:
            head, body = await self._upstream.whole(ask, seconds)
            return head.status, json.loads(body) if body else None
        except (UpstreamError, ConnectionError, ValueError) as error:
            raise DoorDownError(str(error)) from error


def _read(kind: type[T], data: Any) -> T:
    """What ds01d says. Raises DoorDownError where it cannot be read: it is of no use, as if it had not come."""
    try:
        return codec.parse(kind, data)
    except ValueError as error:
        raise UnreadableError(str(error)) from error


def _body(value: object) -> bytes:
    return json.dumps(codec.plain(value)).encode()


def _checked(status: int, data: Any) -> Any:
    """The answer's value; ds01d's refusal as one of ours."""
    if status < 400:
        return data
    try:
        view = codec.parse(ErrorBody, data).error
    except ValueError as error:
        raise DoorDownError(f"ds01d answered {status}") from error
    if status >= 500 and view.code in ("ledger.error", "internal"):
        raise DoorDownError(view.message)
    hint = f"Try: {view.hint}" if view.hint.startswith(("ds01 ", "docker ")) else view.hint
    advice = " ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in (view.reason, hint) if part)
    if status == 404 and view.message.startswith("No such "):
        kind, _, name = view.message.removeprefix("No such ").partition(": ")
        raise absent(kind, name)
    if view.code == "name.taken" and view.message.startswith("Conflict."):
        raise EngineWordsError(view.code, f"{view.message} {view.reason}", status=status)
    raise RefusedError(view.details.get("rule", view.code), view.message.rstrip("."), advice, status=status)
