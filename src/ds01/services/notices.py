"""A user's notices and how she wants to be told. Meeting them in a command of hers counts as having been told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from ds01.domain.container import ContainerId
from ds01.domain.errors import BAD_REQUEST, NOT_ALLOWED, Ds01Error
from ds01.domain.lifecycle.case import Level
from ds01.domain.names import nearest
from ds01.domain.notice import SHAPES, Notice, Preferences
from ds01.ports.ledger import Books
from ds01.services.announce import as_notice
from ds01.services.caller import Caller
from ds01.services.enforce.deliver import record_delivery
from ds01.services.world import World
from ds01.wire.lifecycle import NoticeView, PreferencesView, WishesRequest

COMMAND = "command"
MOST = 100
_WORD = r"[\w!#$%&'*+/=?^`{|}~-]+"
_MAIL = re.compile(rf"{_WORD}(\.{_WORD})*@\w[\w-]*(\.\w[\w-]*)*")
"""An address as people have them: no comments, quotes or lists, which the mail standard allows, too."""


async def mine(world: World, caller: Caller, *, past: bool = False) -> tuple[NoticeView, ...]:
    """Her notices that are still true, with ``past`` the latest of all. Nothing is marked as read."""
    found, said = await world.ledger.read(lambda books: (_mine(books, caller, past), as_notice(books, world)))
    return (*said, *(view(world, notice) for notice in found))


async def unseen(world: World, caller: Caller) -> tuple[NoticeView, ...]:
    """Those she has not met in a command yet; now she has, and it is on record. What is announced is met every time."""
    fresh, said = await world.ledger.read(
        lambda books: ([n for n in _mine(books, caller, past=True) if _fresh(n)], as_notice(books, world))
    )
    if fresh and not caller.for_another:
        await _meet(world, fresh)
    return (*said, *(view(world, notice) for notice in fresh))


async def _meet(world: World, fresh: Sequence[Notice]) -> None:
    await world.ledger.write(lambda books: _met(books, world, fresh))
    for notice in fresh:
        watched = world.memory.get(ContainerId(notice.subject))
        said = None if watched is None else watched.said.get(notice.rule)
        if said is not None and said.delivered is None:
            said.delivered = world.clock.monotonic()


def _mine(books: Books, caller: Caller, past: bool) -> list[Notice]:
    return [n for n in books.notices(caller.uid, ended=past, limit=MOST) if n.epoch == caller.epoch]


def _fresh(notice: Notice) -> bool:
    """A warning while it is true; what was done, until she met it."""
    return notice.seen_at is None and (notice.open or notice.level is Level.NOTICE)


def _met(books: Books, world: World, fresh: Iterable[Notice]) -> None:
    now = world.clock.now()
    for notice in fresh:
        over = now if notice.level is Level.NOTICE else notice.ended_at
        met = replace(notice, seen_at=now, delivered_at=notice.delivered_at or now, ended_at=over)
        books.put_notice(met)
        if notice.delivered_at is None:
            record_delivery(books, met, {COMMAND: "a ds01 command"}, now, world.zone)


async def wishes(world: World, caller: Caller) -> PreferencesView:
    """How she is told now."""
    found = await world.ledger.read(lambda books: books.preferences(caller.uid, caller.epoch))
    return _shown(world, caller, found or Preferences(uid=caller.uid, epoch=caller.epoch))


async def wish(world: World, caller: Caller, request: WishesRequest) -> PreferencesView:
    """Change what is named; None stays as it is. Raises Ds01Error for what cannot be."""
    known = await world.ledger.read(lambda books: books.preferences(caller.uid, caller.epoch))
    known = known or Preferences(uid=caller.uid, epoch=caller.epoch)
    changed = replace(
        known,
        mail=known.mail if request.mail is None else _address(request.mail),
        webhook=known.webhook if request.webhook is None else _url(world, request.webhook),
        shape=known.shape if request.shape is None else _shape(request.shape),
        off=known.off if request.off is None else _channels(world, request.off),
    )
    await world.ledger.write(lambda books: books.put_preferences(changed))
    return _shown(world, caller, changed)


def _address(text: str) -> str:
    if text and not _MAIL.fullmatch(text):
        raise Ds01Error(BAD_REQUEST, f"'{text}' is no mail address.", hint="ds01 notices set --mail me@example.org")
    return text


def _url(world: World, text: str) -> str:
    if not text:
        return ""
    allowed = world.settings().notices.webhooks
    url = urlsplit(text)
    if url.scheme == "https" and url.netloc in allowed and text.isascii() and text.isprintable() and " " not in text:
        return text
    raise Ds01Error(
        NOT_ALLOWED, "Messages cannot be sent there.",
        reason=f"Webhooks may go to {', '.join(allowed)}, by https." if allowed else "The admin allows no webhooks.",
        hint="An admin adds hosts to notices.webhooks in limits.yaml.",
    )  # fmt: skip


def _shape(text: str) -> str:
    if text in SHAPES:
        return text
    raise Ds01Error(BAD_REQUEST, f"There is no shape '{text}'.", reason=f"There are {', '.join(SHAPES)}.")


def _channels(world: World, words: Sequence[str]) -> frozenset[str]:
    known = [channel.name for channel in world.channels]
    for word in words:
        if word not in known:
            guess = nearest(word, known)
            raise Ds01Error(
                BAD_REQUEST, f"There is no channel '{word}'.", reason=f"There are {', '.join(known)}.",
                hint=f"Did you mean '{guess}'?" if guess else "",
            )  # fmt: skip
    return frozenset(words)


def _shown(world: World, caller: Caller, found: Preferences) -> PreferencesView:
    mail = world.settings().notices.mail
    address = (found.mail or mail.address_of(caller.user.login)) if mail.server else found.mail
    return PreferencesView(
        mail=address, webhook=found.webhook, shape=found.shape, off=tuple(sorted(found.off)),
        channels=tuple(channel.name for channel in world.channels), mail_works=bool(mail.server),
        webhooks=world.settings().notices.webhooks,
    )  # fmt: skip


def view(world: World, notice: Notice) -> NoticeView:
    """A notice on the wire, as it reads now."""
    return NoticeView(
        id=notice.id, at=notice.at.isoformat(), container=notice.name, rule=notice.rule.value,
        level=notice.level.value, title=notice.headline(world.clock.now(), world.zone), text=notice.text,
        open=notice.open,
        acts_at=None if notice.acts_at is None else notice.acts_at.isoformat(),
        delivered_at=None if notice.delivered_at is None else notice.delivered_at.isoformat(),
        reached=dict(notice.reached),
    )  # fmt: skip
