"""Containers on the wire. Times are ISO 8601 in UTC."""

from __future__ import annotations

from ds01.domain.record import made, record
from ds01.wire.queue import PlaceView


@record
class ContainerView:
    """One container as its owner sees it."""

    name: str
    id: str
    owner: str
    project: str
    image: str
    state: str
    door: str
    created_at: str
    started_at: str | None = None
    stopped_at: str | None = None
    removed_at: str | None = None
    reason: str = ""
    """Why it stopped, in words."""
    gpus: tuple[str, ...] = ()
    """Labels of the leased slots."""
    gpu_count: int = 0
    lease: str = ""
    """reserved, active, held or ``""``."""
    gpu_hold_until: str | None = None
    remove_at: str | None = None
    workspace: str = ""
    stale: str = ""
    """Why its image is not the project's latest; ``""`` when it is."""
    gpu_utilisation: float | None = None
    memory_bytes: int | None = None
    idle_left_seconds: int | None = None
    runtime_left_seconds: int | None = None
    kept_until: str | None = None
    """Until when it may idle, because its owner said so."""
    extended_seconds: int = 0
    """What was added to the time it may run."""


@record
class StatsView:
    """One reading of a running container."""

    name: str
    cpu_percent: float
    memory_bytes: int
    memory_limit_bytes: int
    network_bytes: int
    pids: int
    gpus: tuple[str, ...] = ()
    gpu_utilisation: float | None = None


@record
class PackageView:
    """A package added or upgraded by hand. ``source`` is pip, conda or apt; ``before`` is ``""`` for a new one."""

    name: str
    version: str
    source: str = "pip"
    before: str = ""
    requested: bool = True
    """False for what came along as a dependency."""
    direct: bool = False
    """Installed from a folder or URL: no version an index knows."""
    origin: str = ""
    """Where a direct one came from, as pip takes it; ``""`` is not known."""


@record
class RetirePreview:
    """What retiring would end and lose; nothing has happened yet."""

    container: ContainerView
    processes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """Changed files outside the workspace that would go."""
    files_total: int = 0
    packages: tuple[PackageView, ...] = ()
    workspace: str = ""


@record
class RetireRequest:
    """``rescue``: copy the changed files to ``/workspace/.ds01/rescued/<date>/`` first."""

    rescue: bool = False
    force: bool = False
    """Kill instead of stop."""


@record
class RetireResult:
    """What retiring did."""

    name: str
    freed: tuple[str, ...] = ()
    rescued: str = ""
    packages: tuple[PackageView, ...] = ()
    files_lost: int = 0
    workspace: str = ""
    seconds: float = 0.0


@record
class WhyEntry:
    """One line of a container's story."""

    at: str
    what: str
    detail: str = ""


@record
class WhyView:
    """A container's story, also after it is gone, or before there is one: ``place`` is where it waits for a GPU.

    With ``job`` it is a job's. ``door`` and ``project`` are the container's, as it came to be.
    """

    name: str
    state: str
    reason: str
    summary: str
    entries: tuple[WhyEntry, ...] = ()
    place: PlaceView | None = None
    job: bool = False
    door: str = ""
    project: str = ""


@record
class StopRequest:
    """``grace_seconds`` None: the limit's."""

    grace_seconds: int | None = None


@record
class StartResult:
    """A start; ``recreated`` says the container was made anew on its own writable layer because its GPUs changed."""

    container: ContainerView
    recreated: bool = False
    notes: tuple[str, ...] = made(factory=tuple)
