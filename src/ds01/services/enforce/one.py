"""One container's turn: what its owner's word says, what she is told, and what is done."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from ds01.domain.container import Container, ContainerState, Door
from ds01.domain.errors import Ds01Error
from ds01.domain.events import EventType
from ds01.domain.lease import Lease
from ds01.domain.lifecycle.case import ZERO, Act, Case, Decision, Due, Level, Notify, Rule
from ds01.domain.lifecycle.decide import decide
from ds01.domain.lifecycle.words import Facts, Outcome, done_text, done_title, text, title
from ds01.domain.limits import Limits
from ds01.domain.people import User
from ds01.ports.ledger import Books
from ds01.services.enforce import act
from ds01.services.enforce.deliver import Given, Message, bring, give
from ds01.services.enforce.memory import Said, Watched
from ds01.services.stop import goes_with_its_end
from ds01.services.tell import tell
from ds01.services.world import World

KEEP_ALIVE = ".keep-alive"
"""The file in a workspace whose change keeps its container."""
RETRY_SECONDS = 60.0
"""How often a warning that reached nobody is tried again."""
REMOVED = {Rule.CONTAINER_HOLD: "it was stopped for {}", Rule.NEVER_STARTED: "it was not started for {}"}


class One:
    """One container with everything that is known of it."""

    def __init__(
        self, world: World, container: Container, user: User, limits: Limits, lease: Lease | None, watched: Watched,
        *, swept: bool = False,
    ) -> None:  # fmt: skip
        self._world = world
        self._container = container
        self._user = user
        self._limits = limits
        self._lease = lease
        self._watched = watched
        self._swept = swept

    def decide(self, case: Case) -> Decision:
        """What follows, remembered for whoever asks how long it has left."""
        now = self._world.clock.monotonic()
        decision = decide(case, {rule: said.ago(now) for rule, said in self._watched.said.items()})
        self._watched.standing = decision.standing
        return decision

    def waits(self) -> bool:
        """Whether a warning that reached nobody is to be tried again."""
        now = self._world.clock.monotonic()
        return any(
            said.delivered is None and now - said.retried >= RETRY_SECONDS for said in self._watched.said.values()
        )

    async def attend(self, case: Case) -> None:
        """Ask for its owner's word and try again what reached nobody, then decide and carry it out."""
        touched = await self._touched()
        await self._try_again()
        case = replace(case, kept=max(case.kept, touched))
        decision = self.decide(case)
        await self.carry_out(case, decision)

    async def _touched(self) -> timedelta:
        """How long a touched file in its workspace still keeps it. A file server that hangs keeps it, too."""
        world, workspace = self._world, self._container.workspace
        if not workspace:
            return ZERO
        most = world.settings().lifecycle.keep_alive_max
        try:
            at = await asyncio.to_thread(world.host.touched, self._user, f"{workspace}/{KEEP_ALIVE}")
        except TimeoutError:
            return self._limits.lead * 2
        now = world.clock.now()
        return ZERO if at is None else max(ZERO, min(at, now) + most - now)

    async def _try_again(self) -> None:
        """Warnings that reached nobody yet."""
        now = self._world.clock.monotonic()
        for said in self._watched.said.values():
            if said.delivered is None and now - said.retried >= RETRY_SECONDS:
                said.retried = now
                await self._bring_again(said)

    async def carry_out(self, case: Case, decision: Decision) -> None:
        """Take back what holds no more, tell, act."""
        for rule in decision.moot:
            await self._take_back(self._watched.said.pop(rule))
        for notice in decision.notify:
            await self._warn(case, notice)
        if decision.execute is not None:
            await self._execute(decision.execute.due)

    async def _bring_again(self, said: Said) -> None:
        known = await self._world.ledger.read(lambda books: books.notice(said.notice))
        if known is None or not known.open:
            return
        if known.delivered_at is None:
            known = (await bring(self._world, self._user, self._container, known)).notice
        if known.delivered_at is not None:
            said.delivered = self._world.clock.monotonic()

    async def _take_back(self, said: Said) -> None:
        now = self._world.clock.now()

        def write(books: Books) -> None:
            known = books.notice(said.notice)
            if known is not None and known.open:
                books.put_notice(replace(known, ended_at=now))

        await self._world.ledger.write(write)

    async def _warn(self, case: Case, notice: Notify) -> None:
        world, rule = self._world, notice.due.rule
        begun = world.clock.monotonic()
        now = world.clock.now()
        facts = self._facts(case, notice, now, goes=await self._goes())
        given = await give(
            world, self._user,
            Message(
                about=self._container, rule=rule, level=notice.level, title=title(facts), text=text(facts),
                acts_at=now + notice.acts_in,
            ),
        )  # fmt: skip
        if not given.notice.open:
            return
        before = self._watched.said.get(rule)
        delivered = None if given.notice.delivered_at is None else world.clock.monotonic()
        if before is None:
            said = Said(notice=given.notice.id, tried=begun, delivered=delivered, retried=begun)
        else:
            said = replace(before, notice=given.notice.id, delivered=before.delivered or delivered)
        self._watched.said[rule] = replace(said, last=said.last or notice.level is Level.LAST)
        if before is None and delivered is None:
            await self._undelivered(given)

    async def _goes(self) -> bool:
        """Whether it goes with its end; an engine that does not answer keeps no warning back."""
        try:
            return await goes_with_its_end(self._world, self._container)
        except Ds01Error:
            return False

    async def _undelivered(self, given: Given) -> None:
        notice = given.notice

        def write(books: Books) -> None:
            tell(
                books, EventType.NOTICE_UNDELIVERED, self._container, at=self._world.clock.now(), actor=None,
                rule=notice.rule.value, level=notice.level.value, title=notice.subject_line(self._world.zone),
                why=given.missed,
            )  # fmt: skip

        await self._world.ledger.write(write)

    async def _execute(self, due: Due) -> None:
        if due.act is Act.STOP:
            done = await act.stop(self._world, self._user, self._limits, self._container, due, self._booked(due.rule))
        else:
            done = await act.remove(self._world, self._container, REMOVED[due.rule].format(due.detail))
        if done is None:
            return
        self._watched.said.clear()
        outcome = Outcome(
            booked=self._booked(due.rule), job=self._container.door is Door.JOB, docker=self._container.door.docker,
            name=self._container.name, due=due, at=self._local(self._world.clock.now()), killed=done.killed,
            grace=self._limits.stop_grace, on_stop=done.on_stop, workspace=self._container.workspace,
            held_until=None if done.held_until is None else self._local(done.held_until), packages=done.kept.packages,
            noted=done.kept.file, problem=done.kept.problem, gone=done.container.state is ContainerState.REMOVED,
        )  # fmt: skip
        message = Message(
            about=done.container, rule=due.rule, level=Level.NOTICE, title=done_title(outcome),
            text=done_text(outcome),
        )  # fmt: skip
        await give(self._world, self._user, message)

    def _booked(self, rule: Rule) -> str:
        """What ends with its time when its GPU is of one: a booking, or a class that is swept; empty otherwise."""
        if rule is not Rule.RUNTIME or self._lease is None or not self._lease.booking:
            return ""
        return "class" if self._swept else "booking"

    def _usual(self) -> bool:
        """Whether its GPU was given for as long as she may have one, and no time of her own choice."""
        limit = self._limits.runtime
        return (
            self._lease is not None
            and limit is not None
            and (self._lease.planned is not None and self._lease.planned >= limit + self._container.extended)
        )

    def _facts(self, case: Case, notice: Notify, now: datetime, *, goes: bool) -> Facts:
        due, last = notice.due, self._watched.last
        lasted = {
            Rule.IDLE: case.quiet, Rule.PAUSED: case.paused, Rule.RUNTIME: case.ran, Rule.CONTAINER_HOLD: case.stopped,
            Rule.NEVER_STARTED: case.age, Rule.YIELDING: case.up,
        }[due.rule]  # fmt: skip
        rules = self._world.settings().lifecycle
        asked = due.firm and not self._usual()
        return Facts(
            name=self._container.name, due=due, now=self._local(now), lasted=lasted, gpu=case.holds_gpu,
            acts_at=self._local(now + notice.acts_in), usual=self._limits.idle,
            gpu_memory_bytes=last.gpu_memory_bytes if last is not None else 0, asked=asked,
            grace=self._limits.stop_grace, gpu_hold=self._limits.gpu_hold,
            container_hold=self._limits.container_hold, workspace=self._container.workspace,
            booked=self._booked(due.rule), job=self._container.door is Door.JOB, docker=self._container.door.docker,
            goes=goes, keep_max=rules.keep_alive_max,
            extend_left=max(ZERO, rules.extend_max - self._container.extended),
        )  # fmt: skip

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self._world.zone)
