"""Runtime: a container with a GPU runs no longer than its owner may, over restarts too, or than she said it would.

The time its GPU was given for binds as well, because others were let in or kept waiting by it: that end is firm.
``ds01 extend`` moves both. A job ends by the time it was submitted with, which its own queue keeps. One without a GPU
may run for ever (E8), unless her group's limits say that it may not.
"""

from __future__ import annotations

from datetime import timedelta

from ds01.domain.container import ContainerState, Door
from ds01.domain.lifecycle.case import ZERO, Act, Case, Due, Rule

SHORT = 4
"""Who wants a GPU for a short time has a shorter lead: this part of it at most."""


def due(case: Case) -> Due | None:
    """When its time is over."""
    standing = case.container.state in (ContainerState.RUNNING, ContainerState.PAUSED)
    bound = case.holds_gpu or case.limits.runtime_without_gpu
    if not standing or not bound or case.container.door is Door.JOB:
        return None
    limit, firm = _by_limit(case), _given(case)
    left = min((one for one in (limit, firm) if one is not None), default=None)
    if left is None:
        return None
    early = case.early if left == firm else ZERO
    whole = _said(case, max(ZERO, case.ran + left + early), left == firm)
    lead = min(case.limits.lead, whole / SHORT) if left == firm else case.limits.lead
    return Due(rule=Rule.RUNTIME, act=Act.STOP, left=left, limit=whole, lead=lead, firm=left == firm)


def _said(case: Case, ran: timedelta, firm: bool) -> timedelta:
    """The time as it was given: the seconds between the grant and the start are not taken off in words."""
    usual = None if case.limits.runtime is None else case.limits.runtime + case.container.extended
    known = [one for one in (case.planned, usual) if one is not None]
    return min(known) if firm and case.planned is not None else ran


def _by_limit(case: Case) -> timedelta | None:
    limit = case.limits.runtime
    return None if limit is None else limit + case.container.extended - case.ran


def _given(case: Case) -> timedelta | None:
    return None if case.asked_left is None else case.asked_left - case.early
