"""Leases as a trace."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

from ds01.domain.events import Event, EventType
from ds01.domain.history import Past, ended, trace
from ds01.domain.lease import LeaseState
from ds01.simulate.trace import read
from tests.values import ALICE, BOB, NOW, lease

HOUR = timedelta(hours=1)


def past(name: str, *, begins: float, hours: float | None, waited: float = 0, user: object = ALICE) -> Past:
    assert user in (ALICE, BOB)
    one = replace(
        lease(name, "GPU-0", user=ALICE if user is ALICE else BOB), container="c" * 64, granted_at=NOW + begins * HOUR,
        ended_at=None if hours is None else NOW + (begins + hours) * HOUR, planned=2 * HOUR,
        state=LeaseState.ACTIVE if hours is None else LeaseState.RELEASED,
    )  # fmt: skip
    return Past(lease=one, submitted_at=one.granted_at - waited * HOUR if waited else None)


def test_a_job_is_a_lease_in_order_of_submission() -> None:
    found = trace(
        [past("a", begins=1, hours=2), past("b", begins=3, hours=None, waited=2.5, user=BOB)],
        {ALICE.uid: "alice", BOB.uid: "bob"}, NOW + 4 * HOUR,
    )  # fmt: skip
    assert [(job.id, job.user, job.submit, job.duration, job.gpus, job.asked) for job in found] == [
        ("lease-b", "bob", 0.0, 3600.0, 1.0, 7200.0), ("lease-a", "alice", 1800.0, 7200.0, 1.0, 7200.0)
    ]  # fmt: skip


def test_one_that_never_had_a_container_and_an_empty_past_are_no_jobs() -> None:
    unused = Past(lease=replace(lease("a", "GPU-0"), container=None))
    assert trace([unused], {}, NOW) == ()


def test_the_simulator_reads_it() -> None:
    (job,) = trace([past("a", begins=0, hours=0)], {}, NOW)
    text = (
        f"job_id,user,submit_s,duration_s,gpus,asked_s\n{job.id},{job.user},{job.submit},{job.duration},{job.gpus},\n"
    )
    assert [(one.id, one.duration) for one in read(io.StringIO(text))] == [("lease-a", 1.0)]


def event(kind: EventType, subject: str, minutes: float, **details: str) -> Event:
    return Event(at=NOW + timedelta(minutes=minutes), type=kind, actor=None, uid=None, subject=subject, details=details)


def test_what_was_idle_in_the_end_and_what_was_only_held_is_told() -> None:
    """Idle for half an hour, stopped at ninety minutes, held for the rest of two hours; a hold before that was used."""
    events = [
        event(EventType.LEASE_HELD, "lease-a", 10), event(EventType.LEASE_ACTIVATED, "lease-a", 15),
        event(EventType.CONTAINER_STOPPED, "c" * 64, 90, reason="idle", detail="30m"),
        event(EventType.LEASE_HELD, "lease-a", 90),
    ]  # fmt: skip
    (job,) = trace(ended([past("a", begins=0, hours=2)], events), {}, NOW)
    assert (job.duration, job.idle, job.held) == (7200.0, 1800.0, 1800.0)


def test_a_stop_for_another_reason_or_of_another_time_is_no_idleness() -> None:
    mine, after = past("a", begins=0, hours=2), event(EventType.LEASE_ACTIVATED, "lease-a", 95)
    idle = event(EventType.CONTAINER_STOPPED, "c" * 64, 90, reason="idle", detail="30m")
    for events in (
        [event(EventType.CONTAINER_STOPPED, "c" * 64, 90, reason="user")], [idle, after],
        [event(EventType.CONTAINER_STOPPED, "c" * 64, 180, reason="idle", detail="30m")],
    ):  # fmt: skip
        (job,) = trace(ended([mine], events), {}, NOW)
        assert (job.idle, job.held) == (0.0, 0.0)
