"""The host's firewall, as far as DS01's own rules in it go."""

from __future__ import annotations

from typing import Protocol

from ds01.domain.fence import FencePlan


class Fence(Protocol):
    """Puts rules up and takes them down. Only chains of the plan's name are touched, and what leads into them."""

    async def missing(self, plan: FencePlan) -> str:
        """What of the plan does not stand, in words; empty when all of it does."""
        ...

    async def left_open(self, plan: FencePlan) -> str:
        """What of the plan no rule of DS01 can close on this host, in words; empty when there is nothing."""
        ...

    async def put_up(self, plan: FencePlan) -> None:
        """Make the rules so, in one step. Raises Ds01Error (``fence.failed``) when the firewall refuses."""
        ...

    async def take_down(self, plan: FencePlan) -> None:
        """Remove everything the plan's name stands for; what is not there is fine."""
        ...
