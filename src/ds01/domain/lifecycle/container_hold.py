"""Container hold: a container that was stopped long ago is removed. The workspace stays, whatever else was in it goes.

Nothing runs any more, so its owner is hardly looking: she is told a day before, or a seventh of a shorter time.
"""

from __future__ import annotations

from datetime import timedelta

from ds01.domain.container import ContainerState
from ds01.domain.lifecycle.case import Act, Case, Due, Rule

DAY = timedelta(days=1)


def due(case: Case) -> Due | None:
    """When it is removed, unless it is started."""
    hold = case.limits.container_hold
    if case.container.state is not ContainerState.STOPPED or hold is None:
        return None
    return Due(
        rule=Rule.CONTAINER_HOLD, act=Act.REMOVE, left=hold - case.stopped, limit=hold,
        lead=max(case.limits.lead, min(DAY, hold / 7)), ripe=case.stopped >= hold / 2,
    )  # fmt: skip
