"""Idle: a running container with a GPU that does nothing is stopped after ``idle``.

On a busy server the time is shorter, because somebody waits for the GPU, but never shorter than the warning. After a
start nothing counts as idle for a while. Its owner's word, ``kept``, puts it off.
"""

from __future__ import annotations

from datetime import timedelta

from ds01.domain.container import ContainerState
from ds01.domain.lifecycle.case import ZERO, Act, Case, Due, Rule
from ds01.domain.limits import Limits
from ds01.domain.settings import LifecycleRules

HARDLY = timedelta(minutes=5)
"""Nobody is warned of what has lasted less than this, or less than half of a shorter limit."""


def due(case: Case) -> Due | None:
    """When it is stopped, if it goes on doing nothing."""
    if case.container.state is not ContainerState.RUNNING or not case.holds_gpu:
        return None
    limit = idle_limit(case.limits, case.rules, case.busy)
    if limit is None:
        return None
    quiet = max(ZERO, min(case.quiet, case.up - case.rules.idle.start_grace))
    return Due(
        rule=Rule.IDLE, act=Act.STOP, left=max(limit - quiet, case.kept), limit=limit, lead=case.limits.lead,
        ripe=quiet > ZERO and quiet >= min(limit / 2, HARDLY),
    )  # fmt: skip


def idle_limit(limits: Limits, rules: LifecycleRules, busy: float) -> timedelta | None:
    """The time in force now; None is no limit."""
    limit = limits.idle
    if limit is None or busy < rules.busy.above:
        return limit
    return max(limit * rules.busy.idle_times, min(limit, limits.lead))
