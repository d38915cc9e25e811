"""What the gateway asks ds01d. Only the gateway's account and root may.

The gateway parses and polices the request; ds01d owns every fact: whose a container is, what its owner may have,
which slots are granted, which folder is pinned where.
"""

from __future__ import annotations

from enum import StrEnum

from ds01.domain.image_access import Access
from ds01.domain.record import made, record
from ds01.wire.holdings import DoorNetwork, DoorVolume, DoorVolumeAsk

GATEWAY_HEADER = "ds01-gateway"
"""A header of every ``/_ping`` by which the gateway is told from an engine; in lower case."""


@record
class DoorUser:
    """An identity and its policy, as the gateway needs it for every request of a connection."""

    uid: int
    gid: int
    login: str
    admin: bool
    epoch: int = 0
    registries: tuple[str, ...] = ()
    """The registries the engine may talk to for her."""
    observed: bool = False
    """Whether what she would be refused is only written down."""
    glass: str = ""
    """Of an admin who may go past the gateway now: the reason she gave."""

    @property
    def account(self) -> str:
        """Uid and epoch: who this really is."""
        return f"{self.uid}:{self.epoch}"


@record
class DoorContainer:
    """Who owns a container. ``name`` is what its owner calls it; ``image_ref`` what she asked for."""

    id: str
    uid: int
    name: str
    stored_name: str
    image_ref: str = ""
    force_user: str = ""
    """``uid:gid`` when everything in it must run as its owner, else ``""``."""
    binds: dict[str, str] = made(factory=dict)
    """Staged source to the path the user wrote, to write responses back."""
    epoch: int = 0
    """Of the owner's account when it was made: a uid that changed hands inherits nothing."""


@record
class DoorImage:
    """Who may see an image: ``owners`` are accounts as ``uid:epoch``, ``refs`` its names with their readers."""

    id: str
    owners: tuple[str, ...] = ()
    refs: dict[str, str] = made(factory=dict)

    @property
    def access(self) -> Access:
        """The same, as the rules see it."""
        return Access(owners=frozenset(self.owners), readers=self.refs)


@record
class DoorUpdate:
    """One line of the registry stream: something is now so, or gone. ``ready`` ends the first snapshot.

    ``closed`` is a container that was put out of service: nothing goes on in it. ``people`` says that who somebody is
    may have changed.
    """

    container: DoorContainer | None = None
    image: DoorImage | None = None
    volume: DoorVolume | None = None
    network: DoorNetwork | None = None
    gone: str = ""
    closed: str = ""
    people: bool = False
    ready: bool = False

    @property
    def id(self) -> str:
        """Of what it is about."""
        about = self.container or self.image or self.volume or self.network
        return about.id if about is not None else self.gone or self.closed


@record
class DoorBind:
    """A bind mount a user asked for. ``create``: make a missing folder (docker ``-v``)."""

    source: str
    target: str
    read_only: bool = False
    create: bool = False


@record
class DoorDevice:
    """A device file a user asked for, besides GPUs: ``host`` is a well-formed path below /dev."""

    host: str
    inside: str
    permissions: str


@record
class DoorCreate:
    """A create that passed the gateway's policy. ``image`` is as the user wrote it; resources None: not asked."""

    uid: int
    name: str
    image: str
    door: str
    image_id: str = ""
    user: str = ""
    """Who it should run as, as asked."""
    gpus: str = "0"
    """As ``--gpus`` takes it, or ``all``: as many as one container of this user may have."""
    gpu_memory_bytes: int = 0
    """The least memory each of them must have."""
    binds: tuple[DoorBind, ...] = ()
    devices: tuple[DoorDevice, ...] = ()
    ports: tuple[int, ...] = ()
    """Of the host, that it wants to publish on."""
    published: int = 0
    """How many of its own it publishes, on these or any."""
    volumes: tuple[DoorVolumeAsk, ...] = ()
    """The named ones."""
    anonymous: int = 0
    """How many the engine will make that nobody named."""
    joins: tuple[str, ...] = ()
    """Full ids of the other containers it shares something with."""
    cpus: float | None = None
    memory_bytes: int | None = None
    shm_bytes: int | None = None
    pids: int | None = None
    wait_seconds: int = 0
    """How long it waits in the queue for GPUs; a gateway that hangs up meanwhile gives the place up."""


