"""Whose a thing is, as ds01d says, and what its user calls it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ds01.wire.door import DoorContainer, DoorImage, DoorUser
from ds01.wire.holdings import DoorNetwork, DoorVolume


def owns(user: DoorUser, found: DoorContainer | DoorVolume | DoorNetwork) -> bool:
    """Whether it is hers to see and use."""
    return user.admin or (found.uid == user.uid and found.epoch == user.epoch)


T = TypeVar("T", DoorVolume, DoorNetwork)


def named_so(ref: str, seen: Sequence[T], user: DoorUser) -> T | None:
    """What she calls ``ref`` among what she sees. Her own come first: an admin's name is not hidden by another's id."""
    named = (found for found in seen if found.uid == user.uid and found.name == ref)
    return next(named, None) or next((found for found in seen if ref in (found.id, stored(found))), None)


def stored(found: DoorVolume | DoorNetwork) -> str:
    """The engine's name of it."""
    return found.stored if isinstance(found, DoorNetwork) else found.id


def may_see(user: DoorUser, image: DoorImage) -> bool:
    """Whether she may see and run it."""
    return user.admin or image.access.seen_by(user.account)


def may_name(user: DoorUser, image: DoorImage, ref: str) -> bool:
    """Whether she may use this name of it."""
    return user.admin or image.access.named(ref, user.account)
