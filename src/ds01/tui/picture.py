"""What the live view shows of a status: lines that fit the screen, the containers with a mark at the chosen one."""

from __future__ import annotations

from collections.abc import Sequence

from ds01.cli import show
from ds01.cli.commands.queue import screen as queue_lines
from ds01.cli.style import Style, wrap
from ds01.cli.table import Cell, Column, Painted, table
from ds01.domain.quantity import show_size
from ds01.wire.containers import ContainerView
from ds01.wire.gpus import GpusView, SlotView
from ds01.wire.status import StatusView

BAR = 10
GPUS = (
    Column("GPU"), Column("MODEL", flexible=True, least=10), Column("BUSY"), Column("MEMORY", right=True),
    Column("OWNER", flexible=True, least=10),
)  # fmt: skip
CONTAINERS = (
    Column("  NAME", flexible=True, least=12), Column("STATE", flexible=True, least=9),
    Column("GPU", flexible=True, least=6), Column("BUSY", right=True), Column("MEMORY", right=True),
    Column("IDLE LEFT", right=True),
    Column("TIME LEFT", right=True),
)  # fmt: skip
_STATES = {"free": "green", "quarantined": "red"}


def head(status: StatusView, style: Style) -> list[str]:
    """Whose view it is, how much she has, and what must be known first."""
    had = ", ".join(f"{use.used} of {use.limit} {use.what}" for use in status.usage[:2])
    lines = wrap(f"{style('bold', status.login)} on {status.server}: {had}", style.width)
    if status.simulated_gpus:
        lines += wrap(f"{style('yellow', style.sign('!', 'Warning:'))} The GPUs are simulated.", style.width)
    for alarm in status.alarms:
        lines += wrap(f"{style('red', style.sign('!', 'Alarm:'))} {alarm}", style.width)
    return lines


def notices(status: StatusView, style: Style) -> list[str]:
    """What stands against her containers."""
    if not status.notices:
        return []
    mark = style("yellow", style.sign("!", "Notice:"))
    told = [line for notice in status.notices for line in wrap(f"{mark} {notice}", style.width, hanging="  ")]
    return [style("cyan", "Notices"), *told]


def containers(status: StatusView, chosen: str, style: Style) -> list[str]:
    """Her containers; the chosen one has a mark and is bold."""
    if not status.containers:
        return [style("cyan", "Your containers"), "  None. ds01 launch NAME makes one."]
    rows = [_container(each, each.name == chosen, style) for each in status.containers]
    return [style("cyan", "Your containers"), *table(CONTAINERS, rows, style)]


def queue(status: StatusView, style: Style) -> list[str]:
    """Who waits, when somebody does."""
    found = status.queue
    if found is None or not found.waiting + found.reserved:
        return []
    return [style("cyan", "The queue"), *queue_lines(found, style)]


def gpus(found: GpusView, style: Style) -> list[str]:
    """Every slot: what it does, and whose it is as far as she may know."""
    title = style("cyan", "GPUs of the server")
    if not found.total:
        return [title, "  This server has none."]
    return [
        f"{title}: {found.free} of {found.total} free",
        *table(GPUS, [_slot(slot, style) for slot in found.slots], style),
    ]


def _container(container: ContainerView, chosen: bool, style: Style) -> Sequence[Cell]:
    mark = style.sign("▶", ">") if chosen else " "
    name = f"{mark} {container.name}"
    return [
        Painted(name, "bold") if chosen else name, Painted(show.described(container), show.colour(container)),
        show.gpus(container), show.percent(container.gpu_utilisation), show.size(container.memory_bytes),
        show.left(container.idle_left_seconds), show.left(container.runtime_left_seconds),
    ]  # fmt: skip


def _slot(slot: SlotView, style: Style) -> Sequence[Cell]:
    used = "" if slot.memory_used_bytes is None else f"{show_size(slot.memory_used_bytes)} of "
    return [
        slot.label, _model(slot),
        _bar(slot.utilisation, style), f"{used}{show_size(slot.memory_bytes)}", _owner(slot),
    ]  # fmt: skip


def _model(slot: SlotView) -> str:
    model = slot.model.removeprefix("NVIDIA ")
    return model if slot.profile == "full" else f"{model} {slot.profile}"


def _owner(slot: SlotView) -> Cell:
    if not slot.holder:
        return Painted(f"{slot.state}: {slot.reason}" if slot.reason else slot.state, _STATES.get(slot.state, "dim"))
    told = f"{slot.holder}: {slot.container}" if slot.container else slot.holder
    return told if slot.state == "active" else f"{told} ({slot.state})"


def _bar(percent: float | None, style: Style) -> str:
    if percent is None:
        return "unknown"
    full = round(min(max(percent, 0), 100) / 100 * BAR)
    return f"{style.sign('█', '#') * full}{style.sign('░', '.') * (BAR - full)} {percent:3.0f}%"
