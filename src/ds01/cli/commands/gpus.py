"""``ds01 gpus``: every slot of the server, and which are free."""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.style import Style, wrap
from ds01.cli.table import Cell, Column, Painted, table
from ds01.domain.quantity import show_size
from ds01.wire.gpus import GpusView, SlotView

COLUMNS = (
    Column("GPU"),
    Column("MODEL", flexible=True, least=12),
    Column("MEMORY", right=True),
    Column("SHARE", right=True),
    Column("STATE"),
    Column("HOLDER", flexible=True, least=8),
    Column("CONTAINER", flexible=True, least=10),
    Column("BUSY", right=True),
    Column("WHY", flexible=True, least=10),
)
_COLOURS = {"free": "green", "quarantined": "red"}


def run(call: Call) -> int:
    """Print the slots."""
    gpus = call.client.gpus()
    if call.talk.json:
        call.talk.emit(gpus)
        return 0
    for line in screen(gpus, call.talk.out):
        call.talk.data(line)
    call.talk.next("ds01 launch NAME --gpus 1" if gpus.free else "ds01 status")
    return 0


def screen(gpus: GpusView, style: Style) -> list[str]:
    """The table, and how many are free."""
    if not gpus.total:
        return ["This server has no GPUs."]
    lines = table(COLUMNS, [_row(slot) for slot in gpus.slots], style)
    lines += ["", f"{gpus.free} of {gpus.total} free."]
    if gpus.simulated:
        lines += wrap(f"{style('yellow', style.sign('!', 'Warning:'))} These GPUs are simulated.", style.width)
    return lines


def _row(slot: SlotView) -> list[Cell]:
    return [
        slot.label,
        slot.model if slot.profile == "full" else f"{slot.model} {slot.profile}",
        show_size(slot.memory_bytes),
        f"{slot.gpueq:.2f}".rstrip("0").rstrip("."),
        Painted(slot.state, _COLOURS.get(slot.state, "dim")),
        slot.holder,
        slot.container,
        show.percent(slot.utilisation),
        slot.reason,
    ]
