"""The registry of limits: every key once, with its kind, its default, and what it means.

Reading a value, showing it, the built-in defaults, which keys a door or an exemption may touch, the former
names that older files use, and the reference page all come from here, so that no two of them can disagree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction

from ds01.domain import devices, publish, quantity
from ds01.domain.names import nearest

Value = int | float | str | bool | Fraction | timedelta | tuple[str, ...] | None
"""Sizes are int bytes, durations timedelta, GPU-equivalents Fraction, lists of words tuples; None is 'no limit'."""

GIB = 1024**3
LONGEST = timedelta(days=3650)
LARGEST = 1024**5


class Kind(StrEnum):
    """What a value is, which decides how it is written, read and shown."""

    GPUEQ = "GPU-equivalents"
    COUNT = "count"
    NUMBER = "number"
    INTEGER = "whole number"
    SIZE = "size"
    DURATION = "duration"
    GPU_TIME = "GPU time"
    SHARE = "percentage"
    CHOICE = "choice"
    DEVICES = "devices"
    ADDRESSES = "addresses"
    SWITCH = "true or false"


@dataclass(frozen=True, kw_only=True)
class Key:
    """One limit. ``nullable``: ``null`` is allowed and means 'no limit', so an exemption can lift it.

    ``lifecycle``: a door may change it. ``former`` are the names older files and habits know it by.
    """

    name: str
    kind: Kind
    default: Value
    meaning: str
    nullable: bool = False
    lifecycle: bool = False
    choices: tuple[str, ...] = ()
    least: int = 0
    former: tuple[str, ...] = ()


_ALL = (
    Key(
        name="gpus.max", kind=Kind.GPUEQ, default=Fraction(1), nullable=True,
        meaning="GPU-equivalents you may hold at once over all containers; a MIG instance counts its share of the GPU",
        former=("max_gpu_equivalents", "max_mig_instances", "max_gpu_slots", "max_gpus_per_user"),
    ),
    Key(
        name="gpus.per_container", kind=Kind.COUNT, default=1, nullable=True,
        meaning="GPUs or MIG instances one container may have",
        former=("max_gpu_slots_per_container", "max_mig_per_container", "max_gpus_per_container"),
    ),
    Key(
        name="gpus.mig", kind=Kind.CHOICE, default="allowed", choices=("allowed", "only", "never"),
        meaning="whether GPUs come as MIG instances: allowed, only (no whole GPU), or never (whole GPUs only)",
        former=("allow_full_gpu",),
    ),
    Key(
        name="containers", kind=Kind.COUNT, default=3, nullable=True,
        meaning="containers you may have at once, stopped ones included",
        former=("max_containers_per_user", "max_containers"),
    ),
    Key(
        name="images", kind=Kind.COUNT, default=500, nullable=True,
        meaning="images you may have at once; one with several names counts once for each, ten steps of builds as one",
    ),
    Key(
        name="volumes", kind=Kind.COUNT, default=20, nullable=True,
        meaning="Docker volumes you may have at once, those of containers included",
    ),
    Key(
        name="networks", kind=Kind.COUNT, default=5, nullable=True,
        meaning="Docker networks you may have at once, without your own one",
    ),
    Key(
        name="ports", kind=Kind.COUNT, default=20, least=1,
        meaning="ports that are yours for tunnels to your containers; which ones follows from your uid",
    ),
    Key(
        name="cpus", kind=Kind.NUMBER, default=8.0, meaning="CPU cores one container may use",
        former=("max_cpus",),
    ),
    Key(
        name="memory", kind=Kind.SIZE, default=32 * GIB, least=6 * 1024**2,
        meaning="memory one container may use; its processes are killed beyond it",
        former=("max_memory", "memory_limit"),
    ),
    Key(
        name="swap", kind=Kind.SIZE, default=0, meaning="swap one container may use on top of its memory",
        former=("memory_swap",),
    ),
    Key(
        name="shm", kind=Kind.SIZE, default=8 * GIB, least=1024**2,
        meaning="shared memory (/dev/shm) of one container, for data loaders; it counts as memory",
        former=("shm_size",),
    ),
    Key(
        name="pids", kind=Kind.COUNT, default=4096, least=16,
        meaning="processes and threads one container may have", former=("pids_limit",),
    ),
    Key(
        name="disk.workspace", kind=Kind.SIZE, default=100 * GIB, nullable=True,
        meaning="disk space of your workspaces together; shown, not enforced: quotas of the file system do that",
        former=("storage_workspace",),
    ),
    Key(
        name="disk.images", kind=Kind.SIZE, default=60 * GIB, nullable=True,
        meaning="disk space of your images, containers and volumes together", former=("storage_images",),
    ),
    Key(
        name="runtime", kind=Kind.DURATION, default=timedelta(hours=24), nullable=True, lifecycle=True, least=60,
        meaning="running time of a container with a GPU, over restarts too, before it is stopped",
        former=("max_runtime", "max_runtime_h"),
    ),
    Key(
        name="runtime_without_gpu", kind=Kind.SWITCH, default=False,
        meaning="whether the running time of a container without a GPU ends, too; otherwise it may run as long as it"
        " likes",
    ),
    Key(
        name="idle", kind=Kind.DURATION, default=timedelta(minutes=30), nullable=True, lifecycle=True, least=60,
        meaning="time a container with a GPU may do nothing before it is stopped",
        former=("idle_timeout", "idle_timeout_h"),
    ),
    Key(
        name="gpu_hold", kind=Kind.DURATION, default=timedelta(minutes=15), lifecycle=True,
        meaning="time the GPU of a stopped container is kept for it",
        former=("gpu_hold_after_stop", "gpu_hold_after_stop_h"),
    ),
    Key(
        name="container_hold", kind=Kind.DURATION, default=timedelta(days=7), nullable=True, lifecycle=True,
        meaning="time a stopped container is kept before it is removed; your workspace stays",
        former=("container_hold_after_stop", "container_hold_after_stop_h"),
    ),
    Key(
        name="priority", kind=Kind.INTEGER, default=0, meaning="head start in the queue; higher goes first",
    ),
    Key(
        name="preemptible", kind=Kind.SWITCH, default=False,
        meaning="whether your containers with GPUs give way when somebody else waits: warned, stopped, jobs start anew",
    ),
    Key(
        name="shares", kind=Kind.COUNT, default=1, least=1,
        meaning="your part of what your group may use when GPUs are short, against the others of the group",
    ),
    Key(
        name="group_shares", kind=Kind.COUNT, default=1, least=1,
        meaning="the part of the whole group when GPUs are short, against other groups",
    ),
    Key(
        name="bookings.who", kind=Kind.CHOICE, default="self", choices=("nobody", "self", "others"),
        meaning="for whom you may book GPUs: nobody, self, or others too (groups and classes)",
    ),
    Key(
        name="bookings.per_week", kind=Kind.GPU_TIME, default=timedelta(hours=8), nullable=True,
        meaning="GPU time you may book in one week: 8h is one GPU for eight hours, or four for two",
    ),
    Key(
        name="bookings.ahead", kind=Kind.DURATION, default=timedelta(days=14), nullable=True,
        meaning="how far ahead you may book, the last date of a weekly booking included",
    ),
    Key(
        name="bookings.notice", kind=Kind.DURATION, default=timedelta(hours=1),
        meaning="how long before its begin a booking must be made",
    ),
    Key(
        name="devices", kind=Kind.DEVICES, default=(),
        meaning="device files of this server, besides GPUs, that your containers may be given with docker run --device",
    ),
    Key(
        name="publish", kind=Kind.ADDRESSES, default=(),
        meaning="addresses of this server, besides its loopback, on which your containers may publish ports with"
        " docker run -p ADDRESS:PORT:PORT",
    ),
    Key(
        name="lead", kind=Kind.DURATION, default=timedelta(minutes=15), lifecycle=True,
        meaning="warning you get before any automatic stop",
    ),
    Key(
        name="stop_grace", kind=Kind.DURATION, default=timedelta(seconds=60), lifecycle=True,
        meaning="time a stopping container has between SIGTERM and SIGKILL, to save its work",
        former=("sigterm_grace_seconds",),
    ),
    Key(
        name="admin", kind=Kind.SWITCH, default=False,
        meaning="whether you are an admin of DS01: see and stop everything, read everybody's limits and events",
    ),
)  # fmt: skip

KEYS: dict[str, Key] = {key.name: key for key in _ALL}
"""Every limit by its flat name (``gpus.max``), in the order people read them."""

AGGREGATE_KEYS = ("cpus", "memory", "pids")
"""What may be set for all containers of one user together."""


def find(text: str, among: Iterable[str] = KEYS) -> tuple[Key | None, str]:
    """The key somebody means by its name or a former one; else None and the nearest name (or ``""``)."""
    names = [name for name in among if name in KEYS]
    if text in names:
        return KEYS[text], text
    known = {former: name for name in names for former in KEYS[name].former}
    if text in known:
        return KEYS[known[text]], known[text]
    guess = nearest(text, [*names, *known]) or next((n for n in names if n.split(".")[-1] == text), "")
    return None, known.get(guess, guess)


def read(key: Key, text: str) -> Value:
    """A value as people write it. Raises ValueError that says what was expected."""
    value = _READ[key.kind](key, text.strip())
    amount = value.total_seconds() if isinstance(value, timedelta) else value
    if key.least and isinstance(amount, int | float) and amount < key.least:
        raise ValueError(f"expected {_least(key)} or more, not {text}")
    return value


def show(key: Key, value: Value) -> str:
    """A value as people write it; None is ``no limit``."""
    if value is None:
        return "no limit"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if key.kind is Kind.GPU_TIME and isinstance(value, timedelta):
        return quantity.show_hours(value)
    if isinstance(value, timedelta):
        return quantity.show_duration(value)
    if isinstance(value, Fraction):
        return quantity.show_gpueq(value)
    if key.kind is Kind.SHARE and isinstance(value, float):
        return f"{value * 100:g}%"
    if key.kind is Kind.SIZE and isinstance(value, int):
        return quantity.show_size(value) if value else "0"
    if isinstance(value, tuple):
        return " ".join(value) or (publish.NONE if key.kind is Kind.ADDRESSES else devices.NONE)
    return f"{value:g}" if isinstance(value, float) else str(value)


def expected(key: Key) -> str:
    """What the key takes, in words, for errors and the reference page."""
    words = {
        Kind.GPUEQ: "a number of GPU-equivalents like 2 or 0.5",
        Kind.COUNT: "a whole number, 0 or more",
        Kind.NUMBER: "a number above 0, like 8 or 2.5",
        Kind.INTEGER: "a whole number",
        Kind.SIZE: "a size like 512M or 32G",
        Kind.DURATION: "a duration like 30m, 24h or 7d",
        Kind.GPU_TIME: "hours of one GPU like 8h or 90m",
        Kind.SHARE: "a percentage like 5% or 80%",
        Kind.DEVICES: f"device files with spaces between like /dev/kvm /dev/infiniband/*, or {devices.NONE}",
        Kind.ADDRESSES: f"IPv4 addresses of this server with spaces between like 10.20.0.5, {publish.ANY} for all of"
        f" them, or {publish.NONE}",
        Kind.CHOICE: "one of " + ", ".join(key.choices),
        Kind.SWITCH: "true or false",
    }[key.kind]
    return f"{words}, or null for no limit" if key.nullable else words


def _least(key: Key) -> str:
    return show(key, timedelta(seconds=key.least) if key.kind is Kind.DURATION else key.least)


def _fail(key: Key, text: str) -> ValueError:
    return ValueError(f"expected {expected(key)}, not {text!r}")


def _gpueq(key: Key, text: str) -> Value:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text):
        raise _fail(key, text)
    return Fraction(text)


def _count(key: Key, text: str) -> Value:
    if not re.fullmatch(r"\d{1,9}", text):
        raise _fail(key, text)
    return int(text)


def _number(key: Key, text: str) -> Value:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", text) or float(text) <= 0:
        raise _fail(key, text)
    return float(text)


def _integer(key: Key, text: str) -> Value:
    if not re.fullmatch(r"-?\d{1,9}", text):
        raise _fail(key, text)
    return int(text)


def _size(key: Key, text: str) -> Value:
    try:
        value = quantity.size(text)
    except ValueError as error:
        raise _fail(key, text) from error
    if value > LARGEST:
        raise ValueError(f"expected at most {quantity.show_size(LARGEST)}, not {text!r}")
    return value


def _duration(key: Key, text: str) -> Value:
    try:
        value = quantity.duration(text)
    except ValueError as error:
        raise _fail(key, text) from error
    if value > LONGEST:
        raise ValueError(f"expected at most {quantity.show_duration(LONGEST)}, not {text!r}")
    return value


def _share(key: Key, text: str) -> Value:
    if not re.fullmatch(r"\d{1,3}(\.\d{1,2})?%", text) or float(text[:-1]) > 100:
        raise _fail(key, text)
    return float(text[:-1]) / 100


def _choice(key: Key, text: str) -> Value:
    if text not in key.choices:
        raise _fail(key, text)
    return text


def _devices(key: Key, text: str) -> Value:
    try:
        return devices.read(text)
    except ValueError as error:
        raise ValueError(f"expected {expected(key)}; {error}") from error


def _addresses(key: Key, text: str) -> Value:
    try:
        return publish.read(text)
    except ValueError as error:
        raise ValueError(f"expected {expected(key)}; {error}") from error


def _switch(key: Key, text: str) -> Value:
    if text not in ("true", "false"):
        raise _fail(key, text)
    return text == "true"


_READ: dict[Kind, Callable[[Key, str], Value]] = {
    Kind.GPUEQ: _gpueq,
    Kind.COUNT: _count,
    Kind.NUMBER: _number,
    Kind.INTEGER: _integer,
    Kind.SIZE: _size,
    Kind.DURATION: _duration,
    Kind.GPU_TIME: _duration,
    Kind.SHARE: _share,
    Kind.DEVICES: _devices,
    Kind.ADDRESSES: _addresses,
    Kind.CHOICE: _choice,
    Kind.SWITCH: _switch,
}
