"""``ds01 status``: one calm screen that answers 'is there room for me, and what do I hold already?'."""

from __future__ import annotations

from ds01.cli import here
from ds01.cli.call import Call
from ds01.cli.commands.container.list import lines as container_lines
from ds01.cli.commands.queue import screen as queue_lines
from ds01.cli.style import Style, wrap
from ds01.cli.table import pairs
from ds01.domain.record import replace
from ds01.wire.gpus import GpusView
from ds01.wire.status import StatusView


def run(call: Call, *, user: str | None) -> int:
    """Print the screen, or the view as JSON."""
    status = call.client.status(user=user or "")
    if call.talk.json:
        call.talk.emit(status)
        return 0
    for line in screen(status, call.talk.out):
        call.talk.data(line)
    call.talk.next(*_next(status))
    return 0


def screen(status: StatusView, style: Style) -> list[str]:
    """The whole screen."""
    lines = wrap(f"{style('bold', status.login)} on {status.server}, group {status.group}", style.width)
    if status.simulated_gpus:
        lines += wrap(
            f"{style('yellow', style.sign('!', 'Warning:'))} The GPUs of this server are simulated.", style.width
        )
    for alarm in status.alarms:
        lines += wrap(f"{style('red', style.sign('!', 'Alarm:'))} {alarm}", style.width)
    lines += ["", style("cyan", "You use")]
    lines += pairs([(use.what, f"{use.used} of {use.limit}") for use in status.usage], style)
    lines += ["", *_gpus(status.gpus, style)]
    if status.containers:
        lines += ["", style("cyan", "Your containers"), *container_lines(status.containers, style)]
    if status.queue is not None and status.queue.waiting + status.queue.reserved:
        lines += ["", style("cyan", "The queue")]
        lines += [
            f"  {line}" if line else "" for line in queue_lines(status.queue, replace(style, width=style.width - 2))
        ]
    if status.notices:
        lines += ["", style("cyan", "Notices")]
        lines += [line for notice in status.notices for line in wrap(notice, style.width, indent="  ")]
    return lines


def _gpus(gpus: GpusView, style: Style) -> list[str]:
    if not gpus.total:
        return [style("cyan", "GPUs"), "  This server has none."]
    kinds: dict[str, list[int]] = {}
    for slot in gpus.slots:
        what = slot.model if slot.profile == "full" else f"{slot.model} {slot.profile}"
        free, total = kinds.setdefault(what, [0, 0])
        kinds[what] = [free + (slot.state == "free"), total + 1]
    rows = [(what, f"{free} of {total} free") for what, (free, total) in kinds.items()]
    return [style("cyan", "GPUs of the server"), *pairs(rows, style)]


def _next(status: StatusView) -> tuple[str, ...]:
    running = [container for container in status.containers if container.state == "running"]
    if running:
        return here.back_in(running[0]), f"ds01 retire {running[0].name}"
    if status.containers:
        return here.back_in(status.containers[0]), "ds01 list"
    return "ds01 launch NAME", "ds01 init NAME for a new project"
