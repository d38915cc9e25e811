"""Pictures of a replay, as SVG written by hand: who had which GPU when, and how long each user waited.

A colour is a user, the same in both. A part of a GPU is a part of its row's height. Runs too narrow to be seen are
drawn half a pixel wide, so that a picture of a month shows where the many small ones went.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from ds01.domain.queue.floor import WHOLE
from ds01.simulate.keeping import Date
from ds01.simulate.replay import Outcome, Replayed
from ds01.wire.simulate import SimulationView, UserFigures

WIDTH, LEFT, ROW, GAP = 1200, 90, 26, 4
_NARROW = 0.5
_TICKS = 8


def svg(found: Replayed, view: SimulationView) -> str:
    """Both pictures, one above the other."""
    users = [one.user for one in view.by_user]
    schedule, height = _schedule(found, users)
    waits, more = _waits(view.by_user, height + 60)
    total = height + more + 90
    title = f"{view.trace}: {view.policy} on {view.gpus} GPUs, {view.jobs} jobs"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total}" width="{WIDTH}" height="{total}"'
            ' font-family="sans-serif" font-size="12">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{total}" fill="white"/>',
            _text(LEFT, 18, title, bold=True),
            *schedule,
            _text(LEFT, height + 50, "Waiting by user: the mean (bar) and what 19 of 20 stay below (line)", bold=True),
            *waits,
            "</svg>",
            "",
        ]
    )


def _schedule(found: Replayed, users: Sequence[str]) -> tuple[list[str], int]:
    begin = min((one.start for one in found.outcomes), default=0.0)
    end = max((one.end for one in found.outcomes), default=1.0)
    scale = (WIDTH - LEFT - 10) / max(end - begin, 1.0)
    shapes = [_text(8, 30 + gpu * ROW + 15, f"GPU {gpu}") for gpu in range(found.gpus)]
    shapes += [
        f'<rect x="{LEFT}" y="{30 + gpu * ROW}" width="{WIDTH - LEFT - 10}" height="{ROW - GAP}" fill="#eee"/>'
        for gpu in range(found.gpus)
    ]
    for date in found.dates:
        since, until = max(begin, date.span.begin), min(end, date.span.end)
        if since < until:
            x, width = LEFT + (since - begin) * scale, (until - since) * scale
            shapes += [_booking(date, x, width, 30 + slot * ROW) for slot in date.slots]
    for one, slot, top, height in _rows(found.outcomes):
        x = LEFT + (one.start - begin) * scale
        width = max(_NARROW, (one.end - one.start) * scale)
        colour = _colour(users.index(one.job.user), len(users))
        y = 30 + slot * ROW + top * (ROW - GAP)
        shapes.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height * (ROW - GAP):.1f}" fill="{colour}">'
            f"<title>{escape(f'{one.job.id} of {one.job.user}: {one.job.gpus:g} GPU')}</title></rect>"
        )
    bottom = 30 + found.gpus * ROW
    shapes += list(_axis(end - begin, scale, bottom))
    return shapes, bottom + 20


def _booking(date: Date, x: float, width: float, y: int) -> str:
    """The time a GPU is booked, darker behind what runs, with a line above."""
    return (
        f"<g><title>{escape(f'{date.booked.id}: booked')}</title>"
        f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW - GAP}" fill="#ccc"/>'
        f'<rect x="{x:.1f}" y="{y - 2}" width="{width:.1f}" height="2" fill="#000"/></g>'
    )


def _rows(outcomes: Iterable[Outcome]) -> Iterator[tuple[Outcome, int, float, float]]:
    """Each run on each of its GPUs, with where in the row it lies: parts take the lowest place that is free."""
    busy: dict[int, list[tuple[float, float, float]]] = {}
    for one in sorted(outcomes, key=lambda one: one.start):
        height = one.job.amount / WHOLE
        for slot in one.slots:
            mine = [each for each in busy.get(slot, []) if each[0] > one.start + 1e-9]
            top = 0.0
            for _, low, high in sorted(mine, key=lambda each: each[1]):
                if top + height <= low + 1e-9:
                    break
                top = max(top, high)
            top = min(top, 1.0 - height)
            busy[slot] = [*mine, (one.end, top, top + height)]
            yield one, slot, top, height


def _axis(length: float, scale: float, bottom: int) -> Iterator[str]:
    for number in range(_TICKS + 1):
        at = length * number / _TICKS
        yield _text(LEFT + at * scale, bottom + 14, _span(at), middle=number > 0)


def _waits(people: Sequence[UserFigures], top: int) -> tuple[list[str], int]:
    longest = max((one.wait_p95 for one in people), default=0.0) or 1.0
    scale = (WIDTH - LEFT - 120) / longest
    shapes = []
    for number, one in enumerate(people):
        y = top + number * 16
        mean, tail = LEFT + min(one.wait_mean, longest) * scale, LEFT + one.wait_p95 * scale
        shapes += [
            _text(8, y + 11, one.user[:12]),
            f'<rect x="{LEFT}" y="{y}" width="{max(1.0, mean - LEFT):.1f}" height="12"'
            f' fill="{_colour(number, len(people))}"/>',
            f'<line x1="{LEFT}" x2="{tail:.1f}" y1="{y + 6}" y2="{y + 6}" stroke="#444"/>',
            _text(max(mean, tail) + 6, y + 11, f"{_span(one.wait_mean)} mean, {one.jobs} jobs"),
        ]
    return shapes, len(people) * 16


def _text(x: float, y: float, text: str, *, bold: bool = False, middle: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    anchor = ' text-anchor="middle"' if middle else ""
    return f'<text x="{x:.1f}" y="{y}"{weight}{anchor}>{escape(text)}</text>'


def _span(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _colour(number: int, of: int) -> str:
    """Hues far apart for neighbours; light and dark in turn, for those who do not see all hues."""
    return f"hsl({number * 360 * 5 // max(of, 1) % 360},60%,{45 if number % 2 else 65}%)"
