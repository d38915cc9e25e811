"""The stream that keeps the gateway's picture true: every change is in it, however much happens at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from ds01.domain.container import Container, ContainerId, ContainerState, Door
from ds01.domain.events import Event, EventType
from ds01.domain.image import ImageId
from ds01.ports.ledger import Books
from ds01.services.door.registry import IMAGE_SECONDS, follow
from ds01.services.tell import tell
from ds01.wire.door import DoorUpdate
from tests.server import ALICE, SimServer


def put(books: Books, server: SimServer, name: str) -> None:
    made = Container(
        id=ContainerId(name * 64), uid=ALICE.uid, epoch=1, name=name, door=Door.DOCKER, state=ContainerState.CREATING,
        image=ImageId("sha256:1"), image_ref="bb", created_at=server.clock.now(),
    )  # fmt: skip
    books.put_container(made)
    tell(books, EventType.CONTAINER_CREATED, made, at=server.clock.now(), actor=ALICE.uid)


def submit(books: Books, server: SimServer, count: int) -> None:
    for number in range(count):
        books.record(
            Event(
                at=server.clock.now(), type=EventType.JOB_SUBMITTED, actor=ALICE.uid, uid=ALICE.uid,
                subject=f"job-{number}",
            )
        )  # fmt: skip


async def until_ready(stream: AsyncIterator[DoorUpdate]) -> None:
    async for update in stream:
        if update.ready:
            return


async def one_round(stream: AsyncIterator[DoorUpdate]) -> AsyncIterator[DoorUpdate]:
    """What is told until the stream says that it is there."""
    async for update in stream:
        if update == DoorUpdate():
            return
        yield update


async def changes(stream: AsyncIterator[DoorUpdate], rounds: int = 1) -> list[str]:
    """The names of containers that come until the stream has said ``rounds`` times that it is there."""
    found: list[str] = []
    async for update in stream:
        if update == DoorUpdate():
            rounds -= 1
            if not rounds:
                return found
        elif update.container is not None:
            found.append(update.container.name)
    return found


async def test_a_container_made_before_many_other_events_is_seen(server: SimServer) -> None:
    """A job of 1000 tasks is submitted right after a create."""
    await server.caller()
    async with aclosing(follow(server.world)) as stream:
        await until_ready(stream)

        def write(books: Books) -> None:
            put(books, server, "a")
            submit(books, server, 1000)

        await server.books(write)
        assert await changes(stream) == ["a"]


async def test_none_of_many_containers_is_left_out(server: SimServer) -> None:
    await server.caller()
    async with aclosing(follow(server.world)) as stream:
        await until_ready(stream)

        def write(books: Books) -> None:
            put(books, server, "a")
            for _ in range(600):
                put(books, server, "b")

        await server.books(write)
        assert set(await changes(stream, rounds=2)) == {"a", "b"}


async def test_an_engine_that_is_away_has_not_lost_its_images(server: SimServer) -> None:
    await server.caller()
    async with aclosing(follow(server.world)) as stream:
        await until_ready(stream)
        await server.books(lambda books: put(books, server, "a"))
        assert await changes(stream) == ["a"]
        server.engine.go_away()
        await server.clock.advance(IMAGE_SECONDS)
        await server.books(lambda books: put(books, server, "b"))
        assert [update.gone async for update in one_round(stream)] == [""]
