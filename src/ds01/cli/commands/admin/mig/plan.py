"""``ds01 admin mig plan``: what a plan would change, and who is in the way."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.commands.admin.mig.show import shown
from ds01.cli.table import Cell, Column, table
from ds01.wire.mig import MigGpuView, MigView

COLUMNS = (
    Column("GPU"),
    Column("NOW", flexible=True, least=10),
    Column("THEN", flexible=True, least=14),
    Column("IN THE WAY", flexible=True, least=16),
)


def run(call: Call, *, plan: list[str]) -> int:
    """Print what would change; change nothing."""
    text = " ".join(plan)
    view = call.client.mig(text)
    if call.talk.json:
        call.talk.emit(view)
        return 0
    screen(call, view)
    free = not any(gpu.changes and gpu.in_the_way for gpu in view.gpus)
    first = next((gpu.index for gpu in view.gpus if gpu.changes and gpu.in_the_way), 0)
    call.talk.next(f"ds01 admin mig apply '{text}'" if free else f"ds01 admin drain {first}")
    return 0


def screen(call: Call, view: MigView) -> None:
    """The plan as a table."""
    for line in table(COLUMNS, [_row(gpu) for gpu in view.gpus], call.talk.out):
        call.talk.data(line)
    if not any(gpu.changes for gpu in view.gpus):
        call.talk.say("They are divided so already: nothing would change.")


def _row(gpu: MigGpuView) -> list[Cell]:
    then = shown(gpu.then) if gpu.changes else "as it is"
    return [str(gpu.index), shown(gpu.now), then, ", ".join(gpu.in_the_way) if gpu.changes else ""]
