"""A year of a lab in which anything may happen: nobody is stopped before she was told, and who is due is stopped.

Activity, words to keep, extensions, a busy server, warnings that reach nobody, pauses and a ds01d that is down for an
hour come at random; what must hold is checked at every look, against a book of its own.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache

import pytest

from ds01.domain.container import Container, ContainerState
from ds01.domain.lifecycle.case import ZERO, Case, Level, Rule, Warned
from ds01.domain.lifecycle.decide import decide
from ds01.domain.settings import LifecycleRules
from tests.values import container, limits

LOOK = timedelta(minutes=4)
YEAR = timedelta(days=365)
LIMITS = replace(limits(), runtime=timedelta(hours=24), idle=timedelta(minutes=40), lead=timedelta(minutes=15))
RULES = LifecycleRules()


@cache
def thesis(extended: timedelta) -> Container:
    return replace(container("thesis", state=ContainerState.RUNNING), extended=extended)


@dataclass
class Said:
    tried: timedelta
    delivered: timedelta | None = None
    last: bool = False


@dataclass
class Life:
    """One container, whoever uses it, and what was said about it."""

    dice: random.Random
    now: timedelta = ZERO
    started: timedelta = ZERO
    ran: timedelta = ZERO
    active: timedelta = ZERO
    kept_until: timedelta = ZERO
    extended: timedelta = ZERO
    busy: float = 0.0
    working: bool = True
    reachable: bool = True
    said: dict[Rule, Said] = field(default_factory=dict)
    stops: list[Rule] = field(default_factory=list)

    def step(self) -> None:
        self.now += LOOK
        self._happen()
        if self.working:
            self.active = self.now
        self._deliver()
        case = self._case()
        found = decide(case, {rule: self._warned(said) for rule, said in self.said.items()})
        for rule in found.moot:
            del self.said[rule]
        for notice in found.notify:
            said = self.said.setdefault(notice.due.rule, Said(tried=self.now))
            said.last = said.last or notice.level is Level.LAST
        self._deliver()
        if found.execute is not None:
            self._check_kind(found.execute.due.rule, case)
            self._stop(found.execute.due.rule)
        else:
            self._check_due(case)

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
            self.busy = self.dice.choice([0.1, 0.95])
        elif dice < 0.037:
            self.kept_until = self.now + timedelta(hours=self.dice.randint(1, 24))
        elif dice < 0.038:
            self.extended += timedelta(hours=4)
        elif dice < 0.0385:  # ds01d is down for an hour: what it only remembered is gone
            self.now += timedelta(hours=1)
            self.said.clear()
            self.active = self.now

    def _case(self) -> Case:
        up = self.now - self.started
        return Case(
            container=thesis(self.extended),
            limits=LIMITS, rules=RULES, holds_gpu=True, busy=self.busy, ran=self.ran + up, up=up,
            quiet=self.now - self.active, kept=max(ZERO, self.kept_until - self.now),
        )  # fmt: skip

    def _warned(self, said: Said) -> Warned:
        delivered = None if said.delivered is None else self.now - said.delivered
        return Warned(tried=self.now - said.tried, delivered=delivered, last=said.last)

    def _deadline(self, rule: Rule, case: Case) -> timedelta:
        """Worked out anew, without the rules."""
        if rule is Rule.RUNTIME:
            return self.started + timedelta(hours=24) + self.extended - self.ran
        idle = timedelta(minutes=20 if self.busy > 0.8 else 40)
        begin = max(self.active, self.started + timedelta(minutes=30))
        return max(begin + idle, self.kept_until)

    def _check_kind(self, rule: Rule, case: Case) -> None:
        said = self.said[rule]
        wait = said.tried + 2 * LIMITS.lead if said.delivered is None else said.delivered + LIMITS.lead
        assert self.now >= max(self._deadline(rule, case), wait)

    def _check_due(self, case: Case) -> None:
        """Whoever was due and told, a look ago, is gone by now."""
        for rule, said in self.said.items():
            wait = said.tried + 2 * LIMITS.lead if said.delivered is None else said.delivered + LIMITS.lead
            assert self.now - LOOK < max(self._deadline(rule, case), wait), rule

    def _stop(self, rule: Rule) -> None:
        self.stops.append(rule)
        self.said.clear()
        self.now += timedelta(minutes=self.dice.randint(1, 600))
        if rule is Rule.RUNTIME:
            self.ran, self.extended = ZERO, ZERO
        else:
            self.ran += self.now - self.started
        self.started = self.active = self.now


@pytest.mark.parametrize("seed", [1])
def test_f4_in_a_year_nobody_is_stopped_unwarned_and_who_is_due_is_stopped(seed: int) -> None:
    life = Life(random.Random(seed))
    while life.now < YEAR:
        life.step()
    assert {Rule.IDLE, Rule.RUNTIME} == set(life.stops)
    assert len(life.stops) > 100
