"""The decision: what is due, who must hear of it first, and when it may be done.

Nothing is done unwarned. A stop happens at the rule's deadline or one lead after the first warning that reached
somebody, whichever is later; when no warning reached anybody, it waits a second lead. Where others count on the end,
the first warning is early enough for both. What the caller keeps of earlier looks is ``warned``; ds01d forgets it when
it restarts, so that nobody is stopped for a time in which nobody could see what was going on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from ds01.domain.container import ContainerState
from ds01.domain.lifecycle import container_hold, idle, never_started, paused, runtime, yielding
from ds01.domain.lifecycle.case import LAST_CALL, ZERO, Case, Decision, Due, Execute, Level, Notify, Rule, Warned

RULES: tuple[Callable[[Case], Due | None], ...] = (
    idle.due, paused.due, runtime.due, container_hold.due, never_started.due, yielding.due,
)  # fmt: skip
"""Every rule there is."""


def concerned(state: ContainerState, *, holds_gpu: bool, everywhere: bool = False) -> bool:
    """Whether any rule can be about such a container: one that runs without a GPU may do so for ever (E8), unless
    ``everywhere`` says that running time ends without a GPU, too.
    """
    return holds_gpu or everywhere or state not in (ContainerState.RUNNING, ContainerState.PAUSED)


def decide(case: Case, warned: Mapping[Rule, Warned]) -> Decision:
    """What to do about this container now."""
    found = [due for rule in RULES if (due := rule(case)) is not None]
    moot = tuple(rule for rule in warned if not any(due.rule is rule and due.left <= due.ahead for due in found))
    warned = {rule: said for rule, said in warned.items() if rule not in moot}
    times = {due.rule: acts_in(due, warned.get(due.rule)) for due in found}
    ready = [due for due in found if times[due.rule] <= ZERO and due.ripe and _told(due, warned)]
    if ready:
        return Decision(execute=Execute(due=min(ready, key=lambda due: due.left)), moot=moot, standing=times)
    told = (_notice(due, warned.get(due.rule), times[due.rule]) for due in found)
    return Decision(notify=tuple(notice for notice in told if notice is not None), moot=moot, standing=times)


def acts_in(due: Due, warned: Warned | None) -> timedelta:
    """How long until it acts, if nothing changes and the warning that is due now reaches its owner."""
    if due.lead <= ZERO:
        return due.left
    if warned is None:
        return max(due.left, due.lead)
    if warned.delivered is not None:
        return max(due.left, due.lead - warned.delivered)
    return max(due.left, due.lead * 2 - warned.tried)


def _told(due: Due, warned: Mapping[Rule, Warned]) -> bool:
    return due.lead <= ZERO or due.rule in warned


def _notice(due: Due, warned: Warned | None, acts: timedelta) -> Notify | None:
    if not due.ripe or due.lead <= ZERO or due.left > due.ahead:
        return None
    if warned is None:
        return Notify(due=due, level=Level.WARNING, acts_in=acts)
    if acts <= LAST_CALL < due.lead and not warned.last:
        return Notify(due=due, level=Level.LAST, acts_in=acts)
    return None
