"""Random lives of a small lab against a plain model, on both ledgers.

Whatever is granted, stopped, prolonged, expired, quarantined, lost or divided, in whatever order: no slot has two
open leases, a GPU and its instances are never both leased, no quota is passed, and nothing is forgotten.
"""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ds01.adapters.sql.ledger import SqlLedger
from ds01.domain.errors import GPU_FULL, GPU_IMPOSSIBLE, GPU_QUOTA, Ds01Error
from ds01.domain.gpu import Slot, SlotId
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.lease import Lease, LeaseId, LeaseState
from ds01.domain.people import User
from ds01.domain.quarantine import Keeper
from ds01.ports.ledger import Books, Ledger
from ds01.services import lease as leases
from ds01.services.countdown import Countdown
from ds01.sim.ledger import MemoryLedger
from tests.effort import tries
from tests.values import ALICE, BOB, GIB, NOW, gpu, leased, limits, slots

T = TypeVar("T")

WHOLE = {index: slots(gpu(index, links=[index ^ 1])) for index in range(4)}
DIVIDED = {index: slots(gpu(index, parts=["3g.20gb", "2g.10gb", "2g.10gb"])) for index in range(4)}
EVERY = {slot.id: slot for part in (*WHOLE.values(), *DIVIDED.values()) for slot in part}
LIMITS = {
    ALICE.uid: limits(ALICE, gpus_max=Fraction(3, 2), gpus_per_container=2),
    BOB.uid: limits(BOB, gpus_max=None, gpus_per_container=3),
}
USERS = st.sampled_from([ALICE, BOB])
ASKS = st.builds(
    GpuAsk,
    count=st.integers(1, 3),
    profile=st.sampled_from([None, None, "full", "2g.10gb", "3g.20gb"]),
    memory_bytes=st.sampled_from([0, 0, 15 * GIB]),
)


@dataclass
class Known:
    """A lease as the model knows it. ``ends`` is on the monotonic clock."""

    user: User
    slots: tuple[SlotId, ...]
    state: LeaseState
    ends: float | None