@record
class StagedBind:
    """A pinned bind: mount ``staged`` at ``target``."""

    staged: str
    target: str
    read_only: bool


@record
class GrantedDevice:
    """A device node to give."""

    host: str
    inside: str
    permissions: str = "rwm"


@record
class GrantedRequest:
    """A device request to send the engine."""

    driver: str
    ids: tuple[str, ...]
    capabilities: tuple[str, ...] = ("gpu",)


@record
class DoorGrant:
    """What ds01d adds to a create. ``ticket`` must be committed or aborted; it expires by itself.

    ``force_user`` is ``uid:gid`` when everything in the container must run as its owner, else ``""``.
    """

    ticket: str
    stored_name: str
    labels: dict[str, str]
    cgroup_parent: str
    network: str
    cpus: float
    memory_bytes: int
    swap_bytes: int
    shm_bytes: int
    pids: int
    stop_grace_seconds: int
    force_user: str = ""
    binds: tuple[StagedBind, ...] = ()
    devices: tuple[GrantedDevice, ...] = ()
    requests: tuple[GrantedRequest, ...] = ()
    environment: dict[str, str] = made(factory=dict)
    mounts: tuple[StagedBind, ...] = ()
    own_network: DoorNetwork | None = None
    moved: tuple[int, ...] = ()
    """Ports of the host that others have: the engine chooses free ones instead."""
    publish: tuple[str, ...] = ()
    """Addresses of the server on which her ports may be published, besides loopback."""
    volumes: dict[str, str] = made(factory=dict)
    """The engine's name of each volume that was asked for, by the user's name for it."""
    notes: tuple[str, ...] = ()
    """What the user should know of the grant, in sentences."""


@record
class DoorCommit:
    """The engine made the container: remember whose it is."""

    ticket: str
    id: str


@record
class DoorMade:
    """A container that is recorded, with the volumes the engine made for it."""

    container: DoorContainer
    volumes: tuple[DoorVolume, ...] = ()


@record
class DoorTicket:
    """A ticket by itself: what it was for is over, well or not; the address says which."""

    ticket: str


@record
class DoorStart:
    """May this container start? Its GPU is leased again and its binds are made again.

    ``ending_seconds`` is how long the engine may take before that for what runs in it to end: it is restarted.
    """

    uid: int
    id: str
    ending_seconds: int = 0


@record
class DoorStarting:
    """It may start. The ticket is committed when it has, aborted when the engine refused."""

    ticket: str
    container: DoorContainer


@record
class DoorRename:
    """A container gets another name."""

    uid: int
    id: str
    name: str


@record
class DoorAmounts:
    """What a container may use. Asked, None: not mentioned; 0 or less: as much as there may be."""

    uid: int
    id: str
    cpus: float | None = None
    memory_bytes: int | None = None
    pids: int | None = None


@record
class DoorAmountsGrant:
    """What it gets of what was asked for; the limits of what was not. ``devices``: it has GPUs, or others."""

    cpus: float
    memory_bytes: int
    swap_bytes: int
    pids: int
    devices: bool


class GoneBy(StrEnum):
    """How an owner ends a container, or its run, through the gateway."""

    STOP = "stop"
    KILL = "kill"
    RESTART = "restart"
    REMOVED = "removed"


@record
class DoorGone:
    """The owner stops a container (told before the engine acts) or has removed it (told after). ``signal`` is the one
    of a kill, as she wrote it; empty for the engine's own.
    """

    uid: int
    id: str
    what: GoneBy
    signal: str = ""


@record
class DoorBuild:
    """A build that passed the gateway's policy, and the tags it wants to write."""

    uid: int
    refs: tuple[str, ...]
    memory_bytes: int = 0
    buildkit: bool = False
    """Whether BuildKit builds it, whose steps need a guard of their own."""


