"""Values that many tests need: a few people, GPUs and containers of a small lab."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction

from ds01.domain.container import Container, ContainerId, ContainerState, Door
from ds01.domain.gpu import Gpu, MigInstance, Slot, SlotId, slots_of
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.lease import Lease, LeaseId, LeaseState
from ds01.domain.limits import Limits, Policy, Sourced, Value, effective
from ds01.domain.people import Uid, User
from ds01.ports.ledger import Books
from ds01.services import lease as leases

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GIB = 1024**3

ALICE = User(uid=Uid(1001), gid=1001, login="alice", home="/home/alice")
BOB = User(uid=Uid(1722830498), gid=1722830498, login="h.baker@lab.lan", home="/home/h.baker")


def leased(
    books: Books, user: User, limits: Limits, ask: GpuAsk | None = None, *, name: str = "thesis", epoch: int = 1,
    now: datetime = NOW, preferred: tuple[SlotId, ...] = (),
) -> Lease:  # fmt: skip
    """A lease of what is free, written past the queue: for tests of what becomes of leases."""
    want = leases.Want(user=user, epoch=epoch, limits=limits, name=name, ask=ask or GpuAsk(), preferred=preferred)
    return leases.put(books, want.owner, name, leases.placed(books, want, now), now)


def gpu(index: int, *, memory: int = 40, parts: Sequence[str] = (), numa: int = -1, links: Sequence[int] = ()) -> Gpu:
    """GPU number ``index``; ``parts`` are MIG profiles, ``links`` the numbers of GPUs linked to it."""
    instances = tuple(
        MigInstance(
            uuid=SlotId(f"MIG-{index}-{number}"),
            profile=profile,
            slices=int(profile[0]),
            memory_bytes=int(profile.split(".")[1].removesuffix("gb")) * GIB,
        )
        for number, profile in enumerate(parts)
    )
    return Gpu(
        uuid=SlotId(f"GPU-{index}"), index=index, model=f"A100-{memory}GB", memory_bytes=memory * GIB, minor=index,
        slices=7, mig=bool(parts), instances=instances, numa_node=numa,
        links=frozenset(SlotId(f"GPU-{number}") for number in links),
    )  # fmt: skip


def slots(*gpus: Gpu) -> tuple[Slot, ...]:
    """All slots of these GPUs."""
    return tuple(slot for one in gpus for slot in slots_of(one))


def limits(user: User = ALICE, **values: Value) -> Limits:
    """Limits in force for a user, with some keys set (``gpus_max=…``) as by line 7 of a limits file."""
    keys = {key.replace("_", ".", 1): value for key, value in values.items()}
    layer = {key: Sourced(value=value, source="limits.yaml:7") for key, value in keys.items()}
    return effective(Policy(defaults=layer), user, Door.DS01, NOW)


def lease(name: str, *held: str, user: User = ALICE, state: LeaseState = LeaseState.ACTIVE) -> Lease:
    """A lease over these slots, as if each were a whole GPU."""
    return Lease(
        id=LeaseId(f"lease-{name}"),
        uid=user.uid,
        epoch=1,
        slots=tuple(SlotId(slot) for slot in held),
        gpueq=Fraction(len(held)),
        state=state,
        granted_at=NOW,
        name=name,
        ended_at=None if state.open else NOW,
    )


def container(name: str, *, user: User = ALICE, state: ContainerState = ContainerState.RUNNING) -> Container:
    """A container with every field that matters set."""
    return Container(
        id=ContainerId(f"{name:0<64}"),
        uid=user.uid,
        epoch=1,
        name=name,
        door=Door.DS01,
        state=state,
        image="sha256:" + "a" * 64,
        image_ref=f"ds01-{user.uid}/{name}:latest",
        created_at=NOW,
        project=name,
        workspace=f"{user.home}/workspace/{name}",
    )