class LeaseMachine(RuleBasedStateMachine):
    """The lab. A subclass gives the ledger."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.ledger: Ledger = self.open()
        self.countdown = Countdown()
        self.now, self.monotonic = NOW, 0.0
        self.gpus = dict(WHOLE)
        self.sick: set[SlotId] = set()
        self.known: dict[LeaseId, Known] = {}
        self.events = 0
        self.write(lambda books: books.put_slots(self.present()))

    def open(self) -> Ledger:
        raise NotImplementedError

    def reopen(self) -> None:
        """As after a restart of ds01d."""
        raise NotImplementedError

    def teardown(self) -> None:
        self.loop.run_until_complete(self.ledger.close())
        self.loop.close()

    def write(self, work: Callable[[Books], T]) -> T:
        return self.loop.run_until_complete(self.ledger.write(work))

    def read(self, work: Callable[[Books], T]) -> T:
        return self.loop.run_until_complete(self.ledger.read(work))

    def present(self) -> tuple[Slot, ...]:
        return tuple(slot for index in sorted(self.gpus) for slot in self.gpus[index])

    # what people do ---------------------------------------------------------------------------------
    @rule(user=USERS, ask=ASKS)
    def grant(self, user: User, ask: GpuAsk) -> None:
        try:
            lease = self.write(lambda books: self._grant(books, user, ask))
        except Ds01Error as error:
            self._refusal_is_true(error, user, ask)
        else:
            assert set(lease.slots) <= self._free(), "granted what was not free"
            self.known[lease.id] = Known(user, lease.slots, LeaseState.RESERVED, self.monotonic + 300)
            self.events += 1

    @rule(user=USERS, ask=ASKS)
    def grant_and_fail(self, user: User, ask: GpuAsk) -> None:
        """The rest of the transaction fails: nothing of it may stand."""

        def work(books: Books) -> None:
            self._grant(books, user, ask)
            raise LookupError

        with pytest.raises((LookupError, Ds01Error)):
            self.write(work)

    @precondition(lambda self: self._some(LeaseState.RESERVED, LeaseState.HELD))
    @rule(data=st.data())
    def activate(self, data: st.DataObject) -> None:
        key = self._pick(data, LeaseState.RESERVED, LeaseState.HELD)
        self.write(lambda books: leases.activate(books, key, f"container of {key}", self.now))
        self._become(key, LeaseState.ACTIVE)

    @precondition(lambda self: self._some(LeaseState.ACTIVE, LeaseState.HELD))
    @rule(data=st.data(), minutes=st.integers(1, 30))
    def hold(self, data: st.DataObject, minutes: int) -> None:
        key = self._pick(data, LeaseState.ACTIVE, LeaseState.HELD)
        until = self.now + timedelta(minutes=minutes)
        self.write(lambda books: leases.hold(books, key, until, self.now))
        self._become(key, LeaseState.HELD, self.monotonic + minutes * 60)

    @precondition(lambda self: self._some(LeaseState.RESERVED, LeaseState.ACTIVE, LeaseState.HELD))
    @rule(data=st.data(), taken_away=st.booleans())
    def end(self, data: st.DataObject, taken_away: bool) -> None:
        key = self._pick(data, LeaseState.RESERVED, LeaseState.ACTIVE, LeaseState.HELD)
        act = leases.revoke if taken_away else leases.release
        self.write(lambda books: act(books, key, "done", self.now))
        self._become(key, LeaseState.REVOKED if taken_away else LeaseState.RELEASED)

    @precondition(lambda self: self._some(LeaseState.RELEASED, LeaseState.REVOKED))
    @rule(data=st.data())
    def what_ended_stays_ended(self, data: st.DataObject) -> None:
        key = self._pick(data, LeaseState.RELEASED, LeaseState.REVOKED)
        self.write(lambda books: leases.release(books, key, "again", self.now))
        with pytest.raises(Ds01Error):
            self.write(lambda books: leases.activate(books, key, "too late", self.now))
        with pytest.raises(Ds01Error):
            self.write(lambda books: leases.hold(books, key, self.now, self.now))

    # what time and the machine do -------------------------------------------------------------------
    @rule(minutes=st.integers(1, 20))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.monotonic += minutes * 60

    @rule(hours=st.sampled_from([-1, 1]))
    def the_clock_steps(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @precondition(lambda self: self.gpus)
    @rule(data=st.data())
    def a_gpu_vanishes(self, data: st.DataObject) -> None:
        del self.gpus[data.draw(st.sampled_from(sorted(self.gpus)))]
        self.write(lambda books: books.put_slots(self.present()))

    @rule(index=st.integers(0, 3), divided=st.booleans())
    def a_gpu_appears_or_is_divided_anew(self, index: int, divided: bool) -> None:
        self.gpus[index] = (DIVIDED if divided else WHOLE)[index]
        self.write(lambda books: books.put_slots(self.present()))

    @rule(slot=st.sampled_from(sorted(EVERY)), sick=st.booleans())
    def a_slot_is_quarantined_or_healed(self, slot: SlotId, sick: bool) -> None:
        self.write(lambda books: books.quarantine(slot, Keeper.DRIVER, "sick" if sick else None))
        (self.sick.add if sick else self.sick.discard)(slot)

    @rule()
    def ds01d_restarts(self) -> None:
        self.reopen()
        self.countdown = Countdown()
        for key, known in self.known.items():
            if known.ends is not None:
                lease = self.read(partial(leases.find, lease_id=key))
                known.ends = self.monotonic + (self._end_of(lease) - self.now).total_seconds()

    # what must hold after each of them --------------------------------------------------------------
    @invariant()
    def leases_end_by_the_time_that_passed(self) -> None:
        everything = self.read(lambda books: books.open_leases())
        over = self.countdown.over(everything, self.now, self.monotonic)
        ended = self.write(lambda books: leases.expire(books, self.now, over))
        due = {key for key, known in self.known.items() if known.ends is not None and known.ends <= self.monotonic}
        assert {lease.id for lease in ended} == due
        for key in due:
            self._become(key, LeaseState.RELEASED)

    @invariant()
    def the_ledger_is_the_model(self) -> None:
        found = self.read(lambda books: {key: books.lease(key) for key in self.known})
        assert {key: (lease.state, lease.slots) for key, lease in found.items() if lease} == {
            key: (known.state, known.slots) for key, known in self.known.items()
        }
        still = {lease.id for lease in self.read(lambda books: books.open_leases())}
        assert still == {key for key, known in self.known.items() if known.state.open}
        assert len(self.read(lambda books: books.events(limit=10**6))) == self.events

    @invariant()
    def no_slot_is_leased_twice_and_no_gpu_in_two_sizes(self) -> None:
        held = [slot for known in self.known.values() if known.state.open for slot in known.slots]
        assert len(held) == len(set(held))
        whole = {EVERY[slot].gpu for slot in held if EVERY[slot].whole}
        assert whole.isdisjoint(EVERY[slot].gpu for slot in held if not EVERY[slot].whole)

    @invariant()
    def no_quota_is_passed(self) -> None:
        for user in (ALICE, BOB):
            most = LIMITS[user.uid].gpus_max
            assert most is None or self._used(user) <= most

    # the model --------------------------------------------------------------------------------------
    def _grant(self, books: Books, user: User, ask: GpuAsk) -> Lease:
        return leased(books, user, LIMITS[user.uid], ask, now=self.now)

    def _become(self, key: LeaseId, state: LeaseState, ends: float | None = None) -> None:
        self.known[key].state, self.known[key].ends = state, ends
        self.events += 1

    def _some(self, *states: LeaseState) -> list[LeaseId]:
        return sorted(key for key, known in self.known.items() if known.state in states)

    def _pick(self, data: st.DataObject, *states: LeaseState) -> LeaseId:
        return data.draw(st.sampled_from(self._some(*states)))

    def _held(self) -> list[Slot]:
        return [EVERY[slot] for known in self.known.values() if known.state.open for slot in known.slots]

    def _used(self, user: User) -> Fraction:
        mine = [known for known in self.known.values() if known.state.open and known.user == user]
        return sum((EVERY[slot].gpueq for known in mine for slot in known.slots), Fraction(0))

    def _free(self) -> set[SlotId]:
        held = self._held()
        return {
            slot.id
            for slot in self.present()
            if not {slot.id, slot.gpu} & self.sick
            and not any(one.id == slot.id or (one.gpu == slot.gpu and one.whole != slot.whole) for one in held)
        }

    def _refusal_is_true(self, error: Ds01Error, user: User, ask: GpuAsk) -> None:
        def fits(slot: Slot) -> bool:
            return ask.profile in (None, slot.profile) and slot.memory_bytes >= ask.memory_bytes

        mine = LIMITS[user.uid]
        left = None if mine.gpus_max is None else mine.gpus_max - self._used(user)
        there = {slot.id: slot for slot in (*self.present(), *self._held())}.values()
        sizes = sorted(slot.gpueq for slot in there if fits(slot))[: ask.count]
        free = sorted(EVERY[slot].gpueq for slot in self._free() if fits(EVERY[slot]))[: ask.count]
        dear = left is not None and sum(sizes, Fraction(0)) > left
        if error.kind is GPU_QUOTA:
            assert dear or ask.count > (mine.gpus_per_container or 0)
        elif error.kind is GPU_IMPOSSIBLE:
            assert len(sizes) < ask.count
        else:
            assert error.kind is GPU_FULL
            assert len(free) < ask.count or (left is not None and sum(free, Fraction(0)) > left)

    def _end_of(self, lease: Lease) -> datetime:
        assert lease.expires_at is not None
        return lease.expires_at


class MemoryMachine(LeaseMachine):
    def open(self) -> Ledger:
        return MemoryLedger()

    def reopen(self) -> None:
        """Memory has nothing to come back from; the countdown starts anew all the same."""


@cache
def empty() -> Path:
    """A ledger with its schema, made once: copying it is quicker than migrating."""
    folder = tempfile.mkdtemp(prefix="ds01-machine")
    atexit.register(shutil.rmtree, folder)
    path = Path(folder) / "ledger.db"
    asyncio.run(SqlLedger(path).close())
    return path


class SqlMachine(LeaseMachine):
    def open(self) -> Ledger:
        self.folder = tempfile.TemporaryDirectory(prefix="ds01-machine")
        shutil.copy(empty(), Path(self.folder.name) / "ledger.db")
        return SqlLedger(Path(self.folder.name) / "ledger.db")

    def reopen(self) -> None:
        self.loop.run_until_complete(self.ledger.close())
        self.ledger = SqlLedger(Path(self.folder.name) / "ledger.db")

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


def _few(machine: type[LeaseMachine], examples: int) -> Any:
    case: Any = machine.TestCase
    case.settings = settings(
        max_examples=tries(examples), stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
    )
    return case


TestLeasesInMemory = _few(MemoryMachine, 40)
TestLeasesOnDisk = _few(SqlMachine, 8)
