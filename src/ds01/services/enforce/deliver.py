"""Bringing a notice to its reader by every channel she has, and putting on record what it reached.

A channel that fails is no reason not to try the others. A warning counts as delivered when it reached something that
is likely to be read; one that did not is tried again, and its reader gets more time.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from ds01.domain.container import Container, ContainerId, ContainerState
from ds01.domain.errors import Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.lifecycle.case import Level, Rule
from ds01.domain.notice import Notice, NoticeId, Preferences
from ds01.domain.people import User
from ds01.domain.queue.request import Request
from ds01.ports.channel import Channel, Letter
from ds01.ports.ledger import Books
from ds01.services.world import World

_log = logging.getLogger(__name__)
CHANNEL_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Message:
    """What to tell about a container, or about a request whose container is not there yet."""

    about: Container | Request
    rule: Rule
    level: Level
    title: str
    text: str
    acts_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What became of a letter on one channel: ``where`` it arrived, or ``why`` it did not."""

    where: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Given:
    """A notice as it stands now, and why each channel that was tried reached nobody, as the record says it."""

    notice: Notice
    missed: str = ""


async def give(world: World, user: User, message: Message) -> Given:
    """Write it down, then bring it to her. The answer says what it reached.

    A warning about a container that was removed meanwhile is written down as over, and brought to nobody.
    """
    now, about = world.clock.now(), message.about
    notice = Notice(
        id=NoticeId(f"notice-{secrets.token_hex(6)}"), at=now, uid=about.uid, epoch=about.epoch, subject=about.id,
        name=about.name, rule=message.rule, level=message.level, title=message.title, text=message.text,
        acts_at=message.acts_at,
    )  # fmt: skip
    written = await world.ledger.write(lambda books: _supersede(books, notice))
    if not written.open:
        return Given(notice=written)
    return await bring(world, user, about if isinstance(about, Container) else None, written)


def _supersede(books: Books, notice: Notice) -> Notice:
    """A later word on the same matter takes the place of the earlier one. What an admin did ends no rule's warning: it
    may still come true.
    """
    about = books.container(ContainerId(notice.subject))
    if notice.warns and about is not None and about.state is ContainerState.REMOVED:
        notice = replace(notice, ended_at=notice.at)
    over = notice.level is Level.NOTICE and notice.rule is not Rule.ADMIN
    for other in books.notices(notice.uid):
        if other.subject == notice.subject and (other.rule is notice.rule or over):
            books.put_notice(replace(other, ended_at=notice.at))
    books.put_notice(notice)
    return notice


async def bring(world: World, user: User, container: Container | None, notice: Notice) -> Given:
    """Try every channel she wants, all at once; what it reached is on record when this returns."""
    wishes = await world.ledger.read(lambda books: books.preferences(notice.uid, notice.epoch))
    wishes = wishes or Preferences(uid=notice.uid, epoch=notice.epoch)
    letter = Letter(
        user=user, name=notice.name, container=container, level=notice.level, text=notice.text, wishes=wishes,
        title=notice.headline(world.clock.now(), world.zone), subject=notice.subject_line(world.zone),
    )  # fmt: skip
    wanted = [channel for channel in world.channels if channel.name not in wishes.off]
    tried = list(zip(wanted, await asyncio.gather(*(attempt(channel, letter) for channel in wanted)), strict=True))
    reached = {channel.name: found.where for channel, found in tried if found.where}
    proven = any(channel.proves and found.where for channel, found in tried)
    told = await world.ledger.write(lambda books: _reached(books, world, notice, reached, proven))
    missed = [f"{channel.name}: {_missed(channel, found)}" for channel, found in tried]
    refused = [f"{channel.name}: turned off by her" for channel in world.channels if channel.name in wishes.off]
    return Given(notice=told, missed="" if proven else "; ".join([*missed, *refused]))


def _missed(channel: Channel, tried: Tried) -> str:
    return f"only in {tried.where}, where nobody may look" if tried.where else tried.why or channel.nowhere


async def attempt(channel: Channel, letter: Letter) -> Tried:
    """Where it arrived, or why it failed, whatever it was; neither when there was nowhere to bring it.

    What a channel stumbles over may be the reader's own doing, and no rule waits for her.
    """
    try:
        async with asyncio.timeout(CHANNEL_SECONDS):
            return Tried(where=await channel.deliver(letter))
    except Exception as error:  # noqa: BLE001  a mistake in one channel is no mistake of the others
        why, foreseen = _why(error), isinstance(error, Ds01Error | TimeoutError)
        said = {"channel": channel.name, "to": letter.user.login, "why": why}
        _log.warning("a channel failed", extra=said, exc_info=None if foreseen else error)
        return Tried(why=why)


def _why(error: Exception) -> str:
    match error:
        case Ds01Error():
            said = (error.problem.message, error.problem.reason)
            return " ".join(" ".join(part.split()) for part in said if part).rstrip(".")
        case TimeoutError():
            return f"no answer within {CHANNEL_SECONDS:.0f} s"
        case _:
            return f"a mistake of DS01's ({type(error).__name__})"


def _reached(books: Books, world: World, notice: Notice, reached: Mapping[str, str], proven: bool) -> Notice:
    now = world.clock.now()
    known = books.notice(notice.id) or notice
    fresh = {channel: where for channel, where in reached.items() if channel not in known.reached}
    delivered = known.delivered_at or (now if proven else None)
    told = replace(known, reached={**known.reached, **reached}, delivered_at=delivered)
    books.put_notice(told)
    if fresh:
        record_delivery(books, told, fresh, now, world.zone)
    return told


def record_delivery(books: Books, notice: Notice, reached: Mapping[str, str], now: datetime, zone: tzinfo) -> None:
    """The event of it."""
    details = {
        "name": notice.name,
        "rule": notice.rule.value,
        "level": notice.level.value,
        "title": notice.subject_line(zone),
        "by": ", ".join(f"{channel} ({where})" for channel, where in reached.items()),
        "until": "" if notice.acts_at is None else notice.acts_at.isoformat(timespec="seconds"),
    }
    books.record(
        Event(
            at=now, type=EventType.NOTICE_DELIVERED, actor=None, uid=notice.uid, subject=notice.subject,
            details={key: value for key, value in details.items() if value},
        )
    )  # fmt: skip
