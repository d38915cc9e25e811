"""Who calls: the uid at the other end of the socket, as the kernel says it, and the world to act on.

An admin may act for somebody else with ``?user=LOGIN``, or look at everybody with ``?all=1``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Query, Request

from ds01.domain.errors import NOT_ALLOWED, Ds01Error
from ds01.services.caller import Caller, identify, require_admin, saying, stand_in
from ds01.services.fairness import Lane, OneAtATime
from ds01.services.world import World
from ds01.wire.door import GoneBy

PEER = "ds01.peer"
"""The key of the connection's uid in the request's scope; ``daemon.peer`` puts it there."""

LONG = 20
"""So many digits no uid has."""

LOOKS = ("GET", "HEAD", "OPTIONS")
"""The methods of requests that change nothing."""


async def world_of(request: Request) -> World:
    """The world this application serves; users read and write its ledger in turns (``services.fairness``)."""
    state, peer = request.app.state, request.scope.get(PEER)
    world: World = state.world
    if peer in state.gateway_uids:
        return world
    lane = Lane.LOOKS if request.method in LOOKS else Lane.CHANGES
    return replace(world, ledger=OneAtATime(world.ledger, state.fairness, peer, lane))


TheWorld = Annotated[World, Depends(world_of)]


def peer_of(request: Request) -> int:
    """The uid of the caller; a connection without one is nobody's."""
    uid = request.scope.get(PEER)
    if not isinstance(uid, int):
        raise Ds01Error(NOT_ALLOWED, "DS01 cannot tell who is calling.", reason="The socket names no peer.")
    return uid


Peer = Annotated[int, Depends(peer_of)]


async def _caller(
    world: TheWorld,
    peer: Peer,
    user: Annotated[str | None, Query(description="Act for this user; admins only")] = None,
) -> Caller:
    caller = await identify(world, peer)
    return caller if user is None else await stand_in(world, caller, user)


TheCaller = Annotated[Caller, Depends(_caller)]


async def _actor(
    caller: TheCaller,
    reason: Annotated[str, Query(description="Why an admin does this to somebody's things; its owner reads it")] = "",
) -> Caller:
    return saying(caller, reason)


TheActor = Annotated[Caller, Depends(_actor)]
"""The caller of what changes something, with the reason an admin gives its owner."""


async def _everybody(
    caller: TheCaller,
    all: Annotated[bool, Query(description="Of everybody; admins only")] = False,  # noqa: A002
) -> bool:
    if all:
        require_admin(caller, "look at everybody's things")
    return all


Everybody = Annotated[bool, Depends(_everybody)]


async def in_hand(request: Request) -> AsyncIterator[None]:
    """What the gateway asks for a user is one of the things ds01d has in hand for her. Raises Ds01Error
    (``requests.many``). That something is over is always heard.
    """
    uid, over = await _asked_for(request)
    with nullcontext() if uid is None or over else request.app.state.in_hand.one_more(uid):
        yield


async def _asked_for(request: Request) -> tuple[int | None, bool]:
    """For whom it is, and whether it only tells what is over already."""
    body = await request.json() if request.method == "POST" and await request.body() else {}
    said = body if isinstance(body, dict) else {}
    uid = str(request.path_params.get("uid") or request.query_params.get("uid") or said.get("uid"))
    return int(uid) if uid.isdecimal() and len(uid) < LONG else None, said.get("what") == GoneBy.REMOVED


def gateway_only(request: Request, peer: Peer) -> None:
    """Only the gateway's account and root may ask for grants on behalf of others."""
    if peer not in request.app.state.gateway_uids:
        raise Ds01Error(NOT_ALLOWED, "Only the gateway may ask this.", reason=f"The caller's number is {peer}.")
