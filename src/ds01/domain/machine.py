"""Limits against the machine: what a file asks for that the server has not.

A limits file is often written for a bigger server than the one it lies on. That is no mistake: a container gets
what there is, and the admin is told, with the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from ds01.domain import limit_keys
from ds01.domain.gpu import Slot
from ds01.domain.limit_keys import KEYS, Value
from ds01.domain.limits import Layer, Sourced
from ds01.domain.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What there is. ``disk_bytes`` is the size of the file system that holds workspaces and images."""

    cpus: float
    memory_bytes: int
    gpueq: Fraction
    slots: int
    disk_bytes: int = 0


def machine(*, cpus: float, memory_bytes: int, slots: Iterable[Slot], disk_bytes: int = 0) -> Machine:
    """The machine with these slots."""
    listed = tuple(slots)
    gpueq = sum((slot.gpueq for slot in listed), Fraction(0))
    return Machine(cpus=cpus, memory_bytes=memory_bytes, gpueq=gpueq, slots=len(listed), disk_bytes=disk_bytes)


def shortfalls(settings: Settings, machine: Machine) -> tuple[str, ...]:
    """One sentence for every value of the file that is more than the machine has. Built-in values are no asking."""
    return tuple(sentence for where, layer in _layers(settings) for sentence in _short(where, layer, machine))


def _layers(settings: Settings) -> Iterator[tuple[str, Layer]]:
    policy = settings.policy
    yield "defaults", policy.defaults
    for group in policy.groups:
        yield f"groups.{group.name}", group.layer
        yield f"aggregate.{group.name}", group.aggregate
    for login, layer in policy.users.items():
        yield f"users.{login}", layer


def _short(where: str, layer: Layer, machine: Machine) -> Iterator[str]:
    for key, there in _there(machine).items():
        asked = layer.get(key)
        if asked is not None and _more(asked, there):
            shown = limit_keys.show(KEYS[key], asked.value)
            has = limit_keys.show(KEYS[key], there)
            yield f"{asked.source} {where}.{key}: {shown} is more than this server has ({has})"


def _there(machine: Machine) -> Mapping[str, Value]:
    there: dict[str, Value] = {
        "gpus.max": machine.gpueq,
        "gpus.per_container": machine.slots,
        "cpus": machine.cpus,
        "memory": machine.memory_bytes,
        "shm": machine.memory_bytes,
    }
    if machine.disk_bytes:
        there |= {"disk.workspace": machine.disk_bytes, "disk.images": machine.disk_bytes}
    return there


def _more(asked: Sourced, there: Value) -> bool:
    number = (int, float, Fraction)
    return isinstance(asked.value, number) and isinstance(there, number) and asked.value > there
