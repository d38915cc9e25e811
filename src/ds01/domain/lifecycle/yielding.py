"""Yielding: work of a group that gives way is stopped when somebody else waits for its GPU, after its warning."""

from __future__ import annotations

from ds01.domain.container import ContainerState
from ds01.domain.lifecycle.case import ZERO, Act, Case, Due, Rule


def due(case: Case) -> Due | None:
    """At once, that is after the warning it owes; no word of its owner puts it off."""
    standing = case.container.state in (ContainerState.RUNNING, ContainerState.PAUSED)
    if not case.wanted or not case.holds_gpu or not standing:
        return None
    return Due(rule=Rule.YIELDING, act=Act.STOP, left=ZERO, limit=ZERO, lead=case.limits.lead)
