"""``ds01 simulate``: a trace of jobs, replayed through the queue's rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import inf
from pathlib import Path

from ds01.cli.call import Call
from ds01.cli.style import Style
from ds01.cli.table import Cell, Column, table
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.domain.quantity import many, show_duration
from ds01.domain.queue.plan import Order, Rules
from ds01.domain.queue.usage import Share
from ds01.domain.record import replace
from ds01.garbage import look_seldom
from ds01.simulate import terminal
from ds01.simulate.booked import load as booked_in
from ds01.simulate.measure import report
from ds01.simulate.picture import svg as drawn
from ds01.simulate.replay import Estimates, Replayed, Terms, replay
from ds01.simulate.trace import Job, load
from ds01.wire.limits_file import TermsOf, TermsView
from ds01.wire.simulate import BookedFigures, SimulationView

_TOLD = 1000
"""Of about so many jobs those who wait are told an estimate, as ds01d would: enough to judge it by."""

COLUMNS = (
    Column("POLICY"),
    Column("WAIT", right=True),
    Column("MEDIAN", right=True),
    Column("95%", right=True),
    Column("SLOWDOWN", right=True),
    Column("USED", right=True),
    Column("JAIN", right=True),
    Column("WHOLE SERVER", right=True),
)


def run(
    call: Call, *, trace: str | None, gpus: int | None, policy: str | None, estimates: str | None, limits: str | None,
    bookings: str | None, svg: str | None, compare: bool,
) -> int:  # fmt: skip
    """Replay it and print the figures."""
    if trace is None or gpus is None:
        raise Ds01Error(
            BAD_REQUEST, "A simulation needs a trace and a number of GPUs.",
            hint="ds01 simulate --trace jobs.csv --gpus 8",
        )  # fmt: skip
    if trace == bookings == "-":
        raise Ds01Error(
            BAD_REQUEST, "The trace and the bookings cannot both come from the standard input.",
            hint="Put one of them into a file: --bookings bookings.csv",
        )  # fmt: skip
    jobs = load(Path(trace))
    booked = [] if bookings is None else booked_in(Path(bookings))
    look_seldom()
    rules, terms = held_to(limits, jobs)
    kind = Estimates(estimates or Estimates.EXACT)
    views = []
    for order in tuple(Order) if compare else (Order(policy or Order.FAIR_SHARE),):
        every = max(1, len(jobs) // _TOLD) if order is Order.FAIR_SHARE else 0
        found = replay(
            jobs, gpus, replace(rules, order=order), estimates=kind, terms=terms, asked_every=every, booked=booked
        )
        views.append(report(found, trace=trace, policy=order.value, estimates=kind.value))
    if svg is not None:
        _write(Path(svg), drawn(found, views[-1]))
    if call.talk.json:
        call.talk.emit(views)
        return 0
    for line in screen(views, found, call.talk.out):
        call.talk.data(line)
    if svg is not None:
        call.talk.done(f"The picture is in {svg}.")
    more = "" if bookings is None else f" --bookings {bookings}"
    call.talk.next(f"ds01 simulate --trace {trace} --gpus {gpus}{more} {'--svg queue.svg' if compare else '--compare'}")
    return 0


def held_to(limits: str | None, jobs: Sequence[Job]) -> tuple[Rules, Mapping[str, Terms]]:
    """The queue's rules and what each user of the trace may have, by a limits file if there is one."""
    if limits is None:
        return Rules(), {}
    from ds01.cli.limits_file import ask

    found = ask(TermsView, "terms", limits, told="\n".join(sorted({job.user for job in jobs})))
    rules = replace(Rules(), fair=found.fair, age=timedelta(seconds=found.age), guard=found.guard)
    return rules, {one.user: _terms(one) for one in found.users}


def screen(views: Sequence[SimulationView], found: Replayed, style: Style) -> list[str]:
    """The figures, and how full the GPUs were by the last policy."""
    last = views[-1]
    lines = [style("bold", f"{many(last.jobs, 'job')} of {many(last.users, 'user')} on {many(last.gpus, 'GPU')}"), ""]
    lines += table(COLUMNS, [_row(view) for view in views], style)
    lines += ["", *_notes(last)]
    if not style.plain:
        lines += ["", style("cyan", f"{last.policy}, from the first submission to the last end")]
        lines += terminal.chart(found, max(20, min(style.width, 120) - 20), symbols=style.symbols)
    return lines


def _row(view: SimulationView) -> list[Cell]:
    return [
        view.policy,
        _span(view.wait_mean),
        _span(view.wait_median),
        _span(view.wait_p95),
        f"{view.slowdown_mean:.1f}",
        f"{view.utilisation:.1%}",
        f"{view.jain:.3f}",
        _span(view.whole_server_longest) if view.whole_server_longest is not None else "-",
    ]


def _notes(view: SimulationView) -> list[str]:
    notes = [f"{view.jobs_per_second:,.0f} jobs a second, in {view.took_seconds:.1f} s."]
    if view.eta_inside is not None:
        notes.append(f"{view.eta_inside:.0%} of {view.eta_asked} who had to wait started within the range shown.")
    if view.booked is not None:
        notes += _booked(view.booked)
    if view.refused:
        notes.append(f"{many(view.refused, 'job')} left out: more than there is, or than their user may have.")
    if view.cut:
        notes.append(f"{many(view.cut, 'job')} stopped at the time asked for, the runtime limit or its booking's end.")
    return notes


def _booked(booked: BookedFigures) -> list[str]:
    """What the bookings kept, and what came of it."""
    notes = [
        f"{many(booked.dates, 'booking')}, {booked.gpu_seconds / 3600:,.0f} GPU hours: {booked.used:.0%} used,"
        f" {booked.back:.0%} back unclaimed."
    ]
    if booked.wait_mean is not None:
        notes.append(
            f"{many(booked.jobs, 'job')} on booked GPUs, after a wait of {_span(booked.wait_mean)} on average."
        )
    if booked.absent:
        notes.append(f"Of those with a booking, {booked.absent} had no job.")
    return notes


def _span(seconds: float) -> str:
    return show_duration(timedelta(seconds=seconds))


def _terms(one: TermsOf) -> Terms:
    return Terms(
        quota=inf if one.quota is None else one.quota,
        per_job=inf if one.per_job is None else one.per_job,
        runtime=inf if one.runtime is None else one.runtime,
        idle=inf if one.idle is None else one.idle,
        hold=inf if one.hold is None else one.hold,
        priority=one.priority,
        share=Share(group=one.group, of_group=one.shares, group_shares=one.group_shares),
    )


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Ds01Error(
            BAD_REQUEST, f"The picture {file} cannot be written.", reason=str(error.strerror).lower(),
            hint="Name another file: --svg queue.svg",
        ) from error  # fmt: skip
