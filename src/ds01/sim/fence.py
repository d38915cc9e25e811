"""A firewall in memory: what was put up stands until somebody empties it."""

from __future__ import annotations

from ds01.domain.fence import FencePlan


class SimFence:
    """Remembers the last plan."""

    def __init__(self) -> None:
        self.standing: FencePlan | None = None
        self.unclosed = ""

    async def missing(self, plan: FencePlan) -> str:
        """Whether that plan stands."""
        return "" if self.standing is not None and self.standing.rules == plan.rules else "the rules are not there"

    async def left_open(self, plan: FencePlan) -> str:
        """What was set."""
        del plan
        return self.unclosed

    async def put_up(self, plan: FencePlan) -> None:
        """It stands."""
        self.standing = plan

    async def take_down(self, plan: FencePlan) -> None:
        """It does not."""
        del plan
        self.standing = None
