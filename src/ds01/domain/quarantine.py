"""Slots nobody is placed on: who says so, and why. Several may say so at once; each takes back only its own word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ds01.domain.gpu import SlotId


class Keeper(StrEnum):
    """Who keeps a slot out of service, the weightiest first."""

    DRIVER = "driver"
    CONTAINER = "container"
    PROCESS = "process"
    MIG = "mig"
    ADMIN = "admin"


@dataclass(frozen=True, kw_only=True)
class Quarantine:
    """One reason why nobody is placed on a slot, or on all slots of a GPU when ``slot`` is a divided GPU's UUID."""

    slot: SlotId
    keeper: Keeper
    reason: str


def reasons(quarantines: Iterable[Quarantine]) -> dict[SlotId, str]:
    """What is said of each slot, in one line."""
    order = list(Keeper)
    said: dict[SlotId, list[str]] = {}
    for each in sorted(quarantines, key=lambda each: order.index(each.keeper)):
        said.setdefault(each.slot, []).append(each.reason)
    return {slot: "; ".join(words) for slot, words in said.items()}
