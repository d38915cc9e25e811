"""Never started: a container that was made and never run holds a name, perhaps a GPU, and nothing else.

Nothing was ever done in it, so nobody is warned; it is told afterwards.
"""

from __future__ import annotations

from ds01.domain.container import ContainerState
from ds01.domain.lifecycle.case import ZERO, Act, Case, Due, Rule


def due(case: Case) -> Due | None:
    """When it is removed, unless it is started."""
    if case.container.state is not ContainerState.CREATING or not case.container.id:
        return None
    limit = case.rules.never_started
    return Due(rule=Rule.NEVER_STARTED, act=Act.REMOVE, left=limit - case.age, limit=limit, lead=ZERO)
