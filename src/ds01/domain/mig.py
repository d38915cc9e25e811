"""Dividing a GPU: what is wanted, whether the card can be cut that way, and what would do instead.

A profile is so many compute slices and a stretch of memory slices that may begin only at certain places, both as the
driver says for this very card. A partition is possible when all its profiles find a place and none overlap.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ds01.domain.gpu import Gpu, MigInstance, Slot, SlotId, slots_of
from ds01.domain.names import nearest

OFF = "off"
"""What is written for a GPU that is not to be divided."""

_LINE = re.compile(r"\s*(?:gpu\s*)?(\d{1,3})\s*:(.*)", re.IGNORECASE | re.DOTALL)


class UndividableError(ValueError):
    """A card that cannot be divided like that, in a sentence."""


@dataclass(frozen=True, kw_only=True)
class MigProfile:
    """One way to cut: ``slices`` of compute, ``width`` memory slices wide, beginning at one of ``starts``."""

    name: str
    slices: int
    width: int
    starts: tuple[int, ...]
    memory_bytes: int


@dataclass(frozen=True, kw_only=True)
class Partition:
    """What one GPU (by its index) is to be: names of profiles, or None for a whole GPU."""

    index: int
    profiles: tuple[str, ...] | None

    @property
    def text(self) -> str:
        """The profiles as they are written."""
        return OFF if self.profiles is None else " ".join(self.profiles)


def partitions(text: str) -> tuple[Partition, ...]:
    """Read ``1: 3g.20gb 2g.10gb 2g.10gb; 2: off``. Raises ValueError, in a sentence."""
    found: dict[int, Partition] = {}
    for part in filter(str.strip, text.split(";")):
        match = _LINE.fullmatch(part)
        if match is None:
            raise ValueError(f"'{part.strip()}' is no plan; write it like '1: 3g.20gb 2g.10gb 2g.10gb' or '1: off'")
        index = int(match[1])
        if index in found:
            raise ValueError(f"GPU {index} is in the plan twice")
        found[index] = Partition(index=index, profiles=profiles(match[2]))
    if not found:
        raise ValueError("the plan is empty; write it like '1: 3g.20gb 2g.10gb 2g.10gb' or '1: off'")
    return tuple(found.values())


def profiles(text: str) -> tuple[str, ...] | None:
    """The names after the colon, an instance each; ``3x1g.5gb`` is three."""
    words = text.replace(",", " ").lower().split()
    if words == [OFF]:
        return None
    if not words or OFF in words:
        raise ValueError(f"after the colon come profiles such as 3g.20gb, or '{OFF}' for a whole GPU")
    return tuple(name for word in words for name in _repeated(word))


def _repeated(word: str) -> list[str]:
    times = re.fullmatch(r"(\d{1,2})[x*](.+)", word)
    return [times[2]] * int(times[1]) if times else [word]


def is_so(gpu: Gpu, wanted: tuple[str, ...] | None) -> bool:
    """Whether the GPU is divided that way already."""
    if wanted is None:
        return not gpu.mig
    return gpu.mig and sorted(part.profile for part in gpu.instances) == sorted(wanted)


def divided(gpu: Gpu, wanted: tuple[str, ...] | None, offered: Iterable[MigProfile]) -> tuple[Slot, ...]:
    """The slots the GPU would have, under names of their own."""
    known = {profile.name: profile for profile in offered}
    parts = (
        MigInstance(
            uuid=SlotId(f"planned-{gpu.index}-{number}"), profile=name, slices=known[name].slices,
            memory_bytes=known[name].memory_bytes,
        )
        for number, name in enumerate(wanted or ())
    )  # fmt: skip
    return slots_of(replace(gpu, mig=wanted is not None, instances=tuple(parts)))


def now(gpu: Gpu) -> str:
    """How the GPU is divided, as it would be written; a GPU in MIG mode without instances is ``""``."""
    return " ".join(part.profile for part in gpu.instances) if gpu.mig else OFF


def places(card: str, names: Sequence[str], offered: Iterable[MigProfile]) -> tuple[tuple[MigProfile, int], ...]:
    """The profiles with where each begins, in the order given. Raises UndividableError, or ValueError for a profile it
    does not have; both in a sentence.
    """
    known = {profile.name: profile for profile in offered}
    wanted = [_known(card, name, known) for name in names]
    starts = arranged(wanted)
    if starts is None:
        raise UndividableError(
            f"{card} cannot be divided into {' + '.join(names)}: {_why(wanted, known)}. {_instead(wanted)}"
        )
    return tuple(zip(wanted, starts, strict=True))


def _known(card: str, name: str, known: Mapping[str, MigProfile]) -> MigProfile:
    if not known:
        raise UndividableError(f"{card} has no MIG and cannot be divided; leave '{name}' out")
    if name not in known:
        better = nearest(name, known)
        meant = f"did you mean '{better}'?" if better else f"it has {', '.join(known)}"
        raise ValueError(f"{card} has no MIG profile '{name}'; {meant}")
    return known[name]


def _why(wanted: Sequence[MigProfile], known: Mapping[str, MigProfile]) -> str:
    asked, there = sum(each.slices for each in wanted), max(each.slices for each in known.values())
    if asked > there:
        return f"that is {asked} compute slices of {there}"
    return "their places on the card overlap"


def _instead(wanted: Sequence[MigProfile]) -> str:
    """The most of what was wanted that does fit."""
    kept: list[MigProfile] = []
    for each in sorted(wanted, key=lambda each: -each.width):
        if arranged([*kept, each]) is not None:
            kept.append(each)
    return f"{' + '.join(each.name for each in kept)} would fit"


def arranged(wanted: Sequence[MigProfile]) -> list[int] | None:
    """A start for each so that nothing overlaps, or None. The widest go first: they fit in few places."""
    room = max((start + each.width for each in wanted for start in each.starts), default=0)
    if sum(each.width for each in wanted) > room:
        return None
    order = sorted(range(len(wanted)), key=lambda index: -wanted[index].width)
    starts = _fill([wanted[index] for index in order], frozenset())
    if starts is None:
        return None
    placed = dict(zip(order, starts, strict=True))
    return [placed[index] for index in range(len(wanted))]


def _fill(wanted: Sequence[MigProfile], taken: frozenset[int]) -> list[int] | None:
    if not wanted:
        return []
    first, rest = wanted[0], wanted[1:]
    for start in first.starts:
        cells = frozenset(range(start, start + first.width))
        if not cells & taken and (others := _fill(rest, taken | cells)) is not None:
            return [start, *others]
    return None
