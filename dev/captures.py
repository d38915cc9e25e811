"""Makes the pictures in the docs anew, from the product itself: a simulated server with a day and a month of work.

python -m dev.captures       docs/images/top.svg, the text of it in docs/howto/monitor.md; and the month (a minute)
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from textual.widgets import Static

from dev.pretend import REST, WORK, Pretend, Work, played
from ds01.cli.report.markdown import markdown
from ds01.cli.report.page import page
from ds01.cli.style import Style
from ds01.client import Client
from ds01.domain.record import replace
from ds01.services.observe import status
from ds01.services.report import report
from ds01.services.retire import retire
from ds01.tui.top import PARTS, Top
from ds01.wire.containers import RetireRequest
from ds01.wire.report import ReportView
from ds01.wire.status import StatusView

DOCS = Path(__file__).resolve().parent.parent / "docs"
MONITOR = DOCS / "howto/monitor.md"
TOP = DOCS / "images/top.svg"
MONTH = DOCS / "images/month.md"
MONTH_PAGE = DOCS / "images/month.html"
BLOCK = re.compile(r"(?<=<!-- python -m dev\.captures -->\n```\n).*?(?=```\n)", re.DOTALL)
PEOPLE = ("anna", "ben", "clara", "david")
SCREEN = 80, 28


# a day -------------------------------------------------------------------------------------------------------


async def _day(folder: Path) -> StatusView:
    """Monday noon: Anna's thesis works, her notebook does nothing and she was told, and she waits behind Clara."""
    server = await Pretend(folder, datetime(2026, 11, 23, 8, 0, tzinfo=UTC), PEOPLE).open()
    await server.works(await server.launch("anna", "old"), REST)
    await server.live(75)
    for login, project, work in (
        ("anna", "thesis", Work(utilisation=0.87, memory_gib=12)), ("ben", "segment", Work(utilisation=0.98)),
        ("david", "llm", Work(utilisation=0.64, memory_gib=37)),
    ):  # fmt: skip
        await server.works(await server.launch(login, project), work)
    notebook = await server.launch("anna", "notebook")
    await server.works(notebook, Work(memory_gib=3))
    await server.live(75)
    waiting = [asyncio.create_task(server.launch("clara", "atlas", 2, hours=4))]
    await server.live(30)
    waiting.append(asyncio.create_task(server.launch("anna", "big", hours=2)))
    await server.works(notebook, Work(cpus=0, utilisation=0, memory_gib=3))
    await server.live(12)
    found = await status(server.world, await server.caller("anna"))
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    return _as_of_now(found, server.clock.now())


def _as_of_now(found: StatusView, then: datetime) -> StatusView:
    """How long somebody waits is told by the clock of who looks: the same wait, by that one."""
    if found.queue is None:
        return found
    passed = datetime.now(UTC) - then
    places = tuple(
        replace(each, since=(datetime.fromisoformat(each.since) + passed).isoformat()) for each in found.queue.places
    )
    return replace(found, queue=replace(found.queue, places=places))


class _Said:
    """A ds01d that says what the day came to."""

    def __init__(self, found: StatusView) -> None:
        self._found = found

    def status(self) -> StatusView:
        return self._found


async def _drawn(found: StatusView) -> tuple[str, str]:
    """The live view of it: as a picture, and as its text."""
    top = Top(cast(Client, _Said(found)), Style(colour=True, width=SCREEN[0]))
    async with top.run_test(size=SCREEN) as pilot:
        while top.status is None:
            await pilot.pause(0.01)
        await pilot.pause()
        parts = [top.query_one(f"#{part}", Static) for part in PARTS]
        text = "\n\n".join(_plain(part) for part in parts if part.display)
        return top.export_screenshot(title="ds01 top"), text + "\n"


def _plain(part: Static) -> str:
    return "\n".join(line.rstrip() for line in str(part.content).splitlines())


def day() -> tuple[str, str]:
    """``ds01 top`` of the day: SVG and text."""
    with tempfile.TemporaryDirectory() as folder:
        found = played(lambda: _day(Path(folder)))
    return asyncio.run(_drawn(found))


# a month -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Habit:
    """Somebody's work on some days of the week (0 is Monday): from when, how long, whether she forgets to end it."""

    login: str
    project: str
    days: tuple[int, ...]
    hour: int
    hours: float
    gpus: int = 1
    forgets: bool = False
    work: Work = WORK


HABITS = (
    Habit(login="anna", project="thesis", days=(0, 1, 3, 4), hour=9, hours=6, work=Work(cpus=4, utilisation=0.87)),
    Habit(login="anna", project="thesis", days=(2,), hour=9, hours=5, forgets=True, work=Work(utilisation=0.5)),
    Habit(login="ben", project="segment", days=(0, 1, 3), hour=10, hours=8, work=Work(cpus=8, utilisation=0.98)),
    Habit(login="clara", project="atlas", days=(3,), hour=12, hours=3, work=Work(utilisation=0.4)),
    Habit(login="clara", project="exercise", days=(1, 4), hour=13, hours=2, forgets=True, work=Work(utilisation=0.2)),
    Habit(login="david", project="llm", days=(0, 3), hour=11, hours=20, gpus=2, work=Work(cpus=16, utilisation=0.95)),
)


async def _month(folder: Path, first: datetime, days: int) -> ReportView:
    """What a month of habits comes to, the day after it ended."""
    server = await Pretend(folder, first, PEOPLE).open()
    sessions = [
        asyncio.create_task(_session(server, habit, first + timedelta(days=number, hours=habit.hour)))
        for number in range(days) for habit in HABITS if (first + timedelta(days=number)).weekday() in habit.days
    ]  # fmt: skip
    await server.turns()
    await server.live(days * 24 * 60, look_seconds=60)
    found = await report(server.world, await server.caller("root"), f"{first:%Y-%m}")
    for session in sessions:
        session.cancel()
    await asyncio.gather(*sessions, return_exceptions=True)
    return found


async def _session(server: Pretend, habit: Habit, begins: datetime) -> None:
    await server.clock.sleep((begins - server.clock.now()).total_seconds())
    container = await server.launch(habit.login, habit.project, habit.gpus, hours=habit.hours + 1)
    await server.works(container, habit.work)
    await server.clock.sleep(habit.hours * 3600)
    await server.works(container, REST)
    if not habit.forgets:
        await retire(server.world, await server.caller(habit.login), container.name, RetireRequest())


def month(days: int = 30) -> ReportView:
    """The report of November, or of its first days."""
    with tempfile.TemporaryDirectory() as folder:
        return played(lambda: _month(Path(folder), datetime(2026, 11, 1, tzinfo=UTC), days))


# the docs ----------------------------------------------------------------------------------------------------


def put_block(text: str, block: str) -> str:
    """The page with this block in its place."""
    return BLOCK.sub(lambda _: block, text, count=1)


def main() -> int:
    """Make them all."""
    logging.disable(logging.WARNING)  # what ds01d would log is no part of them
    picture, text = day()
    TOP.write_text(picture)
    MONITOR.write_text(put_block(MONITOR.read_text(), text))
    found = month()
    MONTH.write_text(markdown(found))
    MONTH_PAGE.write_text(page(found))
    print(f"wrote {TOP}, {MONITOR}, {MONTH} and {MONTH_PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
