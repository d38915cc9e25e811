"""What a month's report tells: its sections with their tables, in words and units of people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ds01.cli import show
from ds01.domain.record import record
from ds01.wire.report import NoticeLine, ReportView, WaitLine
from ds01.wire.usage import ConsumptionLine

USED = ("ran", "slot hours", "GPU hours", "CPU hours", "memory", "energy", "CO2")
WAITS = ("at once", "waited", "usual wait", "longest wait", "gave up")
NOTICES = ("what", "warned", "stopped or removed", "reached nobody", "users")
RULES = {
    "idle": "did nothing", "paused": "paused too long", "runtime": "running time was over",
    "container_hold": "stopped too long", "never_started": "never started", "yielding": "gave way to others",
    "gpu": "a GPU failed",
    "turn": "a turn in the queue", "admin": "an admin acted", "announced": "an announcement",
}  # fmt: skip


@record
class Section:
    """One part. The first ``words`` columns are words, the others figures; the last row may be the ``total``."""

    title: str
    text: str = ""
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    words: int = 1
    total: bool = False
    picture: str = ""
    """Which chart goes with it where there are charts."""


def title(report: ReportView) -> str:
    """The heading of all."""
    return f"{report.server} in {report.month}"


def warnings(report: ReportView) -> tuple[str, ...]:
    """What must be known before any figure is believed."""
    found = []
    if report.simulated_gpus:
        found.append("The GPUs of this server are simulated: nothing was computed, and no energy was drawn.")
    if not report.complete:
        found.append(f"The month is not over: this is what was known on {report.last}.")
    return tuple(found)


def sections(report: ReportView) -> tuple[Section, ...]:
    """All parts, those that have nothing to say left out."""
    told = (_summary(report), _users(report), _projects(report), _days(report), _waits(report), _notices(report))
    return tuple(section for section in told if section.rows)


def _summary(report: ReportView) -> Section:
    whole, unused = report.total, [line for line in report.users if line.user.startswith("(")]
    used = whole.energy_wh - sum(line.energy_wh for line in unused)
    rows = [
        ("GPU hours", show.hours(whole.gpueq_hours) or "none"),
        ("of what the GPUs could give", _share(whole.gpueq_hours, report.possible_gpu_hours)),
        ("CPU hours", show.hours(whole.cpu_hours) or "none"),
        ("energy of the GPUs", show.energy(whole.energy_wh) or "none"),
        ("of it used by somebody", _share(used, whole.energy_wh)),
    ]
    if report.co2_g_per_kwh is not None:
        rows.append((f"CO2, at {report.co2_g_per_kwh:g} g a kWh", show.co2(whole.co2_g) or "none"))
    waited = report.all_waits
    if waited.waited:
        rows.append(("usual wait of those who waited", show.duration(waited.median_seconds)))
    return Section(title="In short", headings=("", ""), rows=tuple(rows))


def _users(report: ReportView) -> Section:
    rows = [(line.user, *_used(line)) for line in report.users]
    text = "Energy is what the GPUs' own meters show: (idle) was drawn by GPUs that nobody had, (unattributed) while"
    return Section(
        title="By user", headings=("user", *USED), picture="users", total=True,
        text=f"{text} ds01d was down. All lines together are the meters. A MIG instance is one slot, and a part of a"
        " GPU.",
        rows=(*rows, ("all", *_used(report.total))) if rows else (),
    )  # fmt: skip


def _projects(report: ReportView) -> Section:
    rows = tuple((line.user, line.project or "(none)", *_used(line)) for line in report.projects if line.project)
    return Section(title="By project", headings=("user", "project", *USED), rows=rows, words=2)


def _days(report: ReportView) -> Section:
    rows = tuple(
        (day.day, show.hours(day.gpueq_hours), *map(show.energy, (day.used_wh, day.idle_wh, day.unattributed_wh)))
        for day in report.days
    )
    headings = ("day", "GPU hours", "energy used", "idle", "unattributed")
    return Section(title="By day", text="Days are UTC.", headings=headings, rows=rows, picture="days")


def _waits(report: ReportView) -> Section:
    if not report.waits:
        return Section(title="Waiting")
    rows = (*((line.user, *_waited(line)) for line in report.waits), ("all", *_waited(report.all_waits)))
    text = "Of those who got a GPU in this month; who gave up got none."
    return Section(title="Waiting", headings=("user", *WAITS), rows=rows, text=text, total=True)


def _notices(report: ReportView) -> Section:
    return Section(title="What people were told", headings=NOTICES, rows=tuple(map(_noticed, report.notices)))


def _used(line: ConsumptionLine) -> Sequence[str]:
    return (
        show.hours(line.running_hours), show.hours(line.gpu_hours), show.hours(line.gpueq_hours),
        show.hours(line.cpu_hours), show.amount(line.memory_gib_hours, "GiBh"),
        show.energy(line.energy_wh), show.co2(line.co2_g),
    )  # fmt: skip


def _waited(line: WaitLine) -> Iterable[str]:
    yield str(line.at_once)
    yield str(line.waited)
    yield show.duration(line.median_seconds) if line.waited else ""
    yield show.duration(line.longest_seconds) if line.waited else ""
    yield str(line.gave_up)


def _noticed(line: NoticeLine) -> tuple[str, ...]:
    counts = (line.warned, line.acted, line.undelivered, line.users)
    return (RULES.get(line.rule, line.rule), *map(str, counts))


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f}%" if whole > 0 else "unknown"
