"""The life of a lease, and every refusal with what it must say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import TypeVar

import pytest

from ds01.domain.errors import (
    BAD_REQUEST,
    GPU_FULL,
    GPU_IMPOSSIBLE,
    GPU_QUOTA,
    LEASE_ENDED,
    NO_LEASE,
    Ds01Error,
    ErrorKind,
    Problem,
)
from ds01.domain.events import EventType, Unknown
from ds01.domain.gpu import Slot, SlotId
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.lease import Lease, LeaseId, LeaseState
from ds01.domain.limits import Limits
from ds01.domain.people import User
from ds01.domain.quarantine import Keeper
from ds01.domain.queue.plan import Owner
from ds01.domain.queue.usage import Usage
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from ds01.sim.ledger import MemoryBooks
from ds01.sim.pages import Pages
from tests.values import ALICE, BOB, GIB, NOW, gpu, leased, limits, slots

T = TypeVar("T")
FOUR = slots(*(gpu(index) for index in range(4)))
MIXED = slots(gpu(0), gpu(1, parts=["3g.20gb", "2g.10gb", "2g.10gb"]))
MANY = limits(gpus_max=Fraction(4), gpus_per_container=4)


def books_with(inventory: tuple[Slot, ...] = FOUR) -> Books:
    books = MemoryBooks(Pages())
    books.put_slots(inventory)
    return books


def grant(
    books: Books, name: str = "thesis", *, user: User = ALICE, ask: GpuAsk | None = None, allowed: Limits = MANY,
    epoch: int = 1, preferred: tuple[SlotId, ...] = (),
) -> Lease:  # fmt: skip
    return leased(books, user, allowed, ask, name=name, epoch=epoch, preferred=preferred)


def refused(kind: ErrorKind, work: Callable[[], object]) -> Problem:
    with pytest.raises(Ds01Error) as raised:
        work()
    assert raised.value.kind is kind
    return raised.value.problem


def types(books: Books) -> list[EventType | Unknown]:
    return [event.type for event in books.events()]


# the life ---------------------------------------------------------------------------------------------
def test_a_grant_is_reserved_and_expires() -> None:
    books = books_with()
    lease = grant(books)
    assert (lease.state, lease.expires_at) == (LeaseState.RESERVED, NOW + timedelta(minutes=5))
    assert leases.expire(books, NOW + timedelta(minutes=4)) == ()
    (ended,) = leases.expire(books, NOW + timedelta(minutes=5))
    assert (ended.id, ended.state, ended.reason) == (
        lease.id,
        LeaseState.RELEASED,
        "its container did not start in time",
    )
    assert books.open_leases() == ()
    assert types(books) == [EventType.LEASE_GRANTED, EventType.LEASE_RELEASED]


def test_a_lease_goes_from_grant_to_release() -> None:
    books = books_with()
    lease = grant(books)
    active = leases.activate(books, lease.id, "c1", NOW)
    assert (active.state, active.container, active.expires_at) == (LeaseState.ACTIVE, "c1", None)
    held = leases.hold(books, lease.id, NOW + timedelta(minutes=15), NOW)
    assert (held.state, held.container) == (LeaseState.HELD, "c1")
    assert leases.activate(books, lease.id, "c1", NOW).state is LeaseState.ACTIVE
    ended = leases.release(books, lease.id, "retired", NOW)
    assert (ended.state, ended.ended_at, ended.reason) == (LeaseState.RELEASED, NOW, "retired")
    told = books.events()[-1]
    assert dict(told.details) == {"name": "thesis", "container": "c1", "slots": "0", "reason": "retired"}
    assert (told.subject, told.uid) == (lease.id, ALICE.uid)


def test_doing_it_twice_changes_nothing() -> None:
    books = books_with()
    lease = grant(books)
    assert leases.activate(books, lease.id, "c1", NOW) == leases.activate(books, lease.id, "c1", NOW)
    assert leases.release(books, lease.id, "one", NOW) == leases.revoke(books, lease.id, "two", NOW)
    assert types(books) == [EventType.LEASE_GRANTED, EventType.LEASE_ACTIVATED, EventType.LEASE_RELEASED]


def test_a_start_that_comes_too_late_is_told_what_to_do() -> None:
    books = books_with()
    lease = grant(books)
    leases.expire(books, NOW + timedelta(hours=1))
    problem = refused(LEASE_ENDED, lambda: leases.activate(books, lease.id, "c1", NOW))
    assert "Start the container again" in problem.hint
    assert "did not start in time" in problem.reason


def test_a_start_prolongs_the_hold_so_that_it_cannot_run_out_meanwhile() -> None:
    books = books_with()
    lease = leases.activate(books, grant(books).id, "c1", NOW)
    leases.hold(books, lease.id, NOW + timedelta(seconds=1), NOW)
    leases.hold(books, lease.id, NOW + leases.RESERVATION, NOW)
    assert leases.expire(books, NOW + timedelta(minutes=1)) == ()
    assert leases.activate(books, lease.id, "c1", NOW).state is LeaseState.ACTIVE


def test_an_unknown_lease_is_said() -> None:
    refused(NO_LEASE, lambda: leases.release(books_with(), LeaseId("lease-none"), "x", NOW))


def test_a_lease_of_nothing_is_refused() -> None:
    refused(BAD_REQUEST, lambda: grant(books_with(), ask=GpuAsk(count=0)))


def test_a_restart_gets_the_same_slots_when_they_are_free() -> None:
    books = books_with()
    before = grant(books, ask=GpuAsk(count=2))
    leases.release(books, before.id, "gpu_hold", NOW)
    again = grant(books, ask=GpuAsk(count=2), preferred=(SlotId("GPU-3"), SlotId("GPU-1")))
    assert again.slots == ("GPU-3", "GPU-1")
    other = grant(books, preferred=(SlotId("GPU-3"),))
    assert other.slots == ("GPU-2",)


# refusals ---------------------------------------------------------------------------------------------
def test_over_quota_names_used_limit_line_and_what_to_retire() -> None:
    books = books_with()
    allowed = limits(gpus_max=Fraction(1))
    grant(books, "exp-2", allowed=allowed)
    problem = refused(GPU_QUOTA, lambda: grant(books, allowed=allowed))
    assert problem.details == {
        "used": "1", "asked": "1", "limit": "1", "source": "limits.yaml:7", "containers": "exp-2",
    }  # fmt: skip
    assert problem.hint == "Give one back first: ds01 retire exp-2"
    assert "limits.yaml:7" in problem.reason
    assert "exp-2" in problem.reason


@pytest.mark.parametrize("state", ["reserved", "active", "held"])
def test_every_open_lease_counts_against_the_quota(state: str) -> None:
    books = books_with()
    allowed = limits(gpus_max=Fraction(1))
    lease = grant(books, allowed=allowed)
    if state != "reserved":
        leases.activate(books, lease.id, "c1", NOW)
    if state == "held":
        leases.hold(books, lease.id, NOW + timedelta(hours=1), NOW)
    refused(GPU_QUOTA, lambda: grant(books, allowed=allowed))
    leases.release(books, lease.id, "x", NOW)
    grant(books, allowed=allowed)


def test_i6_what_a_former_owner_of_the_uid_holds_does_not_count() -> None:
    books = books_with()
    allowed = limits(gpus_max=Fraction(1))
    grant(books, allowed=allowed, epoch=1)
    assert grant(books, allowed=allowed, epoch=2).slots == ("GPU-1",)


def test_more_slots_than_a_container_may_have_are_refused_with_the_line() -> None:
    problem = refused(GPU_QUOTA, lambda: grant(books_with(), ask=GpuAsk(count=2), allowed=limits(gpus_per_container=1)))
    assert (problem.details["source"], problem.hint) == ("limits.yaml:7", "Ask for fewer: --gpus 1")


def test_over_quota_counts_instances_exactly() -> None:
    books = books_with(MIXED)
    allowed = limits(gpus_max=Fraction(5, 7), gpus_per_container=4)
    grant(books, "a", ask=GpuAsk(profile="3g.20gb"), allowed=allowed)
    grant(books, "b", ask=GpuAsk(profile="2g.10gb"), allowed=allowed)
    problem = refused(GPU_QUOTA, lambda: grant(books, "c", ask=GpuAsk(profile="2g.10gb"), allowed=allowed))
    assert problem.details["used"] == "0.71"


def test_full_says_what_is_in_use_and_what_would_fit_now() -> None:
    books = books_with(MIXED)
    grant(books, ask=GpuAsk(profile="full"), user=BOB)
    problem = refused(GPU_FULL, lambda: grant(books, ask=GpuAsk(memory_bytes=30 * GIB)))
    assert problem.details["fits_now"] == "--gpus 3g.20gb"
    assert problem.hint == "This would fit now: --gpus 3g.20gb"
    assert "1 of 1 that fit is in use" in problem.message
    assert BOB.login not in str(problem)


def test_full_says_when_a_hold_ends() -> None:
    books = books_with(FOUR[:1])
    lease = leases.activate(books, grant(books, user=BOB).id, "c1", NOW)
    leases.hold(books, lease.id, NOW + timedelta(minutes=12), NOW)
    problem = refused(GPU_FULL, lambda: grant(books))
    assert problem.reason == "leases on this server: 1 held; the next hold ends in 12 min"


def test_impossible_says_the_nearest_possible() -> None:
    problem = refused(GPU_IMPOSSIBLE, lambda: grant(books_with(), ask=GpuAsk(memory_bytes=80 * GIB)))
    assert problem.details["nearest"] == "--gpus 1 --mem 40G"
    allowed = limits(gpus_max=None, gpus_per_container=None)
    problem = refused(GPU_IMPOSSIBLE, lambda: grant(books_with(), ask=GpuAsk(count=9), allowed=allowed))
    assert problem.details["nearest"] == "--gpus 4"
    assert refused(GPU_IMPOSSIBLE, lambda: grant(books_with(()))).details["nearest"] == "--gpus 0"


def test_a_quarantined_slot_is_never_granted() -> None:
    books = books_with(FOUR[:2])
    books.quarantine(SlotId("GPU-0"), Keeper.DRIVER, "Xid 79")
    assert grant(books).slots == ("GPU-1",)
    assert "1 out of service" in refused(GPU_FULL, lambda: grant(books)).message


@pytest.mark.parametrize(("mig", "slot"), [("only", "MIG-1-1"), ("never", "GPU-0"), ("allowed", "MIG-1-1")])
def test_who_may_use_instances_only_or_never_gets_just_that(mig: str, slot: str) -> None:
    allowed = replace(MANY, mig=mig)
    assert grant(books_with(MIXED), allowed=allowed).slots == (slot,)


def test_i4_what_she_had_counts_once_when_it_ends_however_often_it_is_ended() -> None:
    books = books_with()
    two = grant(books, ask=GpuAsk(count=2))
    grant(books, "other", user=BOB)
    later = NOW + timedelta(hours=1)
    leases.release(books, two.id, "retired", later)
    leases.release(books, two.id, "retired", later + timedelta(hours=1))
    expected = Usage(seconds=0.0, at=NOW).plus(2, NOW, later)
    assert books.usage() == {Owner(ALICE.uid, 1): expected}
    assert 7100 < expected.seconds < 7200
