"""A container's story, also after it is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ds01.adapters.sql import containers as on_disk
from ds01.adapters.sql.ledger import SqlLedger
from ds01.domain.container import Container, ContainerId, ContainerState, StopReason
from ds01.domain.errors import NO_CONTAINER, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.lease import LeaseId, LeaseState
from ds01.domain.people import Account
from ds01.domain.reasons import oom_detail
from ds01.ports.ledger import Books
from ds01.services.why import why
from ds01.sim.ledger import MemoryLedger
from ds01.wire.containers import WhyView
from tests.values import ALICE, BOB, GIB, NOW, container, gpu, lease, slots

THESIS = container("thesis")


def event(type_: EventType, /, subject: str = THESIS.id, minutes: int = 0, **details: str) -> Event:
    return Event(
        at=NOW + timedelta(minutes=minutes), type=type_, actor=ALICE.uid, uid=ALICE.uid, subject=subject,
        details={"name": "thesis", **details},
    )  # fmt: skip


def stopped(reason: StopReason, detail: str = "", gpus: int = 0, held: LeaseId | None = None) -> Container:
    return replace(
        THESIS, state=ContainerState.STOPPED, stopped_at=NOW + timedelta(minutes=30), reason=reason,
        reason_detail=detail, gpus=gpus, lease=held,
    )  # fmt: skip


async def ledger(*things: Container | Event) -> MemoryLedger:
    made = MemoryLedger()
    await made.write(fill(*things))
    return made


def fill(*things: Container | Event) -> Callable[[Books], None]:
    def work(books: Books) -> None:
        books.put_account(Account(uid=ALICE.uid, login="alice", epoch=1))
        books.put_slots(slots(gpu(0)))
        for thing in things:
            if isinstance(thing, Event):
                books.record(thing)
            else:
                books.put_container(thing)

    return work


async def story(made: MemoryLedger, name: str = "thesis") -> WhyView:
    return await why(made, uid=ALICE.uid, epoch=1, name=name, viewer=ALICE.uid)


async def test_e6_the_story_joins_container_and_lease_in_order() -> None:
    made = await ledger(
        stopped(StopReason.EXIT, "137"),
        event(EventType.LEASE_GRANTED, subject="lease-1", slots="0", why="the smallest free slot that fits"),
        event(EventType.CONTAINER_CREATED, image="ds01-1001/thesis:latest", door="ds01"),
        event(EventType.LEASE_ACTIVATED, subject="lease-1", container=THESIS.id, slots="0"),
        event(EventType.LEASE_GRANTED, subject="lease-of-another", slots="1"),
        event(EventType.DOOR_ALLOWED, method="POST", path=f"/containers/{THESIS.id}/exec"),
        event(EventType.CONTAINER_STARTED, minutes=1, slots="0"),
        event(EventType.CONTAINER_STOPPED, minutes=30, reason="exit", detail="137"),
    )
    found = await story(made)
    assert [entry.what for entry in found.entries] == [
        "GPU 0 was reserved for thesis: the smallest free slot that fits.",
        "you created thesis from image ds01-1001/thesis:latest through ds01.",
        "thesis took GPU 0 into use.",
        "you started thesis with GPU 0.",
        "thesis stopped: its program was killed from outside, without a chance to save (SIGKILL), exit code 137.",
    ]
    assert found.entries[-1].detail == "exit:137"
    assert found.entries[-1].at == (NOW + timedelta(minutes=30)).isoformat()
    assert (found.state, "SIGKILL" in found.reason) == ("stopped", True)
    assert "ds01 logs thesis" in found.summary


async def test_e6_out_of_memory_tells_peak_and_limit() -> None:
    made = await ledger(stopped(StopReason.OOM, oom_detail(31 * GIB, 32 * GIB)))
    found = await story(made)
    assert found.reason == "out of memory (used 31G of 32G)"
    assert found.summary.startswith("thesis stopped at 2026-03-02 09:30 UTC: out of memory (used 31G of 32G).")


@pytest.mark.parametrize("reason", list(StopReason))
async def test_e6_every_reason_makes_a_summary(reason: StopReason) -> None:
    found = await story(await ledger(stopped(reason, "1")))
    assert found.reason
    assert found.reason in found.summary
    assert "  " not in found.summary


async def test_e6_it_says_what_became_of_the_gpu() -> None:
    held = replace(lease("1", "GPU-0", state=LeaseState.HELD), expires_at=NOW + timedelta(minutes=45))
    made = await ledger()
    await made.write(lambda books: books.put_lease(held))
    await made.write(lambda books: books.put_container(stopped(StopReason.USER, gpus=1, held=held.id)))
    assert "Its GPU is kept for it until 2026-03-02 09:45 UTC." in (await story(made)).summary
    without = await ledger(stopped(StopReason.USER, gpus=1))
    assert "Its GPU went back" in (await story(without)).summary


async def test_e6_also_after_it_was_removed_and_the_workspace_stays() -> None:
    gone = replace(stopped(StopReason.RETIRED), state=ContainerState.REMOVED, removed_at=NOW + timedelta(hours=1))
    found = await story(await ledger(gone, event(EventType.CONTAINER_REMOVED, minutes=60)))
    assert found.summary == (
        "thesis was removed at 2026-03-02 10:00 UTC. It was retired by you at 2026-03-02 09:30 UTC. "
        "Your files in /home/alice/workspace/thesis stay."
    )
    assert found.entries[-1].what == "you removed thesis."


async def test_a_recreated_container_has_one_story() -> None:
    old = replace(THESIS, state=ContainerState.REMOVED, removed_at=NOW + timedelta(minutes=5))
    new = replace(THESIS, id=ContainerId("b" * 64), created_at=NOW + timedelta(minutes=5))
    made = await ledger(
        old, new,
        event(EventType.CONTAINER_CREATED),
        event(EventType.CONTAINER_CREATED, subject=new.id, minutes=5),
    )  # fmt: skip
    assert [entry.what for entry in (await story(made)).entries] == [
        "you created thesis.", "thesis was recreated with other GPUs, with everything that was in it.",
    ]  # fmt: skip


async def test_a_removed_namesake_is_another_story() -> None:
    old = replace(THESIS, state=ContainerState.REMOVED, removed_at=NOW)
    new = replace(THESIS, id=ContainerId("b" * 64), created_at=NOW + timedelta(minutes=5))
    made = await ledger(old, new, event(EventType.CONTAINER_REMOVED), event(EventType.CONTAINER_PAUSED, subject=new.id))
    assert [entry.what for entry in (await story(made)).entries] == ["you paused thesis."]


async def test_s13_a_new_owner_of_the_uid_has_no_such_container() -> None:
    made = await ledger(THESIS)
    with pytest.raises(Ds01Error) as caught:
        await why(made, uid=ALICE.uid, epoch=2, name="thesis", viewer=ALICE.uid)
    assert caught.value.kind is NO_CONTAINER
    with pytest.raises(Ds01Error, match="never had"):
        await why(made, uid=BOB.uid, epoch=1, name="thesis", viewer=BOB.uid)


async def test_a_name_that_is_nearly_right_is_offered() -> None:
    with pytest.raises(Ds01Error, match="Did you mean 'thesis'"):
        await story(await ledger(THESIS), "thesos")


async def test_an_admin_reads_whose_it_was() -> None:
    made = await ledger(stopped(StopReason.USER), event(EventType.CONTAINER_STOPPED, reason="user"))
    found = await why(made, uid=ALICE.uid, epoch=1, name="thesis", viewer=BOB.uid)
    assert found.reason == "stopped by alice"
    assert found.entries[0].what == "thesis was stopped by alice."


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (ContainerState.RUNNING, "has been running since 2026-03-02 09:00 UTC"),
        (ContainerState.PAUSED, "ds01 unpause thesis"),
        (ContainerState.CREATING, "has not started yet"),
        (ContainerState.QUARANTINED, "ask an admin"),
    ],
)
async def test_every_other_state_has_its_sentence(state: ContainerState, said: str) -> None:
    found = await story(await ledger(replace(THESIS, state=state)))
    assert said in found.summary


async def test_of_many_containers_only_those_of_the_name_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counted(**values: Any) -> Container:
        read.append(values["name"])
        return Container(**values)

    made = SqlLedger(tmp_path / "ledger.db")
    gone = [replace(container(f"old-{n}"), state=ContainerState.REMOVED, removed_at=NOW) for n in range(30)]
    await made.write(fill(*gone, THESIS))
    monkeypatch.setattr(on_disk, "Container", counted)
    assert (await why(made, uid=ALICE.uid, epoch=1, name="thesis", viewer=ALICE.uid)).state == "running"
    assert set(read) == {"thesis"}
    await made.close()
