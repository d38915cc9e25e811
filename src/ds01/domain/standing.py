"""What becomes of a container that is not as DS01 made it: one pure judgement.

Whoever it says it belongs to decides. What bears a user's name or is in a user's cgroup has DS01's word for being safe,
so it is stopped when it is not. What says nothing of DS01 is the admin's: her monitoring, her registry. It is told, and
no GPU that it may use is leased to anybody; it is stopped only where she says so, and never when she named it. Amounts
that were raised are put back, because the container did nothing wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase

from ds01.domain.confinement import (
    Amounts,
    Confinement,
    Room,
    beyond,
    escapes,
    is_build_slice,
    is_users_slice,
    most,
    read_amounts,
    restarts_wrongly,
)
from ds01.domain.container import Container, Observed
from ds01.domain.labels import Label


class OutsideRule(StrEnum):
    """What happens to containers that root made beside DS01."""

    TOLD = "told"
    STOPPED = "stopped"


class Remedy(StrEnum):
    """What is done about a container."""

    NOTHING = "nothing"
    TELL = "tell"
    PUT_BACK = "put_back"
    STOP = "stop"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What is done, and why, in words that follow "it". ``amounts`` are those to put back."""

    remedy: Remedy
    why: tuple[str, ...] = ()
    amounts: Amounts | None = None
    stays_down: bool = False


FINE = Judgement(remedy=Remedy.NOTHING)


def judge_own(container: Container, found: Confinement, room: Room, now: Amounts, labels: Amounts | None) -> Judgement:
    """One of the ledger. ``labels`` is what it was granted, ``now`` what one more would get."""
    broken = tuple(escapes(found, room))
    if broken:
        return Judgement(remedy=Remedy.STOP, why=broken)
    right = beyond(found.amounts, most(now, labels)) if labels is not None else None
    wrong = restarts_wrongly(found.restart, devices=bool(container.gpus or found.nodes))
    if right is None and not wrong:
        return FINE
    why = (*(("may use more than it was granted",) if right else ()),
           *((f"is started again by the engine ({found.restart})",) if wrong else ()))  # fmt: skip
    return Judgement(remedy=Remedy.PUT_BACK, why=why, amounts=right or found.amounts, stays_down=wrong)


def judge_claiming(found: Confinement, room: Room, *, genuine: bool) -> Judgement:
    """One that bears DS01's labels and that the ledger does not know. ``genuine``: DS01 wrote them."""
    forged = () if genuine else ("bears labels that DS01 did not write",)
    broken = (*forged, *escapes(found, room))
    return Judgement(remedy=Remedy.STOP, why=broken) if broken else FINE


def judge_outside(seen: Observed, found: Confinement, *, rule: OutsideRule, allowed: Sequence[str], slice_: str
                  ) -> Judgement:  # fmt: skip
    """One that says nothing of DS01: also a step of a user's build, to which the engine gives no labels.

    ``slice_`` is the cgroup of containers that the admin starts.
    """
    if declared(seen, found, allowed, slice_):
        return FINE
    if is_build_slice(found.cgroup_parent):
        host = tuple(name for name in found.host if name != "cgroup")
        usual = replace(found, capabilities=(), host=host)  # what else the engine gives every step
        broken = tuple(escapes(usual, Room(slice_=found.cgroup_parent.removeprefix("/"), folders=())))
        return Judgement(remedy=Remedy.STOP, why=broken) if broken else FINE
    why: tuple[str, ...] = ("was made beside DS01",)
    if is_users_slice(found.cgroup_parent):
        return Judgement(remedy=Remedy.STOP, why=(*why, f"is in a user's cgroup '{found.cgroup_parent}'"))
    if found.privileged:
        why = (*why, "is privileged")
    if found.gpus or any(node.startswith("/dev/nvidia") for node in found.nodes):
        why = (*why, "may use GPUs without a lease")
    return Judgement(remedy=Remedy.STOP if rule is OutsideRule.STOPPED else Remedy.TELL, why=why)


def claims(labels: Mapping[str, str], inherited: Mapping[str, str]) -> bool:
    """Whether a container says that it is DS01's. What its image says of itself (``inherited``) it did not say."""
    said = {name: value for name, value in labels.items() if name.startswith(Label.PREFIX) and value}
    return bool(said.items() - inherited.items())


def declared(seen: Observed, found: Confinement, allowed: Sequence[str], slice_: str) -> bool:
    """Whether the admin said that this container is hers: by its name, or by a cgroup whose name only root can read."""
    by_slice = bool(slice_) and found.cgroup_parent.removeprefix("/") == slice_
    return by_slice or any(fnmatchcase(seen.stored_name, pattern) for pattern in allowed)


def granted(seen: Observed) -> Amounts | None:
    """What its labels say it was granted."""
    return read_amounts(seen.labels.get(Label.AMOUNTS, ""))
