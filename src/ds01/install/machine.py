"""What a server is like, as far as installing DS01 depends on it. ``look`` fills it in; tests write it down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Running:
    """A container that runs. ``ours``: DS01 made it, for ``owner``. ``asks_engine``: it has the engine's socket."""

    name: str
    ours: bool = False
    owner: str = ""
    asks_engine: bool = False


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The Docker engine that answers on ``socket``.

    ``options`` is its command line without the program, ``path`` the ``PATH`` of its process. ``live_restore``:
    containers go on while it restarts.
    """

    socket: str
    version: str
    data_root: str
    default_runtime: str = "runc"
    options: tuple[str, ...] = ()
    path: str = ""
    live_restore: bool = False
    containers: tuple[Running, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Found:
    """What is at a path: a file's text, or where a link leads. A folder has neither."""

    text: str = ""
    link: str = ""
    folder: bool = False
    mode: int = 0o644


@dataclass(frozen=True, kw_only=True)
class Package:
    """Where DS01's own programs are, and the texts of the guard that belong to this installation, by path.

    ``closed`` is a folder of it that other accounts cannot enter, ``loose`` one that others than root may write to.
    """

    bin: str
    version: str
    closed: str = ""
    loose: str = ""
    guard: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The server. ``units`` are the units systemd knows of those asked for, ``active`` and ``enabled`` of DS01's own.

    ``docker_users`` are the people in the group docker; ``gpus`` the models of NVIDIA cards, ``cards`` how many are
    plugged in, with a driver or without. ``runc_loose`` is what others than root may change of where runc is.
    """

    root: bool
    systemd: bool
    package: Package
    engine: Engine | None
    now: datetime
    cpus: int
    memory_bytes: int
    dockerd: bool = True
    runc: str = "/usr/sbin/runc"
    runc_loose: str = ""
    units: frozenset[str] = frozenset()
    active: frozenset[str] = frozenset()
    enabled: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    docker_users: tuple[str, ...] = ()
    gpus: tuple[str, ...] = ()
    cards: int = 0
    first_facts: str = ""
    """What the guard would know at first, as ``server.json`` has it."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the admin said. ``observe_days`` None: as the machine suggests. ``outside``: None leaves it as it is.

    ``programs`` are the names of the command line, ``completions`` the scripts for shells by name.
    """

    programs: tuple[str, ...] = ("ds01",)
    completions: Mapping[str, str] = field(default_factory=dict)
    observe_days: int | None = None
    outside: str | None = None
