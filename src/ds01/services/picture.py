"""Containers as people see them: what the ledger knows, joined once for however many are shown."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ds01.domain.container import Container, ContainerId, ContainerState
from ds01.domain.gpu import Slot, SlotId
from ds01.domain.launch import container_stale
from ds01.domain.lease import Lease, LeaseId, LeaseState
from ds01.domain.lifecycle.case import Rule
from ds01.domain.limits import Limits
from ds01.domain.own_images import stored_image
from ds01.domain.people import Uid
from ds01.domain.reasons import words
from ds01.ports.devices import GpuSample
from ds01.ports.ledger import Books
from ds01.services.limits import of_everybody
from ds01.services.world import World
from ds01.wire.containers import ContainerView

_WITH_MEMORY = (ContainerState.RUNNING, ContainerState.PAUSED)
"""What was measured last is not what one that stopped since has."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One consistent view of the ledger. ``limits`` holds those of the owners of stopped containers."""

    slots: Mapping[SlotId, Slot]
    leases: Mapping[LeaseId, Lease]
    latest: Mapping[str, str]
    logins: Mapping[Uid, str]
    samples: Mapping[SlotId, GpuSample] = field(default_factory=dict)
    limits: Mapping[tuple[Uid, str], Limits] = field(default_factory=dict)
    standing: Mapping[ContainerId, Mapping[Rule, timedelta]] = field(default_factory=dict)
    memory_bytes: Mapping[ContainerId, int] = field(default_factory=dict)
    now: datetime | None = None

    def view(self, container: Container, viewer: Uid | None = None) -> ContainerView:
        """One container. ``viewer`` is called ``you`` in the reason."""
        lease = self.leases.get(container.lease) if container.lease else None
        held = lease is not None and lease.state is LeaseState.HELD
        return ContainerView(
            name=container.name,
            id=container.id,
            owner=self.logins.get(container.uid, str(container.uid)),
            project=container.project,
            image=container.image_ref,
            state=container.state.value,
            door=container.door.value,
            created_at=container.created_at.isoformat(),
            started_at=_shown(container.started_at),
            stopped_at=_shown(container.stopped_at),
            removed_at=_shown(container.removed_at),
            reason=self._reason(container, viewer),
            gpus=tuple(self._label(slot) for slot in lease.slots) if lease else (),
            gpu_count=container.gpus,
            lease=lease.state.value if lease else "",
            gpu_hold_until=_shown(lease.expires_at) if lease and held else None,
            remove_at=self._remove_at(container),
            workspace=container.workspace,
            stale=self._stale(container),
            gpu_utilisation=self._utilisation(lease),
            memory_bytes=self.memory_bytes.get(container.id) if container.state in _WITH_MEMORY else None,
            idle_left_seconds=self._left(container, Rule.IDLE, Rule.PAUSED),
            runtime_left_seconds=self._left(container, Rule.RUNTIME),
            kept_until=_shown(container.kept_until) if self._kept(container) else None,
            extended_seconds=int(container.extended.total_seconds()),
        )

    def _label(self, slot: SlotId) -> str:
        known = self.slots.get(slot)
        return known.label if known else slot

    def _reason(self, container: Container, viewer: Uid | None) -> str:
        if container.reason is None or container.state in (ContainerState.RUNNING, ContainerState.PAUSED):
            return ""
        owner = "you" if container.uid == viewer else self.logins.get(container.uid, "its owner")
        return words(container.reason, container.reason_detail, owner=owner)

    def _stale(self, container: Container) -> str:
        if container.state is ContainerState.REMOVED:
            return ""
        names = (stored_image(container.image_ref, container.uid), container.image_ref)
        return container_stale(container, next((self.latest[name] for name in names if name in self.latest), ""))

    def _remove_at(self, container: Container) -> str | None:
        limits = self.limits.get((container.uid, container.door.value))
        if limits is None or limits.container_hold is None or container.state is not ContainerState.STOPPED:
            return None
        return _shown((container.stopped_at or container.created_at) + limits.container_hold)

    def _utilisation(self, lease: Lease | None) -> float | None:
        if lease is None or lease.state is not LeaseState.ACTIVE:
            return None
        known = [s.utilisation for slot in lease.slots if (s := self.samples.get(slot)) and s.utilisation is not None]
        return 100 * sum(known) / len(known) if known else None

    def _left(self, container: Container, *rules: Rule) -> int | None:
        """Until one of these rules acts, as things are; None when none does."""
        if container.state not in (ContainerState.RUNNING, ContainerState.PAUSED):
            return None
        standing = self.standing.get(container.id, {})
        left = [standing[rule] for rule in rules if rule in standing]
        return max(0, int(min(left).total_seconds())) if left else None

    def _kept(self, container: Container) -> bool:
        return container.kept_until is not None and (self.now is None or container.kept_until > self.now)


def picture(
    books: Books, shown: Iterable[Container], *, samples: Iterable[GpuSample] = (),
    limits: Mapping[tuple[Uid, str], Limits] | None = None, world: World | None = None,
) -> Picture:  # fmt: skip
    """Load what the views of these containers need."""
    accounts = (books.account(uid) for uid in {container.uid for container in shown})
    return Picture(
        slots={slot.id: slot for slot in books.slots()},
        leases={lease.id: lease for lease in books.open_leases()},
        latest={tag.ref: tag.image for tag in books.tags()},
        logins={account.uid: account.login for account in accounts if account},
        samples={sample.slot: sample for sample in samples},
        limits=limits or {},
        standing=world.memory.standing() if world is not None else {},
        memory_bytes=world.memory.used() if world is not None else {},
        now=world.clock.now() if world is not None else None,
    )


async def limits_of(world: World, containers: Iterable[Container]) -> dict[tuple[Uid, str], Limits]:
    """The limits that views of these containers need: those of the owners of stopped ones, through the doors they came
    by. The others do not go by themselves.
    """
    pairs = {(container.uid, container.door) for container in containers if container.state is ContainerState.STOPPED}
    found = await asyncio.to_thread(of_everybody, world, pairs) if pairs else {}
    return {key: limits for key, (_, limits) in found.items()}


def _shown(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
