"""The Docker engine, in our words. Foreign errors stop at the adapter: every method raises Ds01Error."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ds01.domain.build_cache import CacheRecord
from ds01.domain.changes import Change
from ds01.domain.confinement import Amounts
from ds01.domain.container import Attachment, ContainerId, ContainerSpec, Observed
from ds01.domain.disk import Layer
from ds01.domain.image import Image, ImageId

ANSWER_SECONDS = 60.0
"""How long the engine may take for one thing."""
LOOK_SECONDS = 10.0
"""How long it may take where somebody only looks and looks again later."""


@dataclass(frozen=True, kw_only=True)
class EngineVersion:
    """What runs: ``engine`` such as ``20.10.24``, ``api`` such as ``1.41``."""

    engine: str
    api: str
    cgroup_driver: str = "cgroupfs"
    """``cgroupfs`` or ``systemd``: how a container's cgroup parent is written."""
    runc: str = ""
    """The version of the runc it knows of; empty when it does not say."""
    cdi_folders: tuple[str, ...] = ()
    """Where it reads CDI specifications; none when it does not take CDI devices."""


@dataclass(frozen=True, kw_only=True)
class Guarding:
    """ds01-runc is the engine's default runtime. ``folder`` is the guard's own, ``data_root`` the engine's."""

    folder: str
    data_root: str


