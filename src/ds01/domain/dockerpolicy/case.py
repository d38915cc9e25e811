"""The case a rule judges: who asks, and what a plan collects beside the fields that pass as they are.

A plan is a request after judgement and before the grant: nothing of the client's is in it that no rule kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.verdict import Change


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Who asks, as ds01d knows her."""

    uid: int
    gid: int


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A field that names another container: written with its full id once it is known to be the asker's own."""

    prefix: str
    ref: str
    suffix: str = ""


@dataclass(frozen=True, kw_only=True)
class AskedBind:
    """A folder of the host the user wants in the container. ``create``: make it when it is missing.

    ``mode`` is how it was written as a bind (``-v``): with nothing, ``ro`` or ``rw`` behind it; None for a mount.
    """

    source: str
    target: str
    read_only: bool = False
    create: bool = False
    mode: str | None = None


@dataclass(frozen=True, kw_only=True)
class AskedTmpfs:
    """A file system in memory. ``size_bytes`` 0: not said; ``options`` are the harmless ones, without size.

    ``mount`` says that it was written as one (``--mount``), and is written so again.
    """

    target: str
    size_bytes: int = 0
    options: tuple[str, ...] = ()
    mount: bool = False
    size_text: str = ""
    """The size as it was written, where file systems read it the same way."""


@dataclass(frozen=True, kw_only=True)
class AskedVolume:
    """A volume. Without a name the engine makes one for this container alone.

    ``bind`` says that it was written as one (``-v name:/path``), and is written so again. ``subpath`` is a folder
    in it.
    """

    target: str
    name: str = ""
    read_only: bool = False
    copy: bool = True
    bind: bool = False
    subpath: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AskedSocket:
    """The engine's socket in the container: it gets its owner's own. ``mode`` as with ``AskedBind``."""

    target: str
    read_only: bool = False
    mode: str | None = None


@dataclass(frozen=True, kw_only=True)
class AskedDevice:
    """A device file of the host, by a well-formed path below /dev, and where it is in the container. ``permissions``
    are letters of ``rw``: making nodes is nobody's.
    """

    host: str
    inside: str
    permissions: str


@dataclass(frozen=True, kw_only=True)
class AskedAddress:
    """An address of the server, not its loopback, on which a port is to be published: the binding at this ``place``
    among those of ``port``.
    """

    port: str
    place: int
    address: str


@dataclass(kw_only=True)
class Case:
    """What the rules of one request read and collect."""

    asker: Asker
    image: str = ""
    environment: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    exposed: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    binds: list[AskedBind] = field(default_factory=list)
    tmpfs: list[AskedTmpfs] = field(default_factory=list)
    anonymous: list[str] = field(default_factory=list)
    """Targets of anonymous volumes."""
    volumes: list[AskedVolume] = field(default_factory=list)
    sockets: list[AskedSocket] = field(default_factory=list)
    devices: list[AskedDevice] = field(default_factory=list)
    """Besides GPUs; which of them she may have is ds01d's to say."""
    network: str = ""
    """What the user calls the network she wants; empty for her own."""
    gpus: str = "0"
    gpu_memory_bytes: int = 0
    """The least each of its GPUs must have."""
    cpus: float | None = None
    quota_us: int = 0
    period_us: int = 100_000
    memory_bytes: int | None = None
    memory_reservation_bytes: int = 0
    shm_bytes: int | None = None
    pids: int | None = None
    endless_pids: bool = False
    """No limit was asked for, which is something else than not asking."""
    ports: list[int] = field(default_factory=list)
    """Ports of the host that are named."""
    addresses: list[AskedAddress] = field(default_factory=list)
    """Which of them she may have is ds01d's to say; until then everything is on loopback."""
    publish_all: bool = False
    no_new_privileges: bool = False
    wants_network: bool = True
    wait_seconds: int = 0
    """How long it waits for GPUs when none is free."""
    wait_label: dict[str, str] = field(default_factory=dict)
    """The one label of DS01's that is a wish."""

    @property
    def asked_cpus(self) -> float | None:
        """CPUs asked for, however they were spelled."""
        return self.cpus if self.cpus is not None or not self.quota_us else self.quota_us / self.period_us

    def changed(self, rule: str, text: str, *, told: bool = False) -> None:
        """Remember what a rule changed."""
        self.changes.append(Change(rule=rule, text=text, told=told))


Kept = Json | Joined | list[Joined]
"""What a rule keeps of a field."""


def references(values: Iterable[Kept]) -> tuple[str, ...]:
    """The containers that these values name."""
    each = (item for value in values for item in (value if isinstance(value, list) else [value]))
    return tuple(dict.fromkeys(item.ref for item in each if isinstance(item, Joined)))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A judged create. ``config``, ``host`` and ``endpoints`` hold the fields that were kept, in canonical case."""

    name: str
    config: Mapping[str, Kept]
    host: Mapping[str, Kept]
    endpoints: Mapping[str, Mapping[str, Kept]]
    """By the user's name of the network."""
    case: Case

    @property
    def references(self) -> tuple[str, ...]:
        """The other containers it names."""
        ends = (value for endpoint in self.endpoints.values() for value in endpoint.values())
        return references((*self.config.values(), *self.host.values(), *ends))

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks it names, the one of its mode first."""
        return tuple(dict.fromkeys((self.case.network, *self.endpoints))) if self.case.wants_network else ()
