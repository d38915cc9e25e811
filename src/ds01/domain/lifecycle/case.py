"""What the rules of life look at and what they answer.

Everything is a length of time and never a moment: whoever looks counts on a clock that does not jump (I5), and a clock
that is set wrong stops nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from ds01.domain.container import Container
from ds01.domain.limits import Limits
from ds01.domain.quantity import show_duration
from ds01.domain.settings import LifecycleRules

ZERO = timedelta(0)
LAST_CALL = timedelta(minutes=5)
"""How long before a stop its owner is told a second time."""
LATE = timedelta(minutes=1)
"""How late an end that others count on may begin: a look and the way of a warning."""


class Rule(StrEnum):
    """What notices are about: the rules of a container's life, a turn in the queue, a GPU that failed, and what an
    admin did or says.
    """

    IDLE = "idle"
    PAUSED = "paused"
    RUNTIME = "runtime"
    CONTAINER_HOLD = "container_hold"
    NEVER_STARTED = "never_started"
    YIELDING = "yielding"
    TURN = "turn"
    GPU = "gpu"
    ADMIN = "admin"
    ANNOUNCED = "announced"


OF_LIFE = frozenset({
    Rule.IDLE, Rule.PAUSED, Rule.RUNTIME, Rule.CONTAINER_HOLD, Rule.NEVER_STARTED, Rule.YIELDING,
})  # fmt: skip
"""The rules of a container's life."""


class Act(StrEnum):
    """What a rule does when its time has come."""

    STOP = "stop"
    REMOVE = "remove"


class Level(StrEnum):
    """How near it is: ``notice`` tells what happened, ``warning`` and ``last`` what will."""

    NOTICE = "notice"
    WARNING = "warning"
    LAST = "last"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One container at one moment.

    ``ran`` is its running time over all starts, ``up`` that of the present one, ``quiet`` how long it has done nothing.
    ``asked_left`` is what is left of the time its GPU was given for (``planned``), and ``early`` how long before the
    end of that it is asked to end. ``kept``
    is how long its owner's word still keeps it from being stopped for idling. ``busy`` is the share of the server's
    GPUs that is leased, 0 to 1. ``wanted`` says that it is of work that yields, and that somebody waits for its GPU.
    """

    container: Container
    limits: Limits
    rules: LifecycleRules
    holds_gpu: bool
    busy: float = 0.0
    ran: timedelta = ZERO
    up: timedelta = ZERO
    quiet: timedelta = ZERO
    paused: timedelta = ZERO
    stopped: timedelta = ZERO
    age: timedelta = ZERO
    asked_left: timedelta | None = None
    planned: timedelta | None = None
    early: timedelta = ZERO
    kept: timedelta = ZERO
    wanted: bool = False


@dataclass(frozen=True, kw_only=True)
class Due:
    """A rule's answer: ``act`` in ``left`` (negative: it is overdue), because of ``limit``.

    ``lead`` is the warning it owes its owner. ``ripe`` is False while a warning would be noise, because what the rule
    waits for has hardly begun. ``firm``: others count on this end, so its owner is warned earlier.
    """

    rule: Rule
    act: Act
    left: timedelta
    limit: timedelta
    lead: timedelta
    ripe: bool = True
    firm: bool = False

    @property
    def ahead(self) -> timedelta:
        """How long before it acts its owner is warned: where others count on the end, early enough that the second
        lead of a warning that reached nobody is over by then.
        """
        return self.lead * 2 if self.firm else self.lead

    @property
    def detail(self) -> str:
        """The limit as people write it, for the reason of a stop; ``""`` when none is behind it."""
        if self.rule is Rule.YIELDING:
            return ""
        shown = show_duration(timedelta(seconds=round(self.limit.total_seconds())))
        return f"{shown}, paused" if self.rule is Rule.PAUSED else shown


@dataclass(frozen=True, kw_only=True)
class Warned:
    """What was said about a rule so far: how long ago it was first tried, how long ago it first reached somebody."""

    tried: timedelta
    delivered: timedelta | None = None
    last: bool = False


@dataclass(frozen=True, kw_only=True)
class Notify:
    """Tell the owner that ``due`` acts in ``acts_in``."""

    due: Due
    level: Level
    acts_in: timedelta


@dataclass(frozen=True, kw_only=True)
class Execute:
    """Do what is due."""

    due: Due


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What to do now, and what stands: every rule that is running, with when it would act as things are.

    What was said about the rules in ``moot`` holds no more: they do not run, or their end moved away.
    """

    notify: tuple[Notify, ...] = ()
    execute: Execute | None = None
    moot: tuple[Rule, ...] = ()
    standing: dict[Rule, timedelta] = field(default_factory=dict)

    @property
    def asks(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.moot or self.notify or self.execute is not None)
