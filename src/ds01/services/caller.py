"""Who asks: an account of this server with its limits, known by the uid of the socket's other end.

Identity is the uid plus an account epoch; the name is for display. Root and the admins of the limits file may act
on everybody's things.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from ds01.domain.container import Door
from ds01.domain.errors import ADMIN_ONLY, BAD_REQUEST, NO_USER, Ds01Error
from ds01.domain.gpu import SlotId
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.limits import Limits, effective
from ds01.domain.people import Uid, User
from ds01.domain.queue.plan import Owner
from ds01.services.account import account
from ds01.services.lease import Want
from ds01.services.world import World

LONGEST_REASON = 200


class Owned(Protocol):
    """What belongs to an account."""

    @property
    def uid(self) -> Uid: ...
    @property
    def epoch(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class Caller:
    """One user and what she may have. ``actor`` is who really asks: another uid when somebody acts for her, who is an
    admin or has another ``office``, and ``reason`` is why she does, in her own words.
    """

    user: User
    epoch: int
    limits: Limits
    actor: Uid
    actor_login: str
    office: str = "admin"
    reason: str = ""

    @property
    def uid(self) -> Uid:
        """Whose things are meant."""
        return self.user.uid

    @property
    def admin(self) -> bool:
        """Whether the things of everybody are hers to act on."""
        return self.limits.admin or self.user.uid == 0

    def owns(self, found: Owned) -> bool:
        """Whether it is hers: a uid that changed hands inherits nothing."""
        return (found.uid, found.epoch) == (self.uid, self.epoch)

    @property
    def owner(self) -> Owner:
        """Whose things are meant, as the queue knows them."""
        return Owner(self.user.uid, self.epoch)

    def wants(self, name: str, ask: GpuAsk, planned: timedelta | None, preferred: tuple[SlotId, ...] = ()) -> Want:
        """GPUs for her container ``name``."""
        return Want(
            user=self.user, epoch=self.epoch, limits=self.limits, name=name, ask=ask, planned=planned,
            preferred=preferred,
        )  # fmt: skip

    @property
    def for_another(self) -> bool:
        """Whether an admin acts on somebody else's things."""
        return self.actor != self.user.uid


async def identify(world: World, uid: int, door: Door = Door.DS01) -> Caller:
    """The caller with this uid. Raises Ds01Error (``user.unknown``) for a uid without an account."""
    user = await asyncio.to_thread(world.directory.by_uid, Uid(uid))
    if user is None:
        raise Ds01Error(
            NO_USER,
            f"This server knows no account with the number {uid}.",
            reason="DS01 knows people by their Unix account.",
            hint=f"getent passwd {uid}",
        )
    return await _caller(world, user, door, actor=user.uid, actor_login=user.login)


async def stand_in(world: World, admin: Caller, login: str) -> Caller:
    """The user an admin acts for. Raises Ds01Error when the caller is no admin or the user does not exist."""
    if login == admin.user.login:
        return admin
    require_admin(admin, f"look at or change what belongs to '{login}'")
    user = await asyncio.to_thread(world.directory.by_login, login)
    if user is None:
        raise Ds01Error(NO_USER, f"This server knows no user '{login}'.", hint="getent passwd")
    return await _caller(world, user, Door.DS01, actor=admin.uid, actor_login=admin.user.login)


def saying(caller: Caller, reason: str) -> Caller:
    """The same, with the reason an admin gives. Raises Ds01Error for one that nobody needs or that is no one line."""
    said = reason.strip()
    if not said:
        return caller
    if not caller.for_another:
        raise Ds01Error(
            BAD_REQUEST, "A reason is for what belongs to somebody else.", reason="Her story shows it to her.",
            hint="--user LOGIN",
        )  # fmt: skip
    if len(said) > LONGEST_REASON or not said.isprintable():
        raise Ds01Error(BAD_REQUEST, f"A reason is one line of up to {LONGEST_REASON} characters.")
    return replace(caller, reason=said)


def require_admin(caller: Caller, what: str) -> None:
    """Raise Ds01Error (``admin.only``) unless the caller is an admin."""
    if not caller.admin:
        raise Ds01Error(ADMIN_ONLY, f"Only admins may {what}.", hint="ds01 limits")


async def _caller(world: World, user: User, door: Door, *, actor: Uid, actor_login: str) -> Caller:
    now = world.clock.now()
    known = world.ledger.glance(lambda books: books.account(user.uid))
    if known is None or known.login != user.login:
        known = await world.ledger.write(lambda books: account(books, user, now))
    limits = effective(world.settings().policy, user, door, now)
    return Caller(user=user, epoch=known.epoch, limits=limits, actor=actor, actor_login=actor_login)
