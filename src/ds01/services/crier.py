"""Bringing an announcement to whoever has something here: a container, a place in the queue, a job, a booking.

Each person once by what reaches her wherever she is, and once more in each of her containers. A ds01d that was killed
in the middle begins again: hearing it twice is better than not at all. What fails with one person ends nothing: she
meets it in her next command, and the others hear it once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from ds01.domain.announcement import NAME, Announcement, body, title
from ds01.domain.container import Container, ContainerState
from ds01.domain.lifecycle.case import Level
from ds01.domain.notice import Preferences
from ds01.domain.people import User
from ds01.domain.queue.plan import Owner
from ds01.ports.channel import Channel, Letter
from ds01.ports.ledger import Books
from ds01.services.announce import end_over, standing, told
from ds01.services.enforce.deliver import attempt
from ds01.services.people import names
from ds01.services.settled import settled
from ds01.services.world import World

_log = logging.getLogger(__name__)
AT_ONCE = 20
"""How many people are told at the same time: a mail server takes only so much."""


class Crier:
    """One of these looks all the time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._brought = ""

    async def round(self) -> None:
        """Bring what stands and nobody was told of; end what is over.

        What was brought is not brought again because a full disk keeps that from being written down.
        """
        world, now = self._world, self._world.clock.now()
        there = world.ledger.glance(lambda books: books.announcement())
        if there is None:
            return
        if not there.stands(now):
            await world.ledger.write(lambda books: end_over(books, now))
        elif there.told_at is None:
            if self._brought != there.id:
                await _bring(world, there)
                self._brought = there.id
            await world.ledger.write(lambda books: told(books, there, now))


async def _bring(world: World, announcement: Announcement) -> None:
    reach = await world.ledger.read(_reach)
    admin = await world.ledger.read(lambda books: names(books)(announcement.by))
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(owner: Owner, containers: list[Container]) -> None:
        async with gate:
            error = (await settled(_tell(world, announcement, admin, owner, containers))).exception()
        if error is not None:
            _log.warning("somebody was not told", extra={"uid": owner.uid, "why": str(error)}, exc_info=error)

    await asyncio.gather(*(one(owner, containers) for owner, containers in reach.items()))


def _reach(books: Books) -> dict[Owner, list[Container]]:
    """Everybody who has something here, with her containers in which somebody may sit."""
    owners = {Owner(each.uid, each.epoch) for each in books.open_requests()}
    owners |= {Owner(each.uid, each.epoch) for each in books.open_jobs()}
    owners |= {Owner(each.uid, each.epoch) for each in books.bookings()}
    found: dict[Owner, list[Container]] = {owner: [] for owner in owners}
    for container in books.containers():
        hers = found.setdefault(Owner(container.uid, container.epoch), [])
        if container.state is ContainerState.RUNNING:
            hers.append(container)
    return found


async def _tell(
    world: World, announcement: Announcement, admin: str, owner: Owner, containers: list[Container]
) -> None:
    user = await asyncio.to_thread(world.directory.by_uid, owner.uid)
    if user is None or await world.ledger.read(lambda books: standing(books, world.clock.now())) != announcement:
        return
    known = await world.ledger.read(lambda books: books.preferences(owner.uid, owner.epoch))
    wishes = known or Preferences(uid=owner.uid, epoch=owner.epoch)
    wanted = [channel for channel in world.channels if channel.name not in wishes.off]
    head, text = title(announcement.text, admin), body(announcement, world.zone)
    letters = (
        (channel, _letter(user, container, head, text, wishes))
        for container in (None, *containers)
        for channel in _for(wanted, container)
    )
    await asyncio.gather(*(attempt(channel, letter) for channel, letter in letters))


def _for(channels: Iterable[Channel], container: Container | None) -> list[Channel]:
    return [channel for channel in channels if channel.inside == (container is not None)]


def _letter(user: User, container: Container | None, title_: str, text: str, wishes: Preferences) -> Letter:
    return Letter(
        user=user,
        name=NAME,
        container=container,
        level=Level.WARNING,
        title=title_,
        subject=title_,
        text=text,
        wishes=wishes,
    )
