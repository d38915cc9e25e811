"""A Docker engine in memory: for speed, and for faults no real engine has on demand.

It keeps what the port promises (``tests/contract``): names are unique, a container in the wrong state refuses, an
image in use stays. A container runs until somebody stops it or a test says it dies.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection
from dataclasses import replace
from ipaddress import IPv4Network

from ds01.domain.build_cache import CacheRecord
from ds01.domain.changes import Change
from ds01.domain.confinement import Amounts, Confinement
from ds01.domain.container import Attachment, ContainerId, ContainerSpec, Observed
from ds01.domain.devices import grantable
from ds01.domain.disk import Layer
from ds01.domain.errors import (
    ENGINE_ERROR,
    IMAGE_IN_USE,
    NO_ADDRESSES,
    NO_IMAGE,
    START_FAILED,
    Ds01Error,
)
from ds01.domain.image import Image, ImageId
from ds01.domain.labels import Label
from ds01.ports.engine import (
    ANSWER_SECONDS,
    DiskUse,
    EngineEvent,
    EngineVersion,
    Guarding,
    NetworkSeen,
    NetworkSpec,
    Process,
    Usage,
    VolumeSeen,
)
from ds01.sim.engine_store import KILLED, TERMINATED, EngineStore, Made, away, single_files, wrong_state


class SimEngine(EngineStore):
    """The Engine port over what is held in memory."""

    async def version(self) -> EngineVersion:
        await self._act()
        return EngineVersion(engine=self.release, api="1.41")

    async def ping(self) -> str:
        return (await self.version()).engine

    async def data_root(self) -> str:
        await self._act()
        return self.root

    async def guard(self) -> Guarding | None:
        """Asked once for every engine that comes up, so never slow."""
        await self._act(slow=False)
        return self.guarding

    async def create(self, spec: ContainerSpec) -> ContainerId:
        await self._act(disk=True)
        if self.faults.refuse_create:
            raise Ds01Error(ENGINE_ERROR, "The Docker engine refused.", reason=self.faults.refuse_create)
        self._name_free(spec.name)
        image = self._image(spec.image)
        if image is None:
            raise Ds01Error(NO_IMAGE, "The image is not on this server.", reason=spec.image, hint="ds01 image list")
        container = ContainerId(self._new_id())
        devices = (
            *(device.host for device in spec.attachment.devices),
            *(item for request in spec.attachment.requests for item in request.ids),
        )
        folders = self._make_volumes(image.volumes)
        seen = Observed(
            id=container, stored_name=spec.name, image=image.id, labels={**image.labels, **spec.labels},
            running=False, paused=False, created_at=self._clock.now(), devices=devices,
            memory_limit_bytes=spec.resources.memory_bytes, confinement=_confinement(spec),
            volumes=tuple(folders), volume_folders=folders,
        )  # fmt: skip
        self._made[container] = Made(spec=spec, seen=seen)
        self._made[container].files.update(self.inside.get(image.id, {}))
        self._tell("create", self._made[container])
        return container

    async def start(self, container: ContainerId) -> None:
        await self._act()
        await self._answers(container)
        made = self._get(container)
        if made.seen.running:
            return
        if self.faults.refuse_start:
            raise Ds01Error(START_FAILED, "The container does not start.", reason=self.faults.refuse_start)
        made.seen = replace(
            made.seen, running=True, started_at=self._clock.now(), exit_code=0, oom_killed=False, ever_started=True
        )
        self._tell("start", made)
        if self.faults.die_at_once is not None:
            self.die(container, self.faults.die_at_once)
        self._lose("start")

    async def stop(self, container: ContainerId, grace_seconds: int) -> None:
        await self._act()
        await self._answers(container, grace_seconds + ANSWER_SECONDS)
        self.grace_seconds = grace_seconds
        if self._get(container).spec.name == self.faults.refuse_kill:
            raise Ds01Error(ENGINE_ERROR, "The engine refuses.", reason="it cannot be killed")
        if self._get(container).seen.running:
            self.die(container, KILLED if self.faults.ignores_term else TERMINATED)
        self._lose("stop")

    async def pause(self, container: ContainerId) -> None:
        await self._act()
        await self._answers(container)
        made = self._running(container)
        if made.seen.paused:
            raise wrong_state("already paused")
        made.seen = replace(made.seen, paused=True)
        self._tell("pause", made)

    async def unpause(self, container: ContainerId) -> None:
        await self._act()
        await self._answers(container)
        made = self._running(container)
        if not made.seen.paused:
            raise wrong_state("not paused")
        made.seen = replace(made.seen, paused=False)
        self._tell("unpause", made)

    async def put_back(self, container: ContainerId, amounts: Amounts, *, stays_down: bool) -> None:
        await self._act()
        await self._answers(container)
        made = self._get(container)
        if self.faults.refuse_update:
            raise Ds01Error(ENGINE_ERROR, "The Docker engine refused.", reason=self.faults.refuse_update)
        before = made.seen.confinement or Confinement()
        restart = "no" if stays_down else before.restart
        self.alter(container, replace(before, amounts=amounts, restart=restart))

    async def remove(self, container: ContainerId, *, force: bool = False) -> None:
        await self._act()
        await self._answers(container)
        made = self._made.get(container)
        if made is None:
            return
        if made.seen.running:
            if not force:
                raise wrong_state("running")
            self.die(container, KILLED)
        if self._made.pop(container, None) is not None:
            self._drop_volumes(made)
            self._tell("destroy", made)

    async def rename(self, container: ContainerId, name: str) -> None:
        await self._act()
        await self._answers(container)
        made = self._get(container)
        self._name_free(name)
        made.seen = replace(made.seen, stored_name=name)
        self._tell("rename", made)

    async def inspect(self, container: ContainerId, *, seconds: float = ANSWER_SECONDS) -> Observed | None:
        await self._act()
        await self._answers(container, seconds)
        made = self._made.get(container)
        if made is not None and made.spec.name == self.faults.refuse_inspect:
            raise Ds01Error(ENGINE_ERROR, "The engine refuses.", reason="it cannot be looked at")
        return made.seen if made else None

    async def list(self) -> tuple[Observed, ...]:
        await self._act()
        return tuple(_listed(made.seen) for made in self._made.values())

    async def changes(self, container: ContainerId) -> tuple[Change, ...]:
        await self._act()
        return self._get(container).changes

    async def processes(self, container: ContainerId) -> tuple[Process, ...]:
        await self._act()
        await self._answers(container)
        made = self._get(container)
        if not made.seen.running:
            return ()
        if self.faults.no_ps:
            raise Ds01Error(ENGINE_ERROR, "The Docker engine refused.", reason='exec: "ps": executable file not found')
        user = made.spec.user.partition(":")[0]
        return tuple(Process(pid=4000 + n, user=user, command=what) for n, what in enumerate(made.processes))

    async def execute(
        self, container: ContainerId, command: tuple[str, ...], *, user: str, seconds: float
    ) -> int | None:
        await self._act()
        await self._answers(container)
        made = self._running(container)
        made.ran.append(command)
        return self.faults.exec_code

    async def usage(self, container: ContainerId) -> Usage | None:
        await self._act()
        await self._answers(container)
        made = self._get(container)
        if not made.seen.running:
            return None
        return replace(made.usage, memory_limit_bytes=made.spec.resources.memory_bytes)

    async def read_files(self, container: ContainerId, path: str) -> AsyncGenerator[bytes, None]:
        await self._act()
        self.archived.append(self._get(container))
        yield self._file(container, path)

    async def read_layer(self, container: ContainerId, path: str) -> AsyncGenerator[bytes, None]:
        await self._act()
        yield self._file(container, path)

    async def write_files(self, container: ContainerId, archive: bytes) -> None:
        await self._act(disk=True)
        self.archived.append(self._get(container))
        self._get(container).files.update(single_files(archive))

    async def commit(self, container: ContainerId, reference: str) -> ImageId:
        await self._act(disk=True)
        made = self._get(container)
        return self.add_image(reference, labels={**made.seen.labels, Label.INTERNAL: "1"})

    async def recreate(
        self, container: ContainerId, *, name: str, image: str, attachment: Attachment, labels: dict[str, str]
    ) -> ContainerId:
        made = self._get(container)
        kept = tuple(device for device in made.spec.attachment.devices if grantable(device.host))
        given = replace(attachment, devices=(*attachment.devices, *kept))
        spec = replace(made.spec, name=name, image=image, attachment=given, labels={**made.seen.labels, **labels})
        fresh = await self.create(spec)
        self._share(made, self._get(fresh))
        return fresh

    async def volume_options(self, name: str) -> dict[str, str] | None:
        await self._act()
        return self.mounting.get(name)

    async def image(self, reference: str) -> Image | None:
        await self._act()
        return self._image(reference)

    async def images(self) -> tuple[Image, ...]:
        await self._act()
        return tuple(self._images.values())

    async def layers(self, image: ImageId) -> tuple[Layer, ...]:
        await self._act()
        known = self._images.get(image)
        return (Layer(id=image, size_bytes=known.size_bytes),) if known else ()

    async def disk_use(self) -> DiskUse:
        await self._act()
        return DiskUse(
            containers={id_: made.written_bytes for id_, made in self._made.items()}, volumes=self.volume_use
        )

    async def tag_image(self, image: ImageId, reference: str) -> None:
        await self._act()
        if image not in self._images:
            raise Ds01Error(NO_IMAGE, "The image is not on this server.", reason=image, hint="ds01 image list")
        self.name_image(image, reference)

    async def build_cache(self) -> tuple[CacheRecord, ...]:
        await self._act()
        return tuple(self.cache)

    async def remove_image(self, reference: str) -> None:
        await self._act()
        image = self._image(reference)
        if image is None:
            raise Ds01Error(NO_IMAGE, "The image is not on this server.", reason=reference, hint="ds01 image list")
        left = tuple(name for name in (*image.tags, *image.pins) if name != reference)
        if left and reference != image.id:
            self._images[image.id] = image.called(left)
            return
        if any(made.seen.image == image.id for made in self._made.values()):
            raise Ds01Error(IMAGE_IN_USE, "Containers still use the image.", reason=reference, hint="ds01 list")
        del self._images[image.id]

    async def create_volume(self, name: str, labels: dict[str, str], options: dict[str, str]) -> VolumeSeen:
        await self._act(disk=True)
        return self.volumes_made.setdefault(
            name, VolumeSeen(name=name, labels=dict(labels), folder=f"/volumes/{name}/_data")
        )

    async def volume(self, name: str) -> VolumeSeen | None:
        await self._act()
        return self.volumes_made.get(name)

    async def volumes(self) -> tuple[VolumeSeen, ...]:
        await self._act()
        return tuple(self.volumes_made.values())

    async def having(self, volumes: Collection[str]) -> tuple[ContainerId, ...]:
        await self._act()
        return tuple(id_ for id_, made in self._made.items() if set(volumes) & set(made.seen.volumes))

    async def networks(self, name: str = "") -> tuple[NetworkSeen, ...]:
        await self._act()
        return tuple(each for each in self.networks_made.values() if name in ("", each.name))

    async def create_network(self, spec: NetworkSpec) -> str:
        await self._act(disk=True)
        wanted = IPv4Network(spec.range)
        if any(wanted.overlaps(IPv4Network(each)) for seen in self.networks_made.values() for each in seen.ranges):
            raise Ds01Error(NO_ADDRESSES, "The address range is in use.", reason=spec.range)
        made = NetworkSeen(
            id=self._new_id(), name=spec.name, labels=dict(spec.labels), created_at=self._clock.now(),
            ranges=(spec.range,),
        )  # fmt: skip
        self.networks_made[made.id] = made
        return made.id

    async def remove_network(self, network: str) -> None:
        await self._act()
        self.networks_made.pop(network, None)

    async def events(self, actions: Collection[str]) -> AsyncGenerator[EngineEvent, None]:
        await self._act()
        queue: asyncio.Queue[EngineEvent | None] = asyncio.Queue()
        self._listeners.append(queue)
        try:
            while (event := await queue.get()) is not None:
                if event.action in actions:
                    yield event
        finally:
            self._listeners.remove(queue)
        raise away()

    async def close(self) -> None:
        for queue in self._listeners:
            queue.put_nowait(None)


def _confinement(spec: ContainerSpec) -> Confinement:
    limits = spec.resources
    return Confinement(
        nodes=tuple(device.host for device in spec.attachment.devices),
        gpus=tuple(item for request in spec.attachment.requests for item in request.ids),
        sources=tuple(mount.source for mount in (*spec.mounts, *spec.attachment.mounts)),
        cgroup_parent=spec.cgroup_parent,
        amounts=Amounts(
            cpus=limits.cpus, memory_bytes=limits.memory_bytes, swap_bytes=limits.swap_bytes, pids=limits.pids
        ),
    )


def _listed(seen: Observed) -> Observed:
    """What the engine's list knows of a container."""
    return replace(
        seen, started_at=None, finished_at=None, exit_code=0, oom_killed=False, devices=(),
        auto_remove=False, memory_limit_bytes=0, stop_signal="", confinement=None, volumes=(), volume_folders={},
        ever_started=seen.started_at is not None,
    )  # fmt: skip
