"""Every way a request for GPUs is refused: one sentence, why, and what to do next.

A refusal names what is used, the limit, the line of the limits file it comes from, and a command that helps.
Other people's names are not in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from ds01.domain.errors import GPU_FULL, GPU_IMPOSSIBLE, GPU_QUOTA, Ds01Error, Problem
from ds01.domain.gpu import Slot
from ds01.domain.gpu_ask import GpuAsk, flags
from ds01.domain.lease import Lease, LeaseState
from ds01.domain.limits import Limits
from ds01.domain.placement import Full, Impossible, cheapest
from ds01.domain.quantity import ordinal, roughly, show_duration, show_gpueq
from ds01.domain.queue.explain import Explanation
from ds01.domain.queue.request import Request
from ds01.domain.record import replace


def too_many(ask: GpuAsk, limits: Limits, fitting: Sequence[Slot]) -> Ds01Error:
    """More slots than one container may have. ``fitting`` are all she could ever get: what is offered is possible."""
    most = _at_most(ask, limits, fitting)
    limit = limits.gpus_per_container or 0
    source = limits.sources["gpus.per_container"].source
    return Ds01Error(
        GPU_QUOTA,
        f"A container of yours may have {_gpus(limit)}, and you asked for {ask.count}.",
        reason=f"gpus.per_container is {limit} ({source})",
        hint=f"Ask for fewer: {flags(replace(ask, count=most))}" if most else "Start without a GPU: --gpus 0",
        asked=str(ask.count),
        limit=str(limit),
        source=source,
    )


def _at_most(ask: GpuAsk, limits: Limits, fitting: Sequence[Slot]) -> int:
    """The most of these slots that one container of hers may have, by every limit."""
    most = min(limits.gpus_per_container or 0, len(fitting))
    costs = (cheapest(replace(ask, count=count), fitting) for count in range(1, most + 1))
    return sum(limits.gpus_max is None or cost <= limits.gpus_max for cost in costs)


def over_quota(
    ask: GpuAsk, cost: Fraction, mine: Sequence[Lease], limits: Limits, waiting: Fraction = Fraction(0),
    waiters: Sequence[str] = (),
) -> Ds01Error:  # fmt: skip
    """More GPU than the user may use at once. ``cost`` is the least the request needs, ``waiting`` what she waits
    for already, under the names ``waiters``.
    """
    limit = limits.gpus_max or Fraction(0)
    source = limits.sources["gpus.max"].source
    used = sum((lease.gpueq for lease in mine), Fraction(0))
    names = [lease.name for lease in mine if lease.name]
    waits = f"wait for {show_gpueq(waiting)} ({', '.join(waiters)}), " if waiters else ""
    holding = ", ".join(f"{lease.name or lease.id} ({show_gpueq(lease.gpueq)}, {lease.state})" for lease in mine)
    return Ds01Error(
        GPU_QUOTA,
        f"You may use {show_gpueq(limit)} GPU{'' if limit == 1 else 's'} at once, you use {show_gpueq(used)}, "
        f"{waits}and this needs {show_gpueq(cost)} more.",
        reason=f"gpus.max is {show_gpueq(limit)} ({source})" + (f"; yours: {holding}" if holding else ""),
        hint=f"Give up waiting for it: ds01 cancel {waiters[0]}" if waiters else _give_back(ask, names, limit),
        used=show_gpueq(used),
        asked=show_gpueq(cost),
        limit=show_gpueq(limit),
        source=source,
        containers=",".join(names),
    )


def full(ask: GpuAsk, decision: Full, open_leases: Sequence[Lease], now: datetime) -> Ds01Error:
    """Within the quota, but nothing that fits is free."""
    states = Counter(lease.state for lease in open_leases)
    held = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    instead = flags(decision.instead) if decision.instead else ""
    return Ds01Error(
        GPU_FULL,
        f"No GPU that fits is free right now: {decision.reason}.",
        reason=f"leases on this server: {held or 'none'}{_next_free(open_leases, now)}",
        hint=f"This would fit now: {instead}" if instead else "See who holds what: ds01 status",
        asked=flags(ask),
        fits_now=instead,
        in_use=str(len(open_leases)),
    )


def in_line(problem: Problem, request: Request, told: Explanation | None, now: datetime, *, waits: bool) -> Ds01Error:
    """Nothing that fits is free; ``told`` is about her place in the queue, which she has already if she ``waits``."""
    details = {key: value for key, value in problem.details.items() if key != "fits_now"}
    return Ds01Error(
        GPU_FULL, f"{problem.message} {_place(told, waits)}", reason=problem.reason + _likely(told, now),
        hint=_wait(request, told, waits), **details, **_about(told),
    )  # fmt: skip


def others_first(request: Request, told: Explanation | None, now: datetime, *, waits: bool) -> Ds01Error:
    """Something that fits is free, but it is not her turn."""
    return Ds01Error(
        GPU_FULL, f"What is free goes to others first. {_place(told, waits)}",
        reason=(told.words if told is not None else "") + _likely(told, now), hint=_wait(request, told, waits),
        asked=flags(request.ask), **_about(told),
    )  # fmt: skip


def booked(request: Request, told: Explanation | None, now: datetime, *, waits: bool) -> Ds01Error:
    """Something that fits is free, but booked before she would be done."""
    asked = "" if request.planned is None else f", and this may run {show_duration(request.planned)}"
    now_ = [one for one in told.instead if one.planned != request.planned] if told is not None else []
    shorter_ = (
        f"This would start now: ds01 launch {request.name} --time {show_duration(now_[0].planned)}" if now_ else ""
    )
    about = _about(told) | ({"fits_now": f"--time {show_duration(now_[0].planned)}"} if now_ else {})
    return Ds01Error(
        GPU_FULL, f"What is free is booked for others{asked}. {_place(told, waits)}",
        reason=(told.words if told is not None else "") + _likely(told, now),
        hint=shorter_ or _wait(request, told, waits), asked=flags(request.ask), **about,
    )  # fmt: skip


def impossible(ask: GpuAsk, decision: Impossible) -> Ds01Error:
    """No waiting would help."""
    return Ds01Error(
        GPU_IMPOSSIBLE,
        f"This server cannot give you {flags(ask)}, however long you wait.",
        reason=decision.reason,
        hint=f"The nearest it can do: {decision.nearest}",
        asked=flags(ask),
        nearest=decision.nearest,
    )


def _place(told: Explanation | None, waits: bool) -> str:
    place = told.position if told is not None else 1
    return f"You {'are' if waits else 'would be'} {'next' if place == 1 else f'{ordinal(place)} in the queue'}."


def _likely(told: Explanation | None, now: datetime) -> str:
    when = likely(told.earliest, told.latest, now) if told is not None else ""
    return f"; it is likely to start {when}" if when else ""


def likely(earliest: datetime | None, latest: datetime | None, now: datetime) -> str:
    """``in 10m to 2h``, as exact as it deserves; empty when nobody knows."""
    if earliest is None:
        return ""
    soon = roughly(earliest - now)
    if latest is None:
        return f"in {soon} or more"
    late = roughly(latest - now)
    return f"in about {late}" if late == soon else f"in {soon} to {late}"


def _wait(request: Request, told: Explanation | None, waits: bool) -> str:
    name = request.name
    wait = f"See when it is your turn: ds01 why {name}" if waits else f"Wait for your turn: ds01 launch {name} --wait"
    smaller = [one for one in told.instead if one.ask != request.ask] if told is not None else []
    return (
        f"This would start now: ds01 launch {name} {flags(smaller[0].ask)}. Or {wait[0].lower()}{wait[1:]}"
        if smaller
        else wait
    )


def _about(told: Explanation | None) -> dict[str, str]:
    """The same for programs."""
    if told is None:
        return {"place": "1"}
    smaller = [flags(one.ask) for one in told.instead]
    known = {
        "place": str(told.position),
        "waits_for": told.why.value,
        "earliest": told.earliest.isoformat() if told.earliest else "",
        "latest": told.latest.isoformat() if told.latest else "",
        "fits_now": smaller[0] if smaller else "",
    }
    return {key: value for key, value in known.items() if value}


def _give_back(ask: GpuAsk, names: Sequence[str], limit: Fraction) -> str:
    if names:
        return f"Give one back first: ds01 retire {names[0]}"
    if ask.count > 1 and limit >= 1:
        return f"Ask for fewer: --gpus {int(limit)}"
    if limit > 0:
        return "Ask for a smaller slot, or start without: --gpus 0"
    return "Start without a GPU: --gpus 0"


def _next_free(open_leases: Sequence[Lease], now: datetime) -> str:
    ends = [lease.expires_at for lease in open_leases if lease.state is LeaseState.HELD and lease.expires_at]
    if not ends:
        return ""
    minutes = max(1, round((min(ends) - now).total_seconds() / 60))
    return f"; the next hold ends in {minutes} min"


def _gpus(count: int) -> str:
    return "1 GPU" if count == 1 else f"{count} GPUs"
