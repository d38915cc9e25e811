"""Limits: what a user may have, merged key by key from layers, each value knowing the line it came from.

Precedence, later wins: built-in defaults, ``defaults``, ``groups.<g>``, ``users.<u>``, ``doors.<door>``
(lifecycle keys only), a valid exemption (lifts the limit). Reading the file is ``ds01.config``; this module
only merges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from ds01.domain.container import Door
from ds01.domain.limit_keys import KEYS
from ds01.domain.limit_keys import Value as Value
from ds01.domain.people import User


@dataclass(frozen=True, kw_only=True)
class Sourced:
    """A value and the place that set it: ``limits.yaml:12``, or ``built-in``."""

    value: Value
    source: str


Layer = Mapping[str, Sourced]
"""Flat keys (``gpus.max``, ``idle``) to sourced values; a missing key says nothing."""


BUILT_IN: Layer = {name: Sourced(value=key.default, source="built-in") for name, key in KEYS.items()}
"""Every key there is, with the value of a lab that wrote no file."""

LIFECYCLE_KEYS = frozenset(name for name, key in KEYS.items() if key.lifecycle)
"""What a door may change."""

LIFTABLE_KEYS = frozenset(name for name, key in KEYS.items() if key.nullable)
"""What an exemption may lift: the keys for which 'no limit' is a value."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """A policy tier. ``members`` are logins or ``*``; ``unix_groups`` are group names of the directory."""

    name: str
    members: frozenset[str] = frozenset()
    unix_groups: frozenset[str] = frozenset()
    layer: Layer = field(default_factory=dict)
    aggregate: Layer = field(default_factory=dict)
    """``cpus``, ``memory``, ``pids`` of all containers of one user together; empty: no aggregate."""


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """Lifts the named limits of one user until a time, for a stated reason."""

    login: str
    keys: frozenset[str]
    until: datetime
    reason: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A whole, valid limits file. ``groups`` keep the file's order."""

    defaults: Layer = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    users: Mapping[str, Layer] = field(default_factory=dict)
    doors: Mapping[Door, Layer] = field(default_factory=dict)
    exemptions: Sequence[Exemption] = ()
    source: str = "built-in"


BUILDS = 4
"""Builds one user may have going on at once."""

LOADS = 3
"""Loads and imports of images one user may have going on at once."""

PULLS = 3
"""Pulls and pushes one user may have going on at once."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one user may have through one door now. None is 'no limit' where the type allows it.

    ``gpus_max`` is in GPU-equivalents, ``gpus_per_container`` in slots, sizes in bytes.
    """

    group: str
    admin: bool
    gpus_max: Fraction | None
    gpus_per_container: int | None
    mig: str
    containers: int | None
    images: int | None
    volumes: int | None
    networks: int | None
    ports: int
    cpus: float
    memory_bytes: int
    swap_bytes: int
    shm_bytes: int
    pids: int
    disk_workspace_bytes: int | None
    disk_images_bytes: int | None
    runtime: timedelta | None
    runtime_without_gpu: bool
    idle: timedelta | None
    gpu_hold: timedelta
    container_hold: timedelta | None
    priority: int
    preemptible: bool
    shares: int
    group_shares: int
    bookings_who: str
    bookings_per_week: timedelta | None
    bookings_ahead: timedelta | None
    bookings_notice: timedelta
    devices: tuple[str, ...]
    """Patterns of device files."""
    publish: tuple[str, ...]
    """Addresses of the server besides loopback."""
    lead: timedelta
    stop_grace: timedelta
    aggregate: Mapping[str, Value]
    sources: Mapping[str, Sourced]
    """Every key with the value in force and where it comes from."""

    @property
    def together(self) -> Mapping[str, Value]:
        """``aggregate``, with a number of processes in any case.

        A build's steps are containers whose processes the engine cannot count; the user's slice does.
        """
        if "pids" in self.aggregate or self.containers is None:
            return self.aggregate
        return {**self.aggregate, "pids": self.pids * (self.containers + BUILDS)}


def group_of(policy: Policy, user: User) -> Group | None:
    """The user's policy tier: named by login, else by Unix group, else ``*``; first match in file order."""
    matches: tuple[Callable[[Group], bool], ...] = (
        lambda group: user.login in group.members,
        lambda group: bool(group.unix_groups & user.groups),
        lambda group: "*" in group.members,
    )
    return next((group for match in matches for group in policy.groups if match(group)), None)


