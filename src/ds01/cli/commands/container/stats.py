"""``ds01 container stats``: what running containers use now."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ds01.cli import here, show
from ds01.cli.call import Call
from ds01.cli.style import Style
from ds01.cli.table import Column, table
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.wire.containers import StatsView

WATCH_SECONDS = 2
COLUMNS = (
    Column("NAME", flexible=True, least=14),
    Column("CPU", right=True),
    Column("MEMORY", right=True),
    Column("OF", right=True),
    Column("NETWORK", right=True),
    Column("PROCESSES", right=True),
    Column("GPU"),
    Column("BUSY", right=True),
)


def run(call: Call, *, names: Sequence[str], watch: bool, user: str | None) -> int:
    """Print one reading, or one every two seconds until Ctrl-C."""
    here.whose(call, user)
    if watch and not call.talk.json and not call.talk.stdout.isatty():
        raise Ds01Error(BAD_REQUEST, "--watch needs a terminal, or --json.", hint="ds01 stats")
    while True:
        readings = _readings(call, names)
        _show(call, readings, watch)
        if not watch:
            return 0
        time.sleep(WATCH_SECONDS)


def _readings(call: Call, names: Sequence[str]) -> list[StatsView]:
    wanted = list(names)
    if not wanted:
        wanted = [
            container.name for container in call.client.containers(user=call.user) if container.state == "running"
        ]
    readings = []
    for name in wanted:
        call.wanted = name
        readings.append(call.client.stats(name, user=call.user))
    return readings


def _show(call: Call, readings: list[StatsView], watch: bool) -> None:
    talk = call.talk
    if talk.json:
        (talk.record if watch else talk.emit)(readings)
        return
    if watch:
        talk.stdout.write("\x1b[H\x1b[2J")
    for line in lines(readings, talk.out):
        talk.data(line)
    talk.stdout.flush()
    if not readings:
        talk.say("None of your containers is running.")
        talk.next("ds01 launch NAME", "ds01 list")
    elif watch:
        talk.say("Ctrl-C ends this.")
    else:
        talk.next(f"ds01 container top {readings[0].name}{call.whose}", f"ds01 stats --watch{call.whose}")


def lines(readings: Sequence[StatsView], style: Style) -> list[str]:
    """The table."""
    return table(COLUMNS, [_row(reading) for reading in readings], style) if readings else []


def _row(reading: StatsView) -> list[str]:
    return [
        reading.name,
        f"{reading.cpu_percent:.0f}%",
        show.size(reading.memory_bytes),
        show.size(reading.memory_limit_bytes),
        show.size(reading.network_bytes),
        str(reading.pids),
        ", ".join(reading.gpus),
        show.percent(reading.gpu_utilisation),
    ]
