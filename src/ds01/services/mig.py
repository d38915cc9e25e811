"""Dividing GPUs as an admin planned it: kept free, proven free, divided, shown again; and again after a reboot.

A GPU forgets its instances when the machine starts, so the plan is kept in the ledger and done again as soon as nobody
is on the GPU. While a GPU is being divided nobody is placed on it. The plan is written down in the transaction that
keeps its GPU free, and one division is done at a time: no look at the GPUs between them divides back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence, Set
from functools import partial

from ds01.domain import mig
from ds01.domain.errors import BAD_REQUEST, GPU_DIVIDE, GPU_USED, Ds01Error
from ds01.domain.events import Event, EventType
from ds01.domain.gpu import Gpu, SlotId, slots_of
from ds01.domain.mig import Partition
from ds01.domain.people import Uid
from ds01.domain.quarantine import Keeper
from ds01.ports.ledger import Books
from ds01.services.caller import Caller, require_admin
from ds01.services.inventory import refresh
from ds01.services.mig_promises import Planned, promises
from ds01.services.people import names
from ds01.services.settled import raise_first, settle_each
from ds01.services.world import World
from ds01.wire.mig import MigGpuView, MigView

Holders = Callable[[Books, Gpu], tuple[str, ...]]
"""Who has slots of a GPU."""

_BEING_DIVIDED = "it is being divided"
_UNKNOWN = "processes that the driver does not tell"


async def show(world: World, caller: Caller, text: str = "") -> MigView:
    """How every GPU is divided, or what ``text`` would change, and who is in the way. Raises Ds01Error."""
    require_admin(caller, "see how GPUs are divided")
    gpus = await asyncio.to_thread(world.devices.inventory)
    wanted = await asyncio.to_thread(_read, world, gpus, text) if text else {}
    used, promised = await _users(world, gpus), await _promised(world, gpus, wanted)
    shown = [gpu for gpu in gpus if not text or gpu.uuid in wanted]
    return MigView(
        gpus=await asyncio.to_thread(
            lambda: tuple(
                _view(world, gpu, wanted.get(gpu.uuid), used[gpu.uuid] + promised.get(gpu.uuid, ())) for gpu in shown
            )
        ),
        simulated=world.devices.simulated,
    )


async def apply(world: World, caller: Caller, text: str) -> MigView:
    """Divide the GPUs of the plan, one after the other. Nothing is begun when one of them is in use."""
    require_admin(caller, "divide GPUs")
    gpus = await asyncio.to_thread(world.devices.inventory)
    wanted = await asyncio.to_thread(_read, world, gpus, text)
    async with world.dividing:
        used = await _users(world, gpus)
        promised = await _promised(world, gpus, wanted)
        changing = _changing(gpus, wanted)
        for gpu in changing:
            _check_free(gpu, used[gpu.uuid], promised[gpu.uuid])
        for gpu in changing:
            await _divide(world, gpu, wanted[gpu.uuid], caller.actor)
        await world.ledger.write(lambda books: _remember(books, wanted))
    return await show(world, caller, text)


def _changing(gpus: Sequence[Gpu], wanted: Mapping[SlotId, Partition]) -> list[Gpu]:
    return [gpu for gpu in gpus if gpu.uuid in wanted and not mig.is_so(gpu, wanted[gpu.uuid].profiles)]


async def _promised(
    world: World, gpus: Sequence[Gpu], wanted: Mapping[SlotId, Partition]
) -> dict[SlotId, tuple[str, ...]]:
    """By GPU, who was promised what it would not be any more."""
    planned = await asyncio.to_thread(lambda: _planned(world, _changing(gpus, wanted), wanted))
    return await world.ledger.read(lambda books: promises(books, planned, world.zone))


def _planned(world: World, gpus: Sequence[Gpu], wanted: Mapping[SlotId, Partition]) -> Planned:
    return {
        gpu.uuid: mig.divided(gpu, wanted[gpu.uuid].profiles, world.devices.offered(gpu.uuid)) for gpu in gpus
    }  # fmt: skip


async def restore(world: World) -> bool:
    """Divide again what forgot how it was divided, where nobody is on it, each whatever becomes of the others. True
    when something changed.
    """
    async with world.dividing:
        return await _restore(world)


async def _restore(world: World) -> bool:
    plans = await world.ledger.read(lambda books: books.note(_NOTE))
    if not plans:
        return False
    gpus = await asyncio.to_thread(world.devices.inventory)
    kept = _plans(plans)
    lost = [gpu for gpu in gpus if gpu.uuid in kept and not mig.is_so(gpu, kept[gpu.uuid].profiles)]
    raise_first(await settle_each(partial(_again, world, gpu, kept[gpu.uuid]) for gpu in lost))
    return bool(lost)


async def _again(world: World, gpu: Gpu, partition: Partition) -> None:
    if not await _in_use(world, gpu):
        await _divide(world, gpu, partition, None)


async def lift(world: World) -> None:
    """A ds01d that ended while it divided left the GPU kept free: nobody divides it now."""
    await world.ledger.write(_lift)


def _lift(books: Books) -> None:
    for each in books.quarantines():
        if each.keeper is Keeper.MIG:
            books.quarantine(each.slot, Keeper.MIG, None)


async def _divide(world: World, gpu: Gpu, partition: Partition, actor: Uid | None) -> None:
    before = mig.now(gpu)
    planned = await asyncio.to_thread(lambda: _planned(world, [gpu], {gpu.uuid: partition}))
    promised = planned if actor is not None else {}
    holders = _holders if actor is not None else _there
    note = await world.ledger.write(lambda books: _keep_free(books, world, gpu, partition, promised, holders))
    try:
        if processes := await _processes(world, gpu):
            raise _used(gpu, processes)
        await asyncio.to_thread(world.devices.divide, gpu.uuid, partition.profiles)
        await refresh(world)
    except Ds01Error:
        await world.ledger.write(lambda books: books.put_note(_NOTE, note))
        raise
    finally:
        await world.ledger.write(lambda books: books.quarantine(gpu.uuid, Keeper.MIG, None))
    event = Event(
        at=world.clock.now(), type=EventType.GPU_DIVIDED, actor=actor, uid=None, subject=gpu.uuid,
        details={"name": str(gpu.index), "before": before, "after": partition.text},
    )  # fmt: skip
    await world.ledger.write(lambda books: books.record(event))


def _keep_free(
    books: Books, world: World, gpu: Gpu, partition: Partition, promised: Planned, holders: Holders
) -> str:  # fmt: skip
    """Nobody gets it from now on, nobody has it, and it is to stay so. One transaction: whoever came first is in the
    way. Returns the note as it was.
    """
    _check_free(gpu, holders(books, gpu), promises(books, promised, world.zone).get(gpu.uuid, ()))
    books.quarantine(gpu.uuid, Keeper.MIG, _BEING_DIVIDED)
    before = books.note(_NOTE) or ""
    _remember(books, {gpu.uuid: partition})
    return before


# who is on it -------------------------------------------------------------------------------------------


async def _users(world: World, gpus: Sequence[Gpu]) -> dict[SlotId, tuple[str, ...]]:
    held = await world.ledger.read(lambda books: {gpu.uuid: _holders(books, gpu) for gpu in gpus})
    return {gpu.uuid: held[gpu.uuid] or await _processes(world, gpu) for gpu in gpus}


async def _in_use(world: World, gpu: Gpu) -> bool:
    """Whether it is kept by somebody who has it as it is now, or by a process."""
    return bool(await world.ledger.read(lambda books: _there(books, gpu)) or await _processes(world, gpu))


def _there(books: Books, gpu: Gpu) -> tuple[str, ...]:
    """Leases on instances that are gone do not count: their containers wait for the instances to come back."""
    return _leased(books, {slot.id for slot in slots_of(gpu)})


def _holders(books: Books, gpu: Gpu) -> tuple[str, ...]:
    return _leased(books, {slot.id for slot in books.slots() if slot.gpu == gpu.uuid})


def _leased(books: Books, own: Set[SlotId]) -> tuple[str, ...]:
    called = names(books)
    leases = [lease for lease in books.open_leases() if own & set(lease.slots)]
    return tuple(f"{called(lease.uid)}'s {lease.name} ({lease.state})" for lease in leases)


async def _processes(world: World, gpu: Gpu) -> tuple[str, ...]:
    """A driver that cannot say who is on it has not said that nobody is."""
    found = await asyncio.to_thread(world.devices.users, gpu.uuid)
    return (_UNKNOWN,) if found is None else tuple(f"process {each.pid}" for each in found)


def _check_free(gpu: Gpu, users: tuple[str, ...], promised: tuple[str, ...] = ()) -> None:
    if users:
        raise _used(gpu, users)
    if promised:
        raise Ds01Error(
            GPU_USED, f"GPU {gpu.index} is promised to somebody, so it was not divided.",
            reason=f"There would not be enough of its kind for {', '.join(promised)}.",
            hint="ds01 bookings list; ds01 queue",
        )  # fmt: skip


def _used(gpu: Gpu, users: tuple[str, ...]) -> Ds01Error:
    if users == (_UNKNOWN,):
        return Ds01Error(
            GPU_USED, f"GPU {gpu.index} cannot be proven free, so it was not divided.",
            reason="The driver does not say which processes are on it.",
            hint=f"nvidia-smi -i {gpu.index}, and again when it answers",
        )  # fmt: skip
    return Ds01Error(
        GPU_USED, f"GPU {gpu.index} is in use, so it was not divided.", reason=f"On it: {', '.join(users)}.",
        hint=f"ds01 admin drain {gpu.index}, and again when it is free",
    )  # fmt: skip


# what is wanted ------------------------------------------------------------------------------------------

_NOTE = "mig plans"


def _read(world: World, gpus: Sequence[Gpu], text: str) -> dict[SlotId, Partition]:
    """The plan by GPU, every line of it possible. Raises Ds01Error."""
    known = {gpu.index: gpu for gpu in gpus}
    try:
        found = mig.partitions(text)
        for each in found:
            if each.index not in known:
                raise ValueError(f"there is no GPU {each.index}; there are {', '.join(map(str, sorted(known)))}")
            _check_possible(world, known[each.index], each)
    except ValueError as error:
        kind = GPU_DIVIDE if isinstance(error, mig.UndividableError) else BAD_REQUEST
        raise Ds01Error(kind, "Nothing was divided.", reason=f"{error}.", hint="ds01 admin mig show") from error
    return {known[each.index].uuid: each for each in found}


def _check_possible(world: World, gpu: Gpu, wanted: Partition) -> None:
    if wanted.profiles is not None:
        mig.places(f"GPU {gpu.index} ({gpu.model})", wanted.profiles, world.devices.offered(gpu.uuid))


def _remember(books: Books, wanted: dict[SlotId, Partition]) -> None:
    kept = _plans(books.note(_NOTE) or "") | wanted
    books.put_note(_NOTE, "\n".join(f"{uuid} {each.index}: {each.text}" for uuid, each in kept.items()))


def _plans(text: str) -> dict[SlotId, Partition]:
    lines = [line.partition(" ") for line in text.splitlines()]
    return {SlotId(uuid): mig.partitions(plan)[0] for uuid, _, plan in lines}


def _view(world: World, gpu: Gpu, wanted: Partition | None, users: tuple[str, ...]) -> MigGpuView:
    return MigGpuView(
        index=gpu.index,
        model=gpu.model,
        now=mig.now(gpu),
        then=wanted.text if wanted else "",
        changes=wanted is not None and not mig.is_so(gpu, wanted.profiles),
        in_the_way=users,
        offered=tuple(each.name for each in world.devices.offered(gpu.uuid)),
    )