def effective(policy: Policy, user: User, door: Door, now: datetime) -> Limits:
    """The limits in force for ``user`` through ``door`` at ``now``."""
    group = group_of(policy, user)
    merged: dict[str, Sourced] = {}
    for layer in _layers(policy, group, user, door, now):
        merged.update(layer)
    return _limits(merged, group)


def trace(policy: Policy, user: User, door: Door, now: datetime, key: str) -> tuple[Sourced, ...]:
    """Every layer's word on one key, in order of precedence; the last one is in force."""
    layers = _layers(policy, group_of(policy, user), user, door, now)
    return tuple(layer[key] for layer in layers if key in layer)


def _layers(policy: Policy, group: Group | None, user: User, door: Door, now: datetime) -> Iterator[Layer]:
    yield BUILT_IN
    yield policy.defaults
    if group is not None:
        yield group.layer
    yield policy.users.get(user.login, {})
    yield {key: item for key, item in policy.doors.get(door, {}).items() if key in LIFECYCLE_KEYS}
    for exemption in policy.exemptions:
        if exemption.login == user.login and now < exemption.until:
            keys = exemption.keys & LIFTABLE_KEYS
            yield {key: Sourced(value=None, source=exemption.source) for key in keys}


def _limits(merged: Mapping[str, Sourced], group: Group | None) -> Limits:
    value = _Typed(merged)
    return Limits(
        group=group.name if group else "default",
        admin=bool(merged["admin"].value),
        gpus_max=value.fraction("gpus.max"),
        gpus_per_container=value.integer("gpus.per_container"),
        mig=str(merged["gpus.mig"].value),
        containers=value.integer("containers"),
        images=value.integer("images"),
        volumes=value.integer("volumes"),
        networks=value.integer("networks"),
        ports=value.required("ports"),
        cpus=value.number("cpus"),
        memory_bytes=value.required("memory"),
        swap_bytes=value.required("swap"),
        shm_bytes=value.required("shm"),
        pids=value.required("pids"),
        disk_workspace_bytes=value.integer("disk.workspace"),
        disk_images_bytes=value.integer("disk.images"),
        runtime=value.duration("runtime"),
        runtime_without_gpu=bool(merged["runtime_without_gpu"].value),
        idle=value.duration("idle"),
        gpu_hold=value.duration("gpu_hold") or timedelta(0),
        container_hold=value.duration("container_hold"),
        priority=value.required("priority"),
        preemptible=bool(merged["preemptible"].value),
        shares=value.required("shares"),
        group_shares=value.required("group_shares"),
        bookings_who=str(merged["bookings.who"].value),
        bookings_per_week=value.duration("bookings.per_week"),
        bookings_ahead=value.duration("bookings.ahead"),
        bookings_notice=value.duration("bookings.notice") or timedelta(0),
        devices=value.texts("devices"),
        publish=value.texts("publish"),
        lead=value.duration("lead") or timedelta(0),
        stop_grace=value.duration("stop_grace") or timedelta(0),
        aggregate={key: item.value for key, item in group.aggregate.items()} if group else {},
        sources=dict(merged),
    )


class _Typed:
    """Reads merged values with the type their key promises; ``ds01.config`` has checked them."""

    def __init__(self, merged: Mapping[str, Sourced]) -> None:
        self._merged = merged

    def fraction(self, key: str) -> Fraction | None:
        value = self._merged[key].value
        return value if value is None else Fraction(str(value))

    def integer(self, key: str) -> int | None:
        value = self._merged[key].value
        return value if value is None else int(str(value))

    def required(self, key: str) -> int:
        return int(str(self._merged[key].value))

    def number(self, key: str) -> float:
        return float(str(self._merged[key].value))

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._merged[key].value
        if isinstance(value, tuple):
            return value
        raise TypeError(f"{key} is no list: {value!r}")

    def duration(self, key: str) -> timedelta | None:
        value = self._merged[key].value
        if value is None or isinstance(value, timedelta):
            return value
        raise TypeError(f"{key} is no duration: {value!r}")