@record
class DoorHeld:
    """A reservation of image names, as ds01d made it: the gateway says it again for as long as the writing goes on, to
    a ds01d that was started since as well. Names are the engine's; ``aside`` has uids.
    """

    ticket: str
    uid: int
    epoch: int
    refs: tuple[str, ...] = ()
    before: dict[str, str] = made(factory=dict)
    own: dict[str, str] = made(factory=dict)
    aside: dict[str, int] = made(factory=dict)
    pins: tuple[str, ...] = ()
    pulling: bool = False
    private: bool = False
    kit: bool = False


@record
class DoorBuildGrant:
    """What ds01d adds to a build. Its tags are reserved until the ticket is committed or expires."""

    ticket: str
    labels: dict[str, str]
    cgroup_parent: str
    network: str
    cpu_period_us: int
    cpu_quota_us: int
    memory_bytes: int
    swap_bytes: int
    shm_bytes: int
    step_host: str = ""
    """A host name that every step of a BuildKit build must have: its guard knows by it whose the step is."""
    names: dict[str, str] = made(factory=dict)
    """The engine's name of each tag that is written in the user's own name space, by her name for it."""
    images: dict[str, str] = made(factory=dict)
    """What BuildKit may build from: by her name for it, the engine's name of exactly the image it means now."""
    held: DoorHeld | None = None


@record
class DoorEngine:
    """What ds01d knows of the engine and the server.

    ``buildkit``: whether the steps of BuildKit's builds are guarded; ``gpus``: whether there are any to lease.
    """

    buildkit: bool
    gpus: bool


class Writing(StrEnum):
    """How a user writes image names."""

    BUILD = "build"
    TAG = "tag"
    PULL = "pull"
    LOAD = "load"
    IMPORT = "import"
    COMMIT = "commit"


@record
class DoorWrite:
    """May these names be written? ``image`` is what they will name, if known; ``private``: with a password."""

    uid: int
    what: Writing
    refs: tuple[str, ...]
    image: str = ""
    private: bool = False
    container: str = ""
    """The container that is committed."""
    nameless: tuple[str, ...] = ()
    """Ids of images that come without one of these names."""


@record
class DoorWriteGrant:
    """They may. ``labels`` say whose the image is, where it can have labels; ``left_bytes`` None: no limit; ``names``
    has the engine's name of each that is written in the user's own name space, by her name for it.
    """

    ticket: str
    labels: dict[str, str] = made(factory=dict)
    left_bytes: int | None = None
    names: dict[str, str] = made(factory=dict)
    held: DoorHeld | None = None
    left_images: int | None = None
    """Of a whole repository, how many images may come besides those she ``has``; None: no limit."""
    has: tuple[str, ...] = ()
    """The digests of its images that she has."""


@record
class DoorRoom:
    """How much more a user's images and containers may take; None is no limit."""

    left_bytes: int | None = None


@record
class DoorCache:
    """The records of BuildKit's cache that are one user's. ``unseen`` are hers to remove, and not to be shown: somebody
    else may have made them.
    """

    ids: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


@record
class DoorWritten:
    """The writing is over. ``done``: the engine said so; ``images`` are the ids it says it made.

    ``asked`` is what was granted, with the engine's names, for a ds01d that was started again meanwhile.
    """

    ticket: str
    asked: DoorWrite
    done: bool
    images: tuple[str, ...] = ()


@record
class DoorRemoval:
    """May this image be removed? ``ref`` is one of its names, or empty: all of it."""

    uid: int
    image: str
    ref: str = ""
    force: bool = False


@record
class DoorRemovalPlan:
    """What to remove from the engine, and what to tell the user besides: names and ids that are hers no more."""

    targets: tuple[str, ...] = ()
    untagged: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()


@record
class DoorRemoved:
    """The engine has removed what it could."""

    uid: int
    image: str
    refs: tuple[str, ...] = ()


@record
class DoorAudit:
    """One decision of the gateway, for the record."""

    uid: int
    method: str
    path: str
    subject: str
    outcome: str
    rule: str
    reason: str = ""
    changes: tuple[str, ...] = ()
    advice: str = ""
    """What to do instead, in a sentence."""
    login_uid: int | None = None
    """Who logged in to the session that asked, where the kernel knows it."""
