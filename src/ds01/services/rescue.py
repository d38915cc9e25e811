"""Copying changed files out of a container into its workspace, as its owner, before the container goes.

They are read from its writable layer: the engine, asked for them, might mount what the container has and be led astray.
"""

from __future__ import annotations

import posixpath
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from itertools import groupby

from ds01.domain.container import Container
from ds01.domain.errors import BAD_WORKSPACE, Ds01Error
from ds01.domain.events import EventType
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.tell import tell
from ds01.services.world import World

FOLDER = ".ds01/rescued"


async def rescue(world: World, caller: Caller, container: Container, files: Sequence[str]) -> str:
    """Copy the files; returns the folder inside the workspace. The container is stopped and still there on failure."""
    if not container.workspace:
        raise Ds01Error(
            BAD_WORKSPACE, f"Container '{container.name}' has no workspace to rescue files into.",
            hint=f"ds01 container cp {container.name}:PATH .",
        )  # fmt: skip
    stamp = world.clock.now().strftime("%Y-%m-%d-%H%M%S")
    inside = f"{FOLDER}/{stamp}"
    for folder, here in groupby(sorted(files, key=posixpath.dirname), posixpath.dirname):
        target = posixpath.join(container.workspace, inside, folder.lstrip("/"))
        await world.host.unpack(caller.user, target, _archives(world, container, [*here]))

    def write(books: Books) -> None:
        tell(
            books, EventType.FILES_RESCUED, container, at=world.clock.now(), actor=caller.actor,
            folder=f"/workspace/{inside}", files=str(len(files)),
        )  # fmt: skip

    await world.ledger.write(write)
    return f"/workspace/{inside}"


async def _archives(world: World, container: Container, files: Sequence[str]) -> AsyncGenerator[bytes, None]:
    """What is in one folder goes through one program: to start one for each file takes longer than to copy it."""
    for path in files:
        async with aclosing(world.engine.read_layer(container.id, path)) as pieces:
            async for piece in pieces:
                yield piece
