"""A container's full and final configuration, put together from who asks, what for, and what was granted.

Everything a container will ever have is decided here, before it is created: there is no update afterwards, so a
container never runs for a moment with less confinement than it should have.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ds01.domain.caches import CACHES
from ds01.domain.confinement import Amounts, amounts_label
from ds01.domain.container import Attachment, ContainerSpec, Door, Mount, Resources
from ds01.domain.gpu import NONE_VISIBLE, VISIBLE, SlotId, asks_for_devices
from ds01.domain.image import Image
from ds01.domain.labels import SCHEMA_VERSION, Label
from ds01.domain.lease import Lease
from ds01.domain.limits import Limits
from ds01.domain.names import stored_container
from ds01.domain.people import User

Number = TypeVar("Number", int, float)

WORKSPACE = "/workspace"
SESSION = "/run/ds01/session"
"""The main process of every container one works in; see ``adapters/host/session.sh``."""
JOB = "/run/ds01/job"
"""The main process of a job's container; see ``adapters/host/job.sh``."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is wanted: a container of ``image`` called ``name``, with the folders that were pinned for it.

    ``workspace`` is the path its owner knows; ``mounts`` are in the order they were pinned under the key ``pins``.
    With a ``command`` it is a job's, told what it is by the variables ``job``.
    """

    name: str
    image: Image
    image_ref: str
    project: str = ""
    workspace: str = ""
    door: Door = Door.DS01
    gpus: int = 0
    gpu_profile: str = ""
    gpu_memory_bytes: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    pins: str = ""
    forced_user: bool = False
    on_stop: str = ""
    command: tuple[str, ...] = ()
    job: Mapping[str, str] = field(default_factory=dict)


def assemble(
    order: Order, *, user: User, epoch: int, limits: Limits, lease: Lease | None, attachment: Attachment,
    cgroup_parent: str, lib: str, cpus: int,
) -> ContainerSpec:  # fmt: skip
    """The configuration. ``lib`` is the folder with DS01's own files for containers; ``cpus`` what the machine has."""
    main = JOB if order.command else SESSION
    program = Mount(source=f"{lib}/{main.rpartition('/')[2]}", target=main, read_only=True)
    given = resources(limits, cpus)
    return ContainerSpec(
        name=stored_container(order.name, user.uid),
        image=order.image.id,
        command=(main, *order.command),
        user=f"{user.uid}:{user.gid}",
        hostname=order.name,
        working_dir=WORKSPACE if order.workspace else "/",
        environment=_environment(order, user),
        labels=labels(order, user=user, epoch=epoch, lease=lease, given=amounts(given)),
        mounts=(program, *order.mounts),
        attachment=attachment,
        resources=given,
        cgroup_parent=cgroup_parent,
        network=user.network,
        stop_grace_seconds=int(limits.stop_grace.total_seconds()),
        health=order.image.health,
    )


def resources(limits: Limits, cpus: int) -> Resources:
    """The engine-side limits of one container. More cores than the machine has the engine would refuse."""
    return Resources(
        cpus=min(limits.cpus, float(cpus)),
        memory_bytes=limits.memory_bytes,
        swap_bytes=limits.swap_bytes,
        shm_bytes=limits.shm_bytes,
        pids=limits.pids,
    )


def at_most(asked: Number | None, most: Number) -> Number:
    """What is given of one amount that was asked for. None and what is no amount, which to the engine is no limit, are
    as much as there may be.
    """
    return min(asked, most) if asked is not None and asked > 0 else most


def amounts(given: Resources) -> Amounts:
    """What of the limits an update could change."""
    return Amounts(
        cpus=given.cpus, memory_bytes=given.memory_bytes, swap_bytes=given.swap_bytes, pids=given.pids
    )  # fmt: skip


def labels(order: Order, *, user: User, epoch: int, lease: Lease | None, given: Amounts) -> dict[str, str]:
    """Enough to rebuild the live state when the ledger is lost. The image's own DS01 labels are overwritten."""
    return {
        Label.SCHEMA: SCHEMA_VERSION,
        Label.OWNER: str(user.uid),
        Label.EPOCH: str(epoch),
        Label.NAME: order.name,
        Label.PROJECT: order.project,
        Label.WORKSPACE: order.workspace,
        Label.DOOR: order.door.value,
        Label.IMAGE: order.image_ref,
        Label.SPEC: order.image.labels.get(Label.SPEC, ""),
        Label.GPUS: order.gpu_profile or str(order.gpus),
        Label.GPU_MEMORY: str(order.gpu_memory_bytes or ""),
        Label.FORCED_USER: str(int(order.forced_user)),
        Label.PINS: order.pins,
        Label.ON_STOP: order.on_stop,
        Label.BINDS: binds_label(order.mounts),
        Label.AMOUNTS: amounts_label(given),
        **lease_labels(lease),
    }


def lease_labels(lease: Lease | None) -> dict[str, str]:
    """The labels that say which slots a container has."""
    return {
        Label.LEASE: lease.id if lease else "",
        Label.SLOTS: ",".join(lease.slots) if lease else "",
    }


def read_slots(labels: Mapping[str, str]) -> tuple[SlotId, ...]:
    """The slots a container was created with: its device list is theirs."""
    return tuple(SlotId(slot) for slot in labels.get(Label.SLOTS, "").split(",") if slot)


def binds_label(mounts: Sequence[Mount]) -> str:
    """The mounts of the user's folders as label text."""
    return json.dumps([[m.source, m.target, "ro" if m.read_only else "rw", m.shown] for m in mounts])


def read_binds(text: str) -> tuple[Mount, ...]:
    """The mounts a label tells of; a label that cannot be read tells of none."""
    try:
        rows = json.loads(text or "[]")
        return tuple(
            Mount(source=str(source), target=str(target), read_only=mode != "rw", shown=str(shown))
            for source, target, mode, shown in rows
        )
    except (ValueError, TypeError):
        return ()


def _environment(order: Order, user: User) -> dict[str, str]:
    """Who one is and where caches go; what the user sets herself wins, but for the GPUs: a lease says which."""
    return {
        "HOME": f"/home/{user.name_inside}",
        "USER": user.name_inside,
        "LOGNAME": user.name_inside,
        **(CACHES if order.workspace else {}),
        "DS01_CONTAINER": order.name,
        "DS01_PROJECT": order.project,
        **{name: value for name, value in order.environment.items() if not asks_for_devices(name)},
        **order.job,
        VISIBLE: NONE_VISIBLE,
    }
