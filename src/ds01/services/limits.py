"""The limits of one user, each with where it comes from: what is in force and what it overruled."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ds01.domain import limit_keys, limits
from ds01.domain.container import Door
from ds01.domain.errors import NO_KEY, Ds01Error
from ds01.domain.limit_keys import AGGREGATE_KEYS, KEYS, Key
from ds01.domain.limits import Limits, Sourced
from ds01.domain.people import Uid, User
from ds01.domain.settings import Settings
from ds01.services.world import World
from ds01.wire.status import LimitsView, LimitView

_TOGETHER = {
    "cpus": "CPU cores all your containers may use together",
    "memory": "memory all your containers may use together",
    "pids": "processes and threads all your containers may have together",
}


def everything(settings: Settings, user: User, now: datetime, door: Door = Door.DS01) -> LimitsView:
    """All limits of ``user`` through ``door``, in the order people read them."""
    found = limits.effective(settings.policy, user, door, now)
    single = (_view(name, key, found.sources[name], key.meaning) for name, key in KEYS.items())
    return LimitsView(
        login=user.login,
        group=found.group,
        admin=found.admin or user.uid == 0,
        limits=(*single, *_together(settings, user)),
    )


def of_everybody(world: World, pairs: Iterable[tuple[Uid, Door]]) -> dict[tuple[Uid, str], tuple[User, Limits]]:
    """The account and the limits in force for these people through these doors; who has no account is left out."""
    wanted = set(pairs)
    policy, now = world.settings().policy, world.clock.now()
    users = {uid: world.directory.by_uid(uid) for uid in {uid for uid, _ in wanted}}
    return {
        (uid, door.value): (user, limits.effective(policy, user, door, now))
        for uid, door in wanted
        if (user := users[uid]) is not None
    }


def _together(settings: Settings, user: User) -> tuple[LimitView, ...]:
    group = limits.group_of(settings.policy, user)
    layer = group.aggregate if group is not None else {}
    return tuple(
        _view(f"aggregate.{name}", KEYS[name], layer[name], _TOGETHER[name]) for name in AGGREGATE_KEYS if name in layer
    )


def explain(settings: Settings, user: User, key: str, now: datetime, door: Door = Door.DS01) -> LimitView:
    """One limit with its source and every layer it overruled; former names work. Unknown: did you mean."""
    together = next((view for view in _together(settings, user) if view.key == key), None)
    if together is not None:
        return together
    known, guess = limit_keys.find(key)
    if known is None:
        raise Ds01Error(
            NO_KEY,
            f"There is no limit called '{key}'.",
            reason=f"Limits are: {', '.join(KEYS)}.",
            hint=f"Did you mean '{guess}'? ds01 limits explain {guess}" if guess else "ds01 limits",
        )
    steps = limits.trace(settings.policy, user, door, now, known.name)
    return _view(known.name, known, steps[-1], known.meaning, steps[:-1])


def _view(name: str, key: Key, found: Sourced, meaning: str, overruled: tuple[Sourced, ...] = ()) -> LimitView:
    return LimitView(
        key=name,
        value=limit_keys.show(key, found.value),
        source=found.source,
        meaning=meaning,
        overrules=tuple(f"{limit_keys.show(key, item.value)} ({item.source})" for item in reversed(overruled)),
    )
