"""Keeping account of what is consumed: added up at every look, written down every minute.

With the account the meters' readings are written down. Whatever they ran on from there until ds01d looks again, because
it was down, is energy that nobody can be charged with, and has a line of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date

from ds01.domain.consumption import IDLE, NOBODY, UNATTRIBUTED, Consumed, Line, nobodys, shares
from ds01.domain.container import Container, ContainerId
from ds01.domain.gpu import Slot, SlotId
from ds01.domain.lease import Lease, LeaseState
from ds01.ports.ledger import Books
from ds01.services.enforce.look import Seen
from ds01.services.world import World

NOTE = "meter:"
"""Begins the ledger's notes of the meters' readings, in joules."""


class Account:
    """One of these adds up."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pending: dict[Line, Consumed] = {}
        self._lines: dict[ContainerId, Line] = {}
        self._readings: dict[SlotId, float] = {}
        self._before: float | None = None
        self._seen_gpus: set[SlotId] = set()

    def note(
        self,
        seen: Seen,
        containers: Iterable[Container],
        leases: Mapping[str, Lease],
        slots: Iterable[Slot],
        now: float,
    ) -> None:  # fmt: skip
        """What was consumed since the look before."""
        passed, self._before = 0.0 if self._before is None else now - self._before, now
        day = self._world.clock.now().astimezone(UTC).date()
        active = {c.id: c for c in containers}
        holders: dict[SlotId, Container] = {}
        for container in active.values():
            lease = leases.get(container.id)
            held = lease if lease is not None and lease.state is LeaseState.ACTIVE else None
            self._add(self._line(day, container), self._used(container, held, passed))
            holders |= dict.fromkeys(held.slots if held is not None else (), container)
        self._energy(seen, tuple(slots), holders, day)

    async def write(self) -> None:
        """Write down what was added up."""
        if not self._pending:
            return
        pending, self._pending, self._lines = self._pending, {}, {}
        readings = dict(self._readings)
        try:
            await self._world.ledger.write(lambda books: _write(books, pending, readings))
        except BaseException:
            for line, consumed in pending.items():
                self._keep(line, consumed)
            raise

    async def begin(self) -> None:
        """Take up the readings of before: what the meters show beyond them at the first look is nobody's."""
        self._readings = await self._world.ledger.read(_known)

    def _used(self, container: Container, lease: Lease | None, seconds: float) -> Consumed:
        watched = self._world.memory.get(container.id)
        last = watched.last if watched is not None else None
        cpus = watched.cpus if watched is not None else 0.0
        return Consumed(
            running_seconds=seconds,
            gpu_seconds=seconds * len(lease.slots) if lease is not None else 0.0,
            gpueq_seconds=seconds * float(lease.gpueq) if lease is not None else 0.0,
            cpu_seconds=(last.cpu or 0.0) * cpus * seconds if last is not None else 0.0,
            memory_byte_seconds=last.memory_bytes * seconds if last is not None else 0.0,
        )

    def _energy(self, seen: Seen, slots: tuple[Slot, ...], holders: Mapping[SlotId, Container], day: date) -> None:
        activity = {slot: sample.utilisation for slot, sample in seen.slots.items()}
        for gpu, joules in seen.energy.items():
            before, self._readings[gpu] = self._readings.get(gpu), joules
            first = gpu not in self._seen_gpus
            self._seen_gpus.add(gpu)
            if before is None or joules < before:  # a new meter, or one that began anew with its driver
                continue
            if first:
                self._add(nobodys(day, UNATTRIBUTED), Consumed(joules=joules - before))
                continue
            mine = [slot for slot in slots if slot.gpu == gpu]
            for slot, share in shares(mine, activity, frozenset(holders)).items():
                holder = holders.get(slot)
                line = nobodys(day, IDLE) if holder is None else self._line(day, holder)
                self._add(line, Consumed(joules=(joules - before) * share))

    def _add(self, line: Line, consumed: Consumed) -> None:
        memory, what = self._world.memory, "used" if line.uid != NOBODY else line.name
        memory.gpu_seconds += consumed.gpueq_seconds
        if consumed.joules:
            memory.joules[what] = memory.joules.get(what, 0.0) + consumed.joules
        if line.uid != NOBODY:
            memory.people[line.uid] = memory.people.get(line.uid, Consumed()) + consumed
        self._keep(line, consumed)

    def _line(self, day: date, container: Container) -> Line:
        known = self._lines.get(container.id)
        if known is None or known.day != day or known.name != container.name:
            known = self._lines[container.id] = Line(
                day=day, uid=container.uid, epoch=container.epoch, project=container.project, name=container.name
            )
        return known

    def _keep(self, line: Line, consumed: Consumed) -> None:
        known = self._pending.get(line)
        self._pending[line] = consumed if known is None else known + consumed


def _write(books: Books, pending: Mapping[Line, Consumed], readings: Mapping[SlotId, float]) -> None:
    for line, consumed in pending.items():
        books.add_consumed(line, consumed)
    for gpu, joules in readings.items():
        books.put_note(f"{NOTE}{gpu}", repr(joules))


def _known(books: Books) -> dict[SlotId, float]:
    gpus = {slot.gpu for slot in books.slots()}
    found = {gpu: books.note(f"{NOTE}{gpu}") for gpu in gpus}
    return {gpu: float(text) for gpu, text in found.items() if text is not None}
