"""Containers: what they are, how they came to be, and why they stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from ds01.domain.confinement import Confinement
from ds01.domain.doors import BY_DOCKER
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.health import UNSAID, Health
from ds01.domain.lease import LeaseId
from ds01.domain.people import Uid

ContainerId = NewType("ContainerId", str)
"""The engine's full id, 64 hex digits."""


class Door(StrEnum):
    """How a container came to be; limits may differ by it."""

    DS01 = "ds01"
    DOCKER = "docker"
    COMPOSE = "compose"
    DEVCONTAINER = "devcontainer"
    JOB = "job"

    @property
    def docker(self) -> bool:
        """Whether one of Docker's own clients made it."""
        return self in BY_DOCKER


class ContainerState(StrEnum):
    """What the user sees. ``creating`` exists only between grant and start."""

    CREATING = "creating"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    REMOVED = "removed"
    QUARANTINED = "quarantined"


class StopReason(StrEnum):
    """Why a container stopped; ``exit`` carries the code, ``admin`` the name, in the detail."""

    USER = "user"
    RETIRED = "retired"
    IDLE = "idle"
    RUNTIME = "runtime"
    GPU_HOLD = "gpu_hold"
    OOM = "oom"
    EXIT = "exit"
    ADMIN = "admin"
    ENGINE = "engine"
    HOST_RESTART = "host_restart"
    PREEMPTED = "preempted"
    BOOKING = "booking"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, kw_only=True)
class Mount:
    """One bind mount of a container. ``source`` is what the engine mounts (a pinned path), ``shown`` what the
    user asked for.
    """

    source: str
    target: str
    read_only: bool = False
    shown: str = ""


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container in the ledger.

    ``name`` is the user's; the engine stores ``<name>._.<uid>``. ``spec`` is the hash of the image's recipe at
    create time. ``forced_user`` says that everything in it runs as its owner; empty where it may run as anybody.
    """

    id: ContainerId
    uid: Uid
    epoch: int
    name: str
    door: Door
    state: ContainerState
    image: str
    """The image's id (``sha256:…``)."""
    image_ref: str
    """The image's name as the user wrote it."""
    created_at: datetime
    project: str = ""
    workspace: str = ""
    lease: LeaseId | None = None
    gpus: int = 0
    """Slots the container asks for each time it starts."""
    gpu_profile: str = ""
    gpu_memory_bytes: int = 0
    """What each of its slots has at least."""
    forced_user: bool = False
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    removed_at: datetime | None = None
    reason: StopReason | None = None
    reason_detail: str = ""
    spec: str = ""
    pins: str = ""
    """The host's key of its pinned folders (``Host.pin``)."""
    ports: tuple[int, ...] = ()
    """Ports of the host it publishes on, as its user named them."""
    published: int = 0
    """How many ports of its own it publishes, on whatever port of the host."""
    mounts: tuple[Mount, ...] = ()
    """Its bind mounts of the user's folders in the order they were pinned: number n is ``…/<pins>/<n>``."""
    ran: timedelta = timedelta(0)
    """How long it ran before its present start; a restart does not take it back."""
    extended: timedelta = timedelta(0)
    """What its owner added to the time it may run."""
    kept_until: datetime | None = None
    """Until when its owner's word keeps it from being stopped for idling."""
    on_stop: str = ""
    """A command of the project file that runs in it when it is stopped, within the grace."""

    @property
    def gpu_ask(self) -> GpuAsk:
        """What it asks for each time it starts."""
        return GpuAsk(count=self.gpus, profile=self.gpu_profile or None, memory_bytes=self.gpu_memory_bytes)


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device node given to a container."""

    host: str
    inside: str
    permissions: str = "rwm"


@dataclass(frozen=True, kw_only=True)
class DeviceRequest:
    """GPUs asked of the engine by UUID: driver ``nvidia``, or ``cdi`` with CDI names."""

    driver: str
    ids: tuple[str, ...]
    capabilities: tuple[str, ...] = ("gpu",)


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """How leased slots get into a container: nodes, requests, environment and files."""

    devices: tuple[Device, ...] = ()
    requests: tuple[DeviceRequest, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The engine-side limits of one container; 0 is no value here, every field is set."""

    cpus: float
    memory_bytes: int
    swap_bytes: int
    shm_bytes: int
    pids: int


@dataclass(frozen=True, kw_only=True)
class ContainerSpec:
    """The full and final configuration of a container DS01 creates itself: no update afterwards."""

    name: str
    """The engine's name."""
    image: str
    """Image id."""
    command: tuple[str, ...]
    user: str
    """``uid:gid``."""
    hostname: str
    working_dir: str
    environment: dict[str, str]
    labels: dict[str, str]
    mounts: tuple[Mount, ...]
    attachment: Attachment
    resources: Resources
    cgroup_parent: str
    network: str
    stop_grace_seconds: int
    group_add: tuple[int, ...] = ()
    health: Health = UNSAID
    """What its image says of it."""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """A container as the engine shows it now. ``exit_code`` and ``oom_killed`` count when it has stopped."""

    id: ContainerId
    stored_name: str
    image: str
    labels: dict[str, str]
    running: bool
    paused: bool
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int = 0
    oom_killed: bool = False
    devices: tuple[str, ...] = ()
    """Host device paths and requested device ids, to compare with the lease."""
    volume_folders: Mapping[str, str] = field(default_factory=dict)
    """Where each of its volumes is on the host, by its name; known after an inspect."""
    mounted: tuple[str, ...] = ()
    """Where something is mounted inside; known after an inspect."""
    volumes: tuple[str, ...] = ()
    """Names of the volumes it mounts; known after an inspect."""
    ever_started: bool = False
    auto_remove: bool = False
    """Whether the engine removes it with its end (``docker run --rm``); known after an inspect."""
    memory_limit_bytes: int = 0
    stop_signal: str = ""
    """The signal that a stop sends it, if not the usual one; known after an inspect."""
    confinement: Confinement | None = None
    """The walls around it; known after an inspect."""
