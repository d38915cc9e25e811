"""Paused: a container that stands still and keeps a GPU is stopped when it has done so for as long as it may idle."""

from __future__ import annotations

from ds01.domain.container import ContainerState
from ds01.domain.lifecycle.case import Act, Case, Due, Rule
from ds01.domain.lifecycle.idle import HARDLY, idle_limit


def due(case: Case) -> Due | None:
    """When it is stopped, if it stays paused."""
    if case.container.state is not ContainerState.PAUSED or not case.holds_gpu:
        return None
    limit = idle_limit(case.limits, case.rules, case.busy)
    if limit is None:
        return None
    return Due(
        rule=Rule.PAUSED, act=Act.STOP, left=max(limit - case.paused, case.kept), limit=limit, lead=case.limits.lead,
        ripe=case.paused >= min(limit / 2, HARDLY),
    )  # fmt: skip
