"""A Docker engine in memory: for speed, and for faults no real engine has on demand.

It keeps what the port promises (``tests/contract``): names are unique, a container in the wrong state refuses, an
image in use stays. A container runs until somebody stops it or a test says it dies.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace

from ds01.domain.changes import Change
from ds01.domain.container import Attachment, ContainerId, ContainerSpec, Label, Observed
from ds01.domain.errors import (
    DISK_FULL,
    ENGINE_DOWN,
    ENGINE_ERROR,
    IMAGE_IN_USE,
    NAME_TAKEN,
    NO_CONTAINER,
    NO_IMAGE,
    START_FAILED,
    WRONG_STATE,
    Ds01Error,
)
from ds01.domain.image import Image, ImageId, with_tag
from ds01.ports.clock import Clock
from ds01.ports.engine import EngineEvent, EngineVersion, Process, Usage

KILLED = 137
TERMINATED = 143
_IDLE = Usage(cpu_seconds=0.0, memory_bytes=8 << 20, memory_limit_bytes=0, network_bytes=0, pids=2)


@dataclass(kw_only=True)
class EngineFaults:
    """What goes wrong next. ``slow_seconds`` delays every act by the clock; ``full`` refuses what needs disk;
    after ``away_after`` more acts the engine goes away; ``no_ps``: the server has no ``ps`` to list programs with.
    """

    away: bool = False
    away_after: int | None = None
    refuse_create: str = ""
    refuse_start: str = ""
    die_at_once: int | None = None
    full: bool = False
    slow_seconds: float = 0.0
    no_ps: bool = False


@dataclass(kw_only=True)
class _Made:
    """A container of the simulation: what was asked, what is, and what a test put into it."""

    spec: ContainerSpec
    seen: Observed
    changes: tuple[Change, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    processes: tuple[str, ...] = ("/sbin/docker-init", "session")
    usage: Usage = _IDLE


class SimEngine:
    """The simulated engine. The methods below the port's are a test's hands."""

    def __init__(self, clock: Clock) -> None:
        self.faults = EngineFaults()
        self.networks: dict[str, dict[str, str]] = {}
        self.grace_seconds: int | None = None
        """The grace of the latest stop."""
        self._clock = clock
        self._made: dict[ContainerId, _Made] = {}
        self._images: dict[ImageId, Image] = {}
        self._listeners: list[asyncio.Queue[EngineEvent | None]] = []
        self._count = 0

    # The port --------------------------------------------------------------------------------------

    async def version(self) -> EngineVersion:
        await self._act()
        return EngineVersion(engine="simulated", api="1.41")

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
        seen = Observed(
            id=container, stored_name=spec.name, image=image.id, labels={**image.labels, **spec.labels},
            running=False, paused=False, created_at=self._clock.now(), devices=devices,
            memory_limit_bytes=spec.resources.memory_bytes,
        )  # fmt: skip
        self._made[container] = _Made(spec=spec, seen=seen)
        self._tell("create", self._made[container])
        return container

    async def start(self, container: ContainerId) -> None:
        await self._act()
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

    async def stop(self, container: ContainerId, grace_seconds: int) -> None:
        await self._act()
        self.grace_seconds = grace_seconds
        if self._get(container).seen.running:
            self.die(container, TERMINATED)

    async def pause(self, container: ContainerId) -> None:
        await self._act()
        made = self._running(container)
        if made.seen.paused:
            raise _wrong_state("already paused")
        made.seen = replace(made.seen, paused=True)
        self._tell("pause", made)

    async def unpause(self, container: ContainerId) -> None:
        await self._act()
        made = self._running(container)
        if not made.seen.paused:
            raise _wrong_state("not paused")
        made.seen = replace(made.seen, paused=False)
        self._tell("unpause", made)

    async def remove(self, container: ContainerId, *, force: bool = False) -> None:
        await self._act()
        made = self._made.get(container)
        if made is None:
            return
        if made.seen.running:
            if not force:
                raise _wrong_state("running")
            self.die(container, KILLED)
        del self._made[container]
        self._tell("destroy", made)

    async def rename(self, container: ContainerId, name: str) -> None:
        await self._act()
        made = self._get(container)
        self._name_free(name)
        made.seen = replace(made.seen, stored_name=name)
        self._tell("rename", made)

    async def inspect(self, container: ContainerId) -> Observed | None:
        await self._act()
        made = self._made.get(container)
        return made.seen if made else None

    async def list(self) -> tuple[Observed, ...]:
        await self._act()
        return tuple(_listed(made.seen) for made in self._made.values())

    async def changes(self, container: ContainerId) -> tuple[Change, ...]:
        await self._act()
        return self._get(container).changes

    async def processes(self, container: ContainerId) -> tuple[Process, ...]:
        await self._act()
        made = self._get(container)
        if not made.seen.running:
            return ()
        if self.faults.no_ps:
            raise Ds01Error(ENGINE_ERROR, "The Docker engine refused.", reason='exec: "ps": executable file not found')
        user = made.spec.user.partition(":")[0]
        return tuple(Process(pid=4000 + n, user=user, command=what) for n, what in enumerate(made.processes))

    async def usage(self, container: ContainerId) -> Usage | None:
        await self._act()
        made = self._get(container)
        if not made.seen.running:
            return None
        return replace(made.usage, memory_limit_bytes=made.spec.resources.memory_bytes)

    async def read_files(self, container: ContainerId, path: str) -> AsyncGenerator[bytes, None]:
        await self._act()
        made = self._get(container)
        if path not in made.files:
            raise Ds01Error(ENGINE_ERROR, "The Docker engine refused.", reason=f"no such file {path}")
        yield made.files[path]

    async def commit(self, container: ContainerId, reference: str) -> ImageId:
        await self._act(disk=True)
        made = self._get(container)
        return self.add_image(reference, labels={**made.seen.labels, Label.INTERNAL: "1"})

    async def recreate(
        self, container: ContainerId, *, name: str, image: str, attachment: Attachment, labels: dict[str, str]
    ) -> ContainerId:
        made = self._get(container)
        spec = replace(
            made.spec, name=name, image=image, attachment=attachment, labels={**made.seen.labels, **labels}
        )  # fmt: skip
        fresh = await self.create(spec)
        self._get(fresh).files = dict(made.files)
        return fresh

    async def image(self, reference: str) -> Image | None:
        await self._act()
        return self._image(reference)

    async def images(self) -> tuple[Image, ...]:
        await self._act()
        return tuple(self._images.values())

    async def remove_image(self, reference: str) -> None:
        await self._act()
        image = self._image(reference)
        if image is None:
            raise Ds01Error(NO_IMAGE, "The image is not on this server.", reason=reference, hint="ds01 image list")
        left = tuple(tag for tag in image.tags if tag != reference)
        if left and reference != image.id:
            self._images[image.id] = replace(image, tags=left)
            return
        if any(made.seen.image == image.id for made in self._made.values()):
            raise Ds01Error(IMAGE_IN_USE, "Containers still use the image.", reason=reference, hint="ds01 list")
        del self._images[image.id]

    async def ensure_network(self, name: str, labels: dict[str, str]) -> None:
        await self._act()
        self.networks.setdefault(name, dict(labels))

    async def events(self) -> AsyncGenerator[EngineEvent, None]:
        await self._act()
        queue: asyncio.Queue[EngineEvent | None] = asyncio.Queue()
        self._listeners.append(queue)
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._listeners.remove(queue)
        raise _away()

    async def close(self) -> None:
        for queue in self._listeners:
            queue.put_nowait(None)

    # A test's hands --------------------------------------------------------------------------------

    def add_image(self, reference: str, *, labels: dict[str, str] | None = None, size_bytes: int = 1 << 20) -> ImageId:
        """Put an image there, or move the name to a new one."""
        for image in list(self._images.values()):
            if reference in image.tags:
                self._images[image.id] = replace(image, tags=tuple(tag for tag in image.tags if tag != reference))
        made = ImageId("sha256:" + self._new_id())
        self._images[made] = Image(
            id=made, tags=(reference,), created_at=self._clock.now(), size_bytes=size_bytes, labels=labels or {}
        )
        return made

    def die(self, container: ContainerId, code: int, *, oom: bool = False) -> None:
        """A container ends by itself."""
        made = self._get(container)
        made.seen = replace(
            made.seen, running=False, paused=False, finished_at=self._clock.now(), exit_code=code, oom_killed=oom
        )
        if oom:
            self._tell("oom", made)
        self._tell("die", made)

    def vanish(self, container: ContainerId) -> None:
        """A container is removed without a word, as by somebody with the engine's own socket while nobody listens."""
        del self._made[container]

    def write_layer(self, container: ContainerId, changes: tuple[Change, ...], files: dict[str, bytes]) -> None:
        """What the user changed inside: the layer's changes, and tar archives by path."""
        made = self._get(container)
        made.changes, made.files = changes, {**made.files, **files}

    def go_away(self) -> None:
        """The engine stops answering; its containers go on."""
        self.faults.away = True
        for queue in self._listeners:
            queue.put_nowait(None)

    def come_back(self, *, restarted: bool = False) -> None:
        """It answers again; ``restarted`` without live-restore has killed every container."""
        self.faults.away = False
        if restarted:
            for container, made in self._made.items():
                if made.seen.running:
                    self.die(container, KILLED)

    def spec(self, container: ContainerId) -> ContainerSpec:
        """What was asked for at create."""
        return self._get(container).spec

    # Inside ----------------------------------------------------------------------------------------

    async def _act(self, *, disk: bool = False) -> None:
        if self.faults.slow_seconds:
            await self._clock.sleep(self.faults.slow_seconds)
        else:
            await asyncio.sleep(0)
        self._count_down()
        if self.faults.away:
            raise _away()
        if disk and self.faults.full:
            raise Ds01Error(DISK_FULL, "The server's disk is full.", reason="no space left on device")

    def _count_down(self) -> None:
        left = self.faults.away_after
        if left is not None:
            self.faults.away_after = left - 1 if left else None
            if not left:
                self.go_away()

    def _get(self, container: ContainerId) -> _Made:
        made = self._made.get(container)
        if made is None:
            raise Ds01Error(NO_CONTAINER, "The container is gone from the engine.", hint="ds01 list")
        return made

    def _running(self, container: ContainerId) -> _Made:
        made = self._get(container)
        if not made.seen.running:
            raise _wrong_state("not running")
        return made

    def _name_free(self, name: str) -> None:
        if any(made.seen.stored_name == name for made in self._made.values()):
            raise Ds01Error(NAME_TAKEN, "A container of this name exists already.", reason=name, hint="ds01 list")

    def _image(self, reference: str) -> Image | None:
        known = self._images.get(ImageId(reference))
        return known or next((image for image in self._images.values() if with_tag(reference) in image.tags), None)

    def _new_id(self) -> str:
        self._count += 1
        return hashlib.sha256(f"{self._count}".encode()).hexdigest()

    def _tell(self, action: str, made: _Made) -> None:
        event = EngineEvent(
            kind="container", action=action, id=made.seen.id, at=self._clock.now(), attributes=dict(made.seen.labels)
        )
        for queue in self._listeners:
            queue.put_nowait(event)


def _listed(seen: Observed) -> Observed:
    """What the engine's list knows of a container."""
    return replace(
        seen, started_at=None, finished_at=None, exit_code=0, oom_killed=False, devices=(),
        memory_limit_bytes=0,
        ever_started=seen.started_at is not None,
    )  # fmt: skip


def _wrong_state(reason: str) -> Ds01Error:
    return Ds01Error(WRONG_STATE, "The container is in another state.", reason=f"it is {reason}", hint="ds01 list")


def _away() -> Ds01Error:
    return Ds01Error(
        ENGINE_DOWN,
        "The Docker engine does not answer; running containers are not affected by DS01 waiting for it.",
        reason="the simulated engine is away",
        hint="systemctl status docker",
    )
