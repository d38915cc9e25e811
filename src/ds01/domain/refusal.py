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
from ds01.domain.gpu import GpuAsk, flags
from ds01.domain.lease import Lease, LeaseState
from ds01.domain.limits import Limits
from ds01.domain.placement import Full, Impossible
from ds01.domain.quantity import ordinal, show_gpueq


def too_many(ask: GpuAsk, limits: Limits) -> Ds01Error:
    """More slots than one container may have."""
    limit = limits.gpus_per_container or 0
    source = limits.sources["gpus.per_container"].source
    return Ds01Error(
        GPU_QUOTA,
        f"A container of yours may have {_gpus(limit)}, and you asked for {ask.count}.",
        reason=f"gpus.per_container is {limit} ({source})",
        hint=f"Ask for fewer: --gpus {limit}",
        asked=str(ask.count),
        limit=str(limit),
        source=source,
    )


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


def in_line(problem: Problem, name: str, place: int, *, waits: bool) -> Ds01Error:
    """Nothing is free, and this is her place in the queue; ``waits``: she has it already."""
    wait = _wait(name, waits)
    now = f"{problem.hint}. Or {wait[0].lower()}{wait[1:]}" if problem.details.get("fits_now") else wait
    return Ds01Error(
        GPU_FULL, f"{problem.message} {_place(place, waits)}", reason=problem.reason, hint=now,
        **problem.details, place=str(place),
    )  # fmt: skip


def others_first(ask: GpuAsk, name: str, place: int, *, waits: bool) -> Ds01Error:
    """Something that fits is free, but it is not her turn."""
    return Ds01Error(
        GPU_FULL,
        f"What is free goes to others first. {_place(place, waits)}",
        reason="Whoever had less lately, or has waited longer, is first; and nobody is passed who would be delayed.",
        hint=_wait(name, waits),
        asked=flags(ask),
        place=str(place),
    )


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


def _place(place: int, waits: bool) -> str:
    return f"You {'are' if waits else 'would be'} {ordinal(place)} in the queue."


def _wait(name: str, waits: bool) -> str:
    return f"See when it is your turn: ds01 why {name}" if waits else f"Wait for your turn: ds01 launch {name} --wait"


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
