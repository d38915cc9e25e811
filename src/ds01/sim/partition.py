"""One line of ``gpus.simulated`` as a GPU: ``a100-40gb``, or ``a100-40gb: 3g.20gb 2g.10gb 2g.10gb``.

The UUIDs follow from the index, the model and the place of an instance, so that a restart finds the leases of before.
A colon with nothing after it is a GPU in MIG mode without instances.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from ds01.domain.gpu import Gpu, MigInstance, SlotId
from ds01.domain.mig import places
from ds01.sim.catalogue import GIB, Model, model

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
    """The instances of a partition, in the order they were written. Raises ValueError, in a sentence."""
    names = [text.strip(",").lower() for text in wanted]
    return tuple(
        MigInstance(
            uuid=SlotId(f"MIG-{uuid.uuid5(_SPACE, f'{own}/{profile.name}@{start}')}"),
            profile=profile.name,
            slices=profile.slices,
            memory_bytes=profile.memory_bytes,
        )
        for profile, start in places(name, names, chosen.profiles.values())
    )
