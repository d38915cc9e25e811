"""One line of ``gpus.simulated`` as a GPU: ``a100-40gb``, or ``a100-40gb: 3g.20gb 2g.10gb 2g.10gb``.

The UUIDs follow from the index, the model and the place of an instance, so that a restart finds the leases of before.
A colon with nothing after it is a GPU in MIG mode without instances.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from ds01.domain.gpu import Gpu, MigInstance, SlotId
from ds01.domain.names import nearest
from ds01.sim.catalogue import GIB, Model, Profile, model

_SPACE = uuid.UUID("d501d501-0000-4000-8000-000000000001")


def gpu(text: str, index: int) -> Gpu:
    """The GPU this line describes. Raises ValueError, in a sentence, for one that cannot exist."""
    name, colon, rest = text.partition(":")
    name = name.strip().lower()
    chosen = model(name)
    own = SlotId(f"GPU-{uuid.uuid5(_SPACE, f'{index}/{name}')}")
    return Gpu(
        uuid=own,
        index=index,
        model=chosen.name,
        memory_bytes=chosen.memory_gib * GIB,
        minor=index,
        pci_bus=f"00000000:{0x10 + index:02X}:00.0",
        slices=chosen.slices,
        mig=bool(colon),
        instances=instances(name, chosen, own, rest.split()) if colon else (),
    )


def instances(name: str, chosen: Model, own: SlotId, wanted: Sequence[str]) -> tuple[MigInstance, ...]:
    """The instances of a partition, in the order they were written."""
    profiles = [_profile(name, chosen, text) for text in wanted]
    places = _places(profiles, chosen)
    if places is None:
        raise ValueError(
            f"{name} cannot be divided into {' + '.join(p.name for p in profiles)}; {_room(profiles, chosen)}"
        )
    return tuple(
        MigInstance(
            uuid=SlotId(f"MIG-{uuid.uuid5(_SPACE, f'{own}/{profile.name}@{start}')}"),
            profile=profile.name,
            slices=profile.slices,
            memory_bytes=profile.memory_bytes,
        )
        for profile, start in zip(profiles, places, strict=True)
    )


def _profile(name: str, chosen: Model, text: str) -> Profile:
    if not chosen.profiles:
        raise ValueError(f"{name} has no MIG and cannot be divided; leave '{text}' out")
    found = chosen.profiles.get(text.strip(",").lower())
    if found is None:
        better = nearest(text, chosen.profiles)
        meant = f"did you mean '{better}'?" if better else f"it has {', '.join(chosen.profiles)}"
        raise ValueError(f"{name} has no MIG profile '{text}'; {meant}")
    return found


def _room(profiles: Sequence[Profile], chosen: Model) -> str:
    asked = sum(profile.slices for profile in profiles)
    if asked > chosen.slices:
        return f"that is {asked} compute slices of {chosen.slices}"
    return "their places on the card overlap"


def _places(profiles: Sequence[Profile], chosen: Model) -> list[int] | None:
    """A start for each profile so that nothing overlaps, or None. The widest go first: they fit in few places."""
    if sum(profile.slices for profile in profiles) > chosen.slices:
        return None
    order = sorted(range(len(profiles)), key=lambda index: -profiles[index].width)
    starts = _fill([profiles[index] for index in order], frozenset())
    if starts is None:
        return None
    placed = dict(zip(order, starts, strict=True))
    return [placed[index] for index in range(len(profiles))]


def _fill(profiles: list[Profile], taken: frozenset[int]) -> list[int] | None:
    if not profiles:
        return []
    first, rest = profiles[0], profiles[1:]
    for start in first.starts:
        cells = frozenset(range(start, start + first.width))
        if not cells & taken and (others := _fill(rest, taken | cells)) is not None:
            return [start, *others]
    return None
