"""Which GPUs are out of service, and why?"""

from __future__ import annotations

import asyncio

from ds01.domain.gpu import SlotId
from ds01.domain.quantity import many
from ds01.ports.ledger import Books
from ds01.services.checks import Check, Finding, ok, warning
from ds01.services.world import World


async def _run(world: World) -> Finding:
    labels, set_aside = await world.ledger.read(_look)
    bad = await asyncio.to_thread(world.devices.faults) | set_aside
    if not bad:
        return ok("No GPU is out of service.")
    return warning(
        f"{many(len(bad), 'GPU')} out of service: nobody is placed there.",
        "Drained: ds01 admin undrain N. Broken (dmesg, nvidia-smi -q): it comes back when its driver says it is well.",
        sorted(f"GPU {labels.get(slot, slot)}: {reason}" for slot, reason in bad.items()),
    )


def _look(books: Books) -> tuple[dict[SlotId, str], dict[SlotId, str]]:
    return {slot.id: slot.label for slot in books.slots()}, books.quarantined()


CHECK = Check(about="no GPU is out of service", run=_run)
