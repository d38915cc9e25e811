"""``ds01 admin mig show``: how GPUs are divided, and how they could be."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.table import Cell, Column, table
from ds01.wire.mig import MigGpuView

COLUMNS = (
    Column("GPU"),
    Column("MODEL", flexible=True, least=12),
    Column("DIVIDED", flexible=True, least=14),
    Column("OFFERS", flexible=True, least=20),
)


def run(call: Call) -> int:
    """Print the GPUs."""
    view = call.client.mig()
    if call.talk.json:
        call.talk.emit(view)
        return 0
    for line in table(COLUMNS, [_row(gpu) for gpu in view.gpus], call.talk.out) if view.gpus else []:
        call.talk.data(line)
    if not view.gpus:
        call.talk.say("This server has no GPUs.")
    if view.simulated:
        call.talk.warn("These GPUs are simulated.")
    call.talk.next("ds01 admin mig plan '0: 3g.20gb 2g.10gb'", "ds01 gpus")
    return 0


def _row(gpu: MigGpuView) -> list[Cell]:
    return [str(gpu.index), gpu.model, shown(gpu.now), " ".join(gpu.offered) or "cannot be divided"]


def shown(profiles: str) -> str:
    """A partition in a cell: ``off`` is a whole GPU, nothing is a GPU in MIG mode without instances."""
    return "whole" if profiles == "off" else profiles or "no instances"
