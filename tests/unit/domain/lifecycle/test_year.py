"""A year of a lab in which anything may happen: nobody is stopped before she was told, and who is due is stopped.

Activity, words to keep, extensions, a busy server, warnings that reach nobody, pauses, stops and starts of her own and
a ds01d that is down for an hour come at random; what must hold is checked at every look, against a book of its own.
Looks are as frequent as ds01d's wherever something is near, so that being late is seen.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache

import pytest

from ds01.domain.container import Container, ContainerState
from ds01.domain.lifecycle.case import ZERO, Case, Level, Rule, Warned
from ds01.domain.lifecycle.decide import decide
from ds01.domain.settings import LifecycleRules
from tests.effort import tries
from tests.values import container, limits

LOOK, NEAR_LOOK = timedelta(minutes=4), timedelta(seconds=15)
LATE = timedelta(seconds=60)
"""Nothing is done, and nobody is told, later than this."""
YEAR = timedelta(days=365)
HOLD = timedelta(hours=12)
LIMITS = replace(
    limits(), runtime=timedelta(hours=24), idle=timedelta(minutes=40), lead=timedelta(minutes=15), container_hold=HOLD
)
RULES = LifecycleRules()
STANDING = (ContainerState.RUNNING, ContainerState.PAUSED)


@cache
def thesis(state: ContainerState, extended: timedelta) -> Container:
    return replace(container("thesis", state=state), extended=extended)


@dataclass
class Said:
    tried: timedelta
    delivered: timedelta | None = None
    last: bool = False


@dataclass
class Life:
    """One container, whoever uses it, and what was said about it. Moments are lengths of time since the year began."""

    dice: random.Random
    now: timedelta = ZERO
    state: ContainerState = ContainerState.RUNNING
    started: timedelta = ZERO
    paused: timedelta = ZERO
    stopped: timedelta = ZERO
    ran: timedelta = ZERO
    active: timedelta = ZERO
    kept_until: timedelta = ZERO
    extended: timedelta = ZERO
    busy: float = 0.0
    became: timedelta = ZERO
    """When the server became as busy as it is."""
    working: bool = True
    reachable: bool = True
    said: dict[Rule, Said] = field(default_factory=dict)
    acts: list[Rule] = field(default_factory=list)
    unheard: int = 0

    def step(self) -> None:
        self.now += NEAR_LOOK if self._near() else LOOK
        self._happen()
        if self.working and self.state is ContainerState.RUNNING:
            self.active = self.now
        self._deliver()
        found = decide(self._case(), {rule: self._warned(said) for rule, said in self.said.items()})
        for rule in found.moot:
            del self.said[rule]
        for notice in found.notify:
            said = self.said.setdefault(notice.due.rule, Said(tried=self.now))
            said.last = said.last or notice.level is Level.LAST
        self._deliver()
        if found.execute is not None:
            self._check_kind_and_in_time(found.execute.due.rule)
            self._act(found.execute.due.rule)
        else:
            self._check_nothing_was_left_out()

    def _deliver(self) -> None:
        """What reached nobody is tried again at every look, before anything is done."""
        for said in self.said.values() if self.reachable else ():
            said.delivered = self.now if said.delivered is None else said.delivered

    def _happen(self) -> None:
        dice = self.dice.random()
        if dice < 0.02:
            self.working = not self.working
        elif dice < 0.03:
            self.reachable = not self.reachable
        elif dice < 0.035:
            self.busy, self.became = self.dice.choice([0.1, 0.95]), self.now
        elif dice < 0.037:
            self.kept_until = self.now + timedelta(hours=self.dice.randint(1, 24))
        elif dice < 0.038:
            self.extended += timedelta(hours=4)
        elif dice < 0.0385:  # ds01d is down for an hour: what it only remembered is gone
            self.now += timedelta(hours=1)
            self.said.clear()
            self.active = self.now
            self.paused = self.now if self.state is ContainerState.PAUSED else self.paused
        elif dice < 0.046:
            self._by_hand()

    def _by_hand(self) -> None:
        """She pauses it, lets it go on, stops it or starts it."""
        if self.state is ContainerState.STOPPED:
            self._start()
        elif self.state is ContainerState.PAUSED:
            self.state = ContainerState.RUNNING
        elif self.dice.random() < 0.7:
            self.state, self.paused = ContainerState.PAUSED, self.now
        else:
            self._stop()

    def _case(self) -> Case:
        up = self.now - self.started if self.state in STANDING else ZERO
        return Case(
            container=thesis(self.state, self.extended), limits=LIMITS, rules=RULES,
            holds_gpu=self.state in STANDING, busy=self.busy, ran=self.ran + up, up=up,
            quiet=self.now - self.active, kept=max(ZERO, self.kept_until - self.now),
            paused=self.now - self.paused if self.state is ContainerState.PAUSED else ZERO,
            stopped=self.now - self.stopped if self.state is ContainerState.STOPPED else ZERO,
        )  # fmt: skip

    def _warned(self, said: Said) -> Warned:
        delivered = None if said.delivered is None else self.now - said.delivered
        return Warned(tried=self.now - said.tried, delivered=delivered, last=said.last)

    # the book of its own: worked out anew, without the rules -------------------------------------------------

    def _deadlines(self) -> dict[Rule, timedelta]:
        """When each rule that is running is due."""
        idle = timedelta(minutes=20 if self.busy > 0.8 else 40)
        match self.state:
            case ContainerState.STOPPED:
                return {Rule.CONTAINER_HOLD: self.stopped + HOLD}
            case ContainerState.PAUSED:
                return {Rule.PAUSED: max(self.paused + idle, self.kept_until), Rule.RUNTIME: self._runtime()}
            case _:
                begin = max(self.active, self.started + timedelta(minutes=30))
                return {Rule.IDLE: max(begin + idle, self.kept_until), Rule.RUNTIME: self._runtime()}

    def _runtime(self) -> timedelta:
        return self.started + timedelta(hours=24) + self.extended - self.ran

    def _lead(self, rule: Rule) -> timedelta:
        return HOLD / 7 if rule is Rule.CONTAINER_HOLD else LIMITS.lead

    def _may_act(self, rule: Rule, deadline: timedelta) -> timedelta:
        """Its deadline, or a lead after the first warning that was heard, or two after one that nobody heard."""
        said, lead = self.said[rule], self._lead(rule)
        heard = said.tried + 2 * lead if said.delivered is None else said.delivered + lead
        return max(deadline, heard, self.became)

    def _moments(self) -> Iterator[timedelta]:
        """Whenever something is to be said or done, as things are."""
        for rule, deadline in self._deadlines().items():
            yield deadline - self._lead(rule)
            yield self._may_act(rule, deadline) if rule in self.said else deadline

    def _near(self) -> bool:
        return any(-LATE <= moment - self.now <= LOOK for moment in self._moments())

    def _check_kind_and_in_time(self, rule: Rule) -> None:
        may_act = self._may_act(rule, self._deadlines()[rule])
        assert may_act <= self.now <= may_act + LATE, (rule, self.now - may_act)
        self.unheard += self.said[rule].delivered is None

    def _check_nothing_was_left_out(self) -> None:
        """Whoever is due and was told is gone by now, and whoever is due soon was told."""
        deadlines = self._deadlines()
        for rule, said in self.said.items():
            late = self.now - self._may_act(rule, deadlines[rule])
            assert late < LATE, (rule, late, said)
        for rule, deadline in deadlines.items():
            assert rule in self.said or deadline - self.now > self._lead(rule), (rule, deadline - self.now)

    # what follows -------------------------------------------------------------------------------------------

    def _act(self, rule: Rule) -> None:
        self.acts.append(rule)
        self.said.clear()
        if rule is not Rule.CONTAINER_HOLD:
            self._stop()
        if rule is Rule.CONTAINER_HOLD or (rule is Rule.RUNTIME and self.dice.random() < 0.5):  # made anew
            self.ran, self.extended = ZERO, ZERO
            self._start()

    def _stop(self) -> None:
        self.ran += self.now - self.started
        self.state, self.stopped = ContainerState.STOPPED, self.now

    def _start(self) -> None:
        self.state, self.started, self.active = ContainerState.RUNNING, self.now, self.now


@pytest.mark.parametrize("seed", range(tries(25)))
def test_f4_in_a_year_nobody_is_stopped_unwarned_and_who_is_due_is_stopped(seed: int) -> None:
    life = Life(random.Random(seed))
    while life.now < YEAR:
        life.step()
    assert {Rule.IDLE, Rule.PAUSED, Rule.RUNTIME, Rule.CONTAINER_HOLD} == set(life.acts)
    assert len(life.acts) > 100
    assert life.unheard > 5, "stops that nobody could be told of come, too, a lead later"
