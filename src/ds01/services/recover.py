"""Writing down a container of DS01 that the ledger does not know, from its labels.

It happens when the ledger was lost, and when ds01d died between the start of a container and its record. Its lease is
written down again with the slots it was created with; when somebody else has them by now, the container is set aside.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from ds01.domain.assembly import read_binds, read_slots
from ds01.domain.container import Container, ContainerState, Door, Observed, StopReason
from ds01.domain.errors import GPU_FULL, Ds01Error
from ds01.domain.events import EventType
from ds01.domain.gpu_ask import ask
from ds01.domain.labels import Label
from ds01.domain.lease import Lease, LeaseId, LeaseState
from ds01.domain.people import Account, Uid
from ds01.ports.ledger import Books
from ds01.services import lease as leases
from ds01.services.aside import set_aside
from ds01.services.queue.turn import claimed
from ds01.services.tell import tell


def adopt(books: Books, seen: Observed, now: datetime) -> Container | None:
    """Record it; None when its labels cannot be read, so that it stays nobody's."""
    found = from_labels(seen)
    if found is None:
        return None
    if books.account(found.uid) is None:
        books.put_account(Account(uid=found.uid, login="", epoch=found.epoch))
    books.put_container(found)
    tell(books, EventType.CONTAINER_RECOVERED, found, at=now, actor=None)
    slots = read_slots(seen.labels)
    if not seen.running or not slots:
        return found
    if not set(slots) <= {slot.id for slot in books.slots()}:
        return set_aside(books, found, seen, "its GPU is not there any more", now)
    try:
        lease = _lease(books, found, seen, now)
    except Ds01Error as error:
        if error.kind is not GPU_FULL:
            raise
        return set_aside(books, found, seen, "its GPU is leased to somebody else", now)
    leased = replace(found, lease=lease.id)
    books.put_container(leased)
    return leased


def from_labels(seen: Observed) -> Container | None:
    """What the labels tell; None when they make no sense."""
    labels = seen.labels
    try:
        gpus = ask(labels.get(Label.GPUS) or "0", int(labels.get(Label.GPU_MEMORY) or 0))
        return Container(
            id=seen.id,
            uid=Uid(int(labels[Label.OWNER])),
            epoch=int(labels.get(Label.EPOCH) or 1),
            name=_name(seen),
            door=Door(labels.get(Label.DOOR) or Door.DS01),
            state=_state(seen),
            image=seen.image,
            image_ref=labels.get(Label.IMAGE, ""),
            created_at=seen.created_at,
            project=labels.get(Label.PROJECT, ""),
            workspace=labels.get(Label.WORKSPACE, ""),
            gpus=gpus.count,
            gpu_profile=gpus.profile or "",
            gpu_memory_bytes=gpus.memory_bytes,
            forced_user=labels.get(Label.FORCED_USER) == "1",
            started_at=seen.started_at,
            stopped_at=None if seen.running else seen.finished_at,
            reason=None if seen.running or not seen.ever_started else StopReason.EXIT,
            reason_detail="" if seen.running or not seen.ever_started else str(seen.exit_code),
            spec=labels.get(Label.SPEC, ""),
            pins=labels.get(Label.PINS, ""),
            on_stop=labels.get(Label.ON_STOP, ""),
            mounts=read_binds(labels.get(Label.BINDS, "")),
        )
    except (KeyError, ValueError):
        return None


def _name(seen: Observed) -> str:
    """The one it has now: it may have been renamed since its labels were written."""
    plain = seen.stored_name.removesuffix(f"._.{seen.labels[Label.OWNER]}")
    return plain if plain != seen.stored_name else seen.labels[Label.NAME]


def _state(seen: Observed) -> ContainerState:
    if seen.paused:
        return ContainerState.PAUSED
    if seen.running:
        return ContainerState.RUNNING
    return ContainerState.STOPPED if seen.ever_started else ContainerState.CREATING


def _lease(books: Books, container: Container, seen: Observed, now: datetime) -> Lease:
    """The lease of a running container: the reserved one it was started with, or one as it must have been."""
    label = LeaseId(seen.labels.get(Label.LEASE, ""))
    known = books.lease(label) if label else None
    if known is not None and known.state.open and known.uid == container.uid:
        active = leases.activate(books, known.id, container.id, now)
        claimed(books, known.id, now, None)
        return active
    slots = read_slots(seen.labels)
    sizes = {slot.id: slot.gpueq for slot in books.slots()}
    lease = Lease(
        id=label if label and known is None else LeaseId(f"lease-{secrets.token_hex(8)}"),
        uid=container.uid,
        epoch=container.epoch,
        slots=slots,
        gpueq=sum((sizes[slot] for slot in slots), Fraction(0)),
        state=LeaseState.ACTIVE,
        granted_at=seen.started_at or now,
        container=container.id,
        name=container.name,
    )
    books.put_lease(lease)
    leases.record(books, EventType.LEASE_RECOVERED, lease, now)
    return lease
