"""A month of the server: who used what, what nobody used, who waited, who had to be told.

Everything is read from the account, the leases, the events and the notices in one view of the ledger, so that its
parts agree.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from ds01.domain.consumption import IDLE, NOBODY, UNATTRIBUTED, Consumed, Line
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.domain.events import EventType
from ds01.domain.lifecycle.case import Level, Rule
from ds01.domain.notice import Notice
from ds01.domain.people import Uid
from ds01.domain.report import Month, month, waits
from ds01.ports.ledger import Books
from ds01.services.caller import Caller, require_admin
from ds01.services.consumption import HOUR, lines_by, shown
from ds01.services.people import Names, names
from ds01.services.world import World
from ds01.wire.report import DayView, NoticeLine, ReportView, WaitLine
from ds01.wire.usage import ConsumptionLine

MOST = 200_000
"""Events and notices of a month that are looked at, the latest."""
GAVE_UP = (EventType.QUEUE_CANCELLED, EventType.QUEUE_EXPIRED)


async def report(world: World, caller: Caller, text: str) -> ReportView:
    """The report of a month (``2026-11``), by default the present one. Raises Ds01Error."""
    require_admin(caller, "see everybody's month")
    now = world.clock.now().astimezone(UTC)
    meant = _meant(text, now)
    return await world.ledger.read(lambda books: _report(books, world, meant, now))


def _meant(text: str, now: datetime) -> Month:
    try:
        meant = month(text or f"{now:%Y-%m}")
    except ValueError:
        raise Ds01Error(BAD_REQUEST, f"'{text}' is no month.", reason="Write it as 2026-11.") from None
    if meant.begin > now:
        raise Ds01Error(BAD_REQUEST, f"{meant.name} has not begun.", hint="ds01 admin report")
    return meant


def _report(books: Books, world: World, meant: Month, now: datetime) -> ReportView:
    grid, called = world.settings().energy.co2, names(books)
    found = {line: each for line, each in books.consumed(since=meant.first).items() if line.day < meant.after}
    over = meant.end <= now
    gpus = sum(float(slot.gpueq) for slot in books.slots(vanished=False))
    everybody, all_waits = _waits(books, meant, called)
    return ReportView(
        server=world.server, month=meant.name, first=meant.first.isoformat(), complete=over,
        last=(meant.after - timedelta(days=1) if over else now.date()).isoformat(),
        simulated_gpus=world.devices.simulated, co2_g_per_kwh=grid,
        possible_gpu_hours=round(gpus * meant.passed(now).total_seconds() / HOUR, 1),
        total=shown(ConsumptionLine(), sum(found.values(), Consumed()), grid),
        users=lines_by(found, "user", called, grid), projects=lines_by(found, "project", called, grid),
        days=_days(found), waits=everybody, all_waits=all_waits,
        notices=_notices(n for n in books.notices(ended=True, limit=MOST) if meant.has(n.at)),
    )  # fmt: skip


def _days(found: dict[Line, Consumed]) -> tuple[DayView, ...]:
    hours: dict[date, float] = defaultdict(float)
    energy: dict[tuple[date, str], float] = defaultdict(float)
    for line, each in found.items():
        hours[line.day] += each.gpueq_seconds / HOUR
        energy[line.day, line.name if line.uid == NOBODY else ""] += each.joules / HOUR
    return tuple(
        DayView(
            day=day.isoformat(), gpueq_hours=round(hours[day], 4), used_wh=round(energy[day, ""], 3),
            idle_wh=round(energy[day, IDLE], 3), unattributed_wh=round(energy[day, UNATTRIBUTED], 3),
        )
        for day in sorted(hours)
    )  # fmt: skip


def _waits(books: Books, meant: Month, called: Names) -> tuple[tuple[WaitLine, ...], WaitLine]:
    """Of everybody, the longest waits first, and of all together."""
    lengths: dict[Uid, list[timedelta]] = defaultdict(list)
    at_once: Counter[Uid] = Counter()
    for each in books.past(meant.begin):
        lease = each.lease
        if lease.container is None or not meant.has(lease.granted_at):
            continue
        if each.submitted_at is None:
            at_once[lease.uid] += 1
        else:
            lengths[lease.uid].append(lease.granted_at - each.submitted_at)
    gone = books.events(types=GAVE_UP, since=meant.begin, limit=MOST)
    gave_up = Counter(event.uid for event in gone if event.uid is not None and meant.has(event.at))
    lines = [
        _wait(called(uid), lengths.get(uid, ()), at_once[uid], gave_up[uid])
        for uid in {*lengths, *at_once, *gave_up}
    ]  # fmt: skip
    everybody = [length for each in lengths.values() for length in each]
    ordered = sorted(lines, key=lambda line: (-line.longest_seconds, -line.gave_up, line.user))
    return tuple(ordered), _wait("", everybody, at_once.total(), gave_up.total())


def _wait(user: str, lengths: Iterable[timedelta], at_once: int, gave_up: int) -> WaitLine:
    found = waits(lengths)
    return WaitLine(
        user=user, at_once=at_once, waited=found.count, median_seconds=round(found.median.total_seconds()),
        longest_seconds=round(found.longest.total_seconds()), gave_up=gave_up,
    )  # fmt: skip


def _notices(found: Iterable[Notice]) -> tuple[NoticeLine, ...]:
    """By rule, what was told most first."""
    of: dict[Rule, list[Notice]] = defaultdict(list)
    for notice in found:
        of[notice.rule].append(notice)
    lines = [
        NoticeLine(
            rule=rule.value, warned=sum(n.warns for n in those),
            acted=sum(n.level is Level.NOTICE for n in those), undelivered=sum(n.delivered_at is None for n in those),
            users=len({n.uid for n in those}),
        )
        for rule, those in of.items()
    ]  # fmt: skip
    return tuple(sorted(lines, key=lambda line: (-line.warned - line.acted, line.rule)))