@dataclass(frozen=True, kw_only=True)
class EngineEvent:
    """Something that happened to the container ``id``: ``action`` is start, die, oom, destroy, …"""

    action: str
    id: str
    at: datetime
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DiskUse:
    """What containers wrote into their own layers, and what is in volumes, by the engine's names."""

    containers: dict[ContainerId, int] = field(default_factory=dict)
    volumes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process in a container, as the host sees it."""

    pid: int
    user: str
    command: str


@dataclass(frozen=True, kw_only=True)
class Usage:
    """One reading of a container: CPU in seconds since its start, memory and network in bytes."""

    cpu_seconds: float
    memory_bytes: int
    memory_limit_bytes: int
    network_bytes: int
    pids: int


@dataclass(frozen=True, kw_only=True)
class VolumeSeen:
    """A volume as the engine shows it. ``folder`` is where its files are on the host."""

    name: str
    labels: dict[str, str]
    folder: str


@dataclass(frozen=True, kw_only=True)
class NetworkSeen:
    """A network as the engine shows it, with its address ranges. ``default_bridge`` is the interface of the one that
    containers are on which name none, and empty for every other.
    """

    id: str
    name: str
    labels: dict[str, str]
    created_at: datetime
    ranges: tuple[str, ...] = ()
    default_bridge: str = ""


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """A bridge network to make. Ports are published on loopback, whatever ``options`` say."""

    name: str
    labels: dict[str, str]
    range: str
    gateway: str = ""
    ip_range: str = ""
    reserved: dict[str, str] = field(default_factory=dict)
    """Addresses the engine may not hand out, by a name for each."""
    internal: bool = False
    options: dict[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """The engine. Ids are full ids; ``list`` shows all containers, running or not, of anybody.

    ``list`` is one cheap call: what it shows has no devices, no exit code, no times but the creation's; ``inspect``
    has. Acting twice is fine: starting what runs, stopping what is stopped, removing what is gone.

    While the engine is at work on a container, or somebody reads its files, it may answer nothing about it: that is the
    container's own failure (``container.silent``) and says nothing of the others.
    """

    async def version(self) -> EngineVersion: ...
    async def ping(self) -> str:
        """The version of the engine that answers, as it was when it came up: cheap. ``version`` has it looked up."""
        ...

    async def data_root(self) -> str:
        """The folder in which it keeps images, containers and volumes."""
        ...

    async def guard(self) -> Guarding | None:
        """The guard behind this engine; None when containers start without one."""
        ...

    async def create(self, spec: ContainerSpec) -> ContainerId: ...
    async def start(self, container: ContainerId) -> None: ...
    async def stop(self, container: ContainerId, grace_seconds: int) -> None: ...
    async def pause(self, container: ContainerId) -> None: ...
    async def unpause(self, container: ContainerId) -> None: ...
    async def put_back(self, container: ContainerId, amounts: Amounts, *, stays_down: bool) -> None:
        """Set what a container may use, running or not. ``stays_down``: the engine does not start it again by itself.

        Raises Ds01Error when it uses more already than it may.
        """
        ...

    async def remove(self, container: ContainerId, *, force: bool = False) -> None: ...
    async def rename(self, container: ContainerId, name: str) -> None: ...
    async def inspect(self, container: ContainerId, *, seconds: float = ANSWER_SECONDS) -> Observed | None:
        """One container, None when there is none; ``seconds`` is how long it may take."""
        ...

    async def list(self) -> tuple[Observed, ...]: ...
    async def changes(self, container: ContainerId) -> tuple[Change, ...]: ...
    async def processes(self, container: ContainerId) -> tuple[Process, ...]: ...
    async def execute(
        self, container: ContainerId, command: tuple[str, ...], *, user: str, seconds: float
    ) -> int | None:
        """Run a command in a running container as ``uid:gid`` and wait for it: its exit code, None when it still runs
        after ``seconds``. It is not ended then: a stop will.
        """
        ...

    async def usage(self, container: ContainerId) -> Usage | None: ...
    def read_files(self, container: ContainerId, path: str) -> AsyncGenerator[bytes, None]:
        """A path of the container as a tar archive, in pieces. An engine that can be led astray mounts all that the
        container has meanwhile: not for what has something of its owner's (``services/looking``).
        """
        ...

    def read_layer(self, container: ContainerId, path: str) -> AsyncGenerator[bytes, None]:
        """A path of its writable layer as a tar archive, in pieces: nothing is mounted for it, and no link followed.
        Raises Ds01Error where that cannot be had.
        """
        ...

    async def write_files(self, container: ContainerId, archive: bytes) -> None:
        """Put what is in a tar archive into a container, below its root. What is said of ``read_files`` holds here."""
        ...

    async def commit(self, container: ContainerId, reference: str) -> ImageId:
        """Keep a writable layer as an internal image, to recreate a container on its own layer."""
        ...

    async def recreate(
        self, container: ContainerId, *, name: str, image: str, attachment: Attachment, labels: dict[str, str]
    ) -> ContainerId:
        """Create another container with the configuration of this one, but with another name, image and GPUs.

        ``attachment`` replaces all GPUs and device requests, and leaves the devices that an admin may allow; its
        environment, its mounts and ``labels`` win over what the container has. Its volumes are shared with it.
        """
        ...

    async def volume_options(self, name: str) -> dict[str, str] | None:
        """What the local driver was told to mount for this volume; None when there is none, or of another driver."""
        ...

    async def image(self, reference: str) -> Image | None: ...
    async def images(self) -> tuple[Image, ...]: ...
    async def tag_image(self, image: ImageId, reference: str) -> None:
        """Give an image one more name, whatever had that name before."""
        ...

    async def remove_image(self, reference: str) -> None: ...
    async def layers(self, image: ImageId) -> tuple[Layer, ...]:
        """The layers of an image, from the ground up; none when it is gone."""
        ...

    async def disk_use(self) -> DiskUse:
        """Measure containers and volumes. Slow: every file is looked at."""
        ...

    async def build_cache(self) -> tuple[CacheRecord, ...]:
        """What BuildKit keeps of builds, whoever's."""
        ...

    async def create_volume(self, name: str, labels: dict[str, str], options: dict[str, str]) -> VolumeSeen:
        """A volume of the local driver. One of this name that is there already is returned as it is."""
        ...

    async def volume(self, name: str) -> VolumeSeen | None: ...
    async def volumes(self) -> tuple[VolumeSeen, ...]: ...
    async def having(self, volumes: Collection[str]) -> tuple[ContainerId, ...]:
        """All containers with one of these volumes, running or not."""
        ...

    async def networks(self, name: str = "") -> tuple[NetworkSeen, ...]:
        """All networks, or those of this name, the oldest first: the engine allows several of one name."""
        ...

    async def create_network(self, spec: NetworkSpec) -> str:
        """Its id. Raises Ds01Error (``network.addresses``) when its range overlaps another network's."""
        ...

    async def remove_network(self, network: str) -> None:
        """Remove one that nothing is on; one that is gone or in use is left."""
        ...

    def events(self, actions: Collection[str]) -> AsyncGenerator[EngineEvent, None]:
        """What happens to containers as it happens, of these actions, until the engine goes away (then Ds01Error)."""
        ...

    async def close(self) -> None: ...
