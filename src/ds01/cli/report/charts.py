"""Charts as SVG inside the page: bars, because hours and energy are amounts. Each bar says its value to a pointer and
to a screen reader, and never by its colour alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, log10

from ds01.cli.show import energy, hours
from ds01.domain.record import record
from ds01.wire.report import ReportView

WIDTH, HEIGHT = 720, 220
LEFT, TOP, BELOW = 64, 12, 28
LINE = 26
NAME = 170
MOST_USERS = 12
LONGEST = 22
"""Letters of a name there is room for."""
SERIES = ("used", "idle", "unattributed")


@record
class Day:
    """A column: what stands below it, its parts from the bottom up, and each part in words."""

    label: str
    parts: tuple[float, ...]
    told: tuple[str, ...]


def by_day(report: ReportView) -> str:
    """Two charts: GPU hours, and energy by what became of it."""
    days = report.days
    gpus = [
        Day(label=day.day[-2:], parts=(day.gpueq_hours,), told=(f"{day.day}: {hours(day.gpueq_hours) or '0h'}",))
        for day in days
    ]
    drawn = [
        Day(label=day.day[-2:], parts=parts, told=tuple(f"{day.day}, {name}: {energy(part) or '0Wh'}"
            for name, part in zip(SERIES, parts, strict=True)))
        for day in days if (parts := (day.used_wh, day.idle_wh, day.unattributed_wh))
    ]  # fmt: skip
    return (
        _figure("GPU hours by day", _columns(gpus, "h", 1))
        + _figure("Energy by day", _columns(drawn, "kWh", 1000), legend=SERIES)
    )  # fmt: skip


def by_user(report: ReportView) -> str:
    """Who had most GPU hours."""
    lines = [line for line in report.users if line.gpueq_hours > 0]
    if not lines:
        return ""
    shown = [(line.user, line.gpueq_hours) for line in lines[:MOST_USERS]]
    if len(lines) > MOST_USERS:
        shown.append((f"{len(lines) - MOST_USERS} more", sum(line.gpueq_hours for line in lines[MOST_USERS:])))
    return _figure("GPU hours by user", _bars(shown))


def _figure(caption: str, drawn: str, legend: Sequence[str] = ()) -> str:
    keys = "".join(f'<span class="key s{number}">{escape(name)}</span>' for number, name in enumerate(legend))
    return f"<figure><figcaption>{escape(caption)} {keys}</figcaption>{drawn}</figure>"


def _columns(days: Sequence[Day], unit: str, scale: float) -> str:
    top = _nice(max((sum(day.parts) for day in days), default=0.0) / scale)
    width = (WIDTH - LEFT) / max(len(days), 1)
    body = "".join(
        [*_grid(top, unit), *(_column(day, LEFT + i * width, width, top * scale) for i, day in enumerate(days))]
    )
    return _svg(body, HEIGHT)


def _column(day: Day, x: float, width: float, top: float) -> str:
    room, y, drawn = HEIGHT - TOP - BELOW, float(HEIGHT - BELOW), ""
    for number, (part, told) in enumerate(zip(day.parts, day.told, strict=True)):
        high = room * part / top
        y -= high
        if high > 0:
            drawn += (
                f'<rect class="s{number}" x="{x + width * 0.1:.1f}" y="{y:.1f}" width="{width * 0.8:.1f}" '
                f'height="{high:.1f}"><title>{escape(told)}</title></rect>'
            )
    middle = x + width / 2
    return drawn + f'<text class="below" x="{middle:.1f}" y="{HEIGHT - 10}">{escape(day.label)}</text>'


def _grid(top: float, unit: str) -> Iterator[str]:
    for step in range(5):
        y = HEIGHT - BELOW - (HEIGHT - TOP - BELOW) * step / 4
        yield f'<line x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="left" x="{LEFT - 6}" y="{y + 4:.1f}">{top * step / 4:g} {unit}</text>'


def _bars(values: Sequence[tuple[str, float]]) -> str:
    most = max(value for _, value in values)
    body = "".join(_bar(number, name, value, most) for number, (name, value) in enumerate(values))
    return _svg(body, LINE * len(values))


def _bar(number: int, name: str, value: float, most: float) -> str:
    y, long = number * LINE, (WIDTH - NAME - 80) * value / most
    shown = name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
    return (
        f'<text class="left" x="{NAME - 8}" y="{y + 17}">{escape(shown)}</text>'
        f'<rect class="s0" x="{NAME}" y="{y + 4}" width="{max(long, 1):.1f}" height="{LINE - 8}">'
        f"<title>{escape(name)}: {hours(value)}</title></rect>"
        f'<text x="{NAME + long + 6:.1f}" y="{y + 17}">{hours(value)}</text>'
    )


def _svg(body: str, high: int) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {high}" role="img">{body}</svg>'


def _nice(value: float) -> float:
    """The next round figure above, so that the lines have short names."""
    if value <= 0:
        return 1.0
    size = 10.0 ** (ceil(log10(value)) - 1)
    return next(step * size for step in (1, 2, 4, 8, 10) if step * size >= value)
