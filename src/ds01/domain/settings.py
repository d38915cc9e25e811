"""What the admin set for the whole server, after reading: the policy, the GPUs, the images, the shared data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Network

from ds01.domain.engine_versions import HolesRule
from ds01.domain.fence import BridgeRule
from ds01.domain.image import BaseImage
from ds01.domain.limits import Policy
from ds01.domain.queue.plan import Rules
from ds01.domain.standing import OutsideRule

POOL = IPv4Network("198.18.0.0/15")
"""Set aside for measuring networks, so that no campus uses it."""

MINIMAL = BaseImage(
    name="minimal",
    reference="ds01/minimal:latest",
    description="Debian and Python, built on this server: needs no registry",
)

CATALOGUE = (
    MINIMAL,
    BaseImage(
        name="pytorch",
        reference="docker.io/pytorch/pytorch:2.5.1-cuda12.4-cudnn9-runtime",
        description="PyTorch with CUDA",
        size_bytes=6 * 1024**3,
        cuda="12.4",
        driver="550",
    ),
    BaseImage(
        name="tensorflow",
        reference="docker.io/tensorflow/tensorflow:2.18.0-gpu",
        description="TensorFlow with CUDA",
        size_bytes=7 * 1024**3,
        cuda="12.5",
        driver="555",
    ),
)
"""The bases that are known without a word of the admin's, each by the tag of one version."""


@dataclass(frozen=True, kw_only=True)
class IdleRule:
    """When a container with a GPU counts as idle: everything below its mark over the whole ``window``.

    Shares are 0 to 1. ``start_grace`` is the time after a start in which nothing counts as idle.
    """

    gpu_below: float = 0.05
    cpu_below: float = 0.02
    network_below_bytes: int = 1024**2
    window: timedelta = timedelta(minutes=10)
    start_grace: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True)
class BusyRule:
    """A busy server (allocated share above ``above``) multiplies idle times by ``idle_times``."""

    above: float = 0.8
    idle_times: float = 0.5


@dataclass(frozen=True, kw_only=True)
class LifecycleRules:
    """How the limits of time are applied, the same for everybody.

    ``keep_alive_max`` is the longest a user may keep a container from being stopped for idling, ``extend_max`` the most
    she may add to the running time of one. ``never_started``: a
    container that was created and not started is removed after this time.
    """

    idle: IdleRule = field(default_factory=IdleRule)
    busy: BusyRule = field(default_factory=BusyRule)
    keep_alive_max: timedelta = timedelta(hours=24)
    extend_max: timedelta = timedelta(hours=24)
    never_started: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True)
class BookingRules:
    """``starts`` is how many containers of one class start at the same time; ``sweep``: those of a class that is over
    are removed.
    """

    starts: int = 4
    sweep: bool = True


@dataclass(frozen=True, kw_only=True)
class KeepRules:
    """How long the ledger remembers what is over. None is for ever."""

    jobs: timedelta | None = timedelta(days=365)
    notices: timedelta | None = timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class MailSettings:
    """``server`` takes mail (``smtp.lab.lan:25``); without one none is sent. ``domain`` makes a login an address.

    ``security`` is none, starttls or tls; ``ca`` is a PEM file whose certificates count besides the system's. ``user``
    logs in with the password in the first line of ``password_file``.
    """

    server: str = ""
    sender: str = ""
    domain: str = ""
    security: str = "none"
    user: str = ""
    password_file: str = ""
    ca: str = ""

    def address_of(self, login: str) -> str:
        """Where somebody gets mail who said nothing of it; ``""`` when that cannot be known."""
        if not self.domain:
            return ""
        return login if "@" in login else f"{login}@{self.domain}"


@dataclass(frozen=True, kw_only=True)
class EnergySettings:
    """``co2`` is what the server's power costs the air, in grams for a kilowatt-hour; None is not known."""

    co2: float | None = None


@dataclass(frozen=True, kw_only=True)
class NoticeSettings:
    """How people can be told besides their terminals. ``webhooks`` are the hosts their messages may go to."""

    mail: MailSettings = field(default_factory=MailSettings)
    webhooks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GpuSettings:
    """``source``: auto, nvml or simulated. ``simulated`` lists GPUs as ``a100-40gb`` or ``a100-40gb: 3g.20gb …``.

    ``attach``: auto, cdi, nvidia or simulated.
    """

    source: str = "auto"
    simulated: tuple[str, ...] = ("a100-40gb",) * 4
    attach: str = "auto"


@dataclass(frozen=True, kw_only=True)
class ImageSettings:
    """``ca`` is a PEM file trusted by every generated image and build; ``build_env`` their environment.

    ``registries`` are host names users may pull from; ``protected`` are patterns of tags nobody may write.
    """

    bases: tuple[BaseImage, ...] = CATALOGUE
    ca: str = ""
    build_env: Mapping[str, str] = field(default_factory=dict)
    registries: tuple[str, ...] = ("docker.io",)
    protected: tuple[str, ...] = ("ds01/*",)


class RootRule(StrEnum):
    """When a container without folders of the host may run as root.

    Root in a container that gets hold of an open folder of the host, which a user with a shell can hand in, is root on
    the host. ``guarded``: where the guard behind the engine keeps users out of such containers. ``allowed``: always,
    for servers without shells.
    """

    GUARDED = "guarded"
    ALLOWED = "allowed"
    DENIED = "denied"


@dataclass(frozen=True, kw_only=True)
class DockerSettings:
    """Containers that users make through plain Docker. ``root_rule``: whether anything in them may run as root.

    ``networks`` is the pool that the ranges of all networks of users come from; ``host_ports`` are those of this host
    that their containers may reach. ``default_bridge`` is the rule of the engine's own, where steps of builds are;
    ``known_holes`` that of runc and NVIDIA's toolkit. ``outside_rule`` is for containers that root made beside DS01,
    ``outside_allowed`` are patterns of names of those that are never touched. Until ``observe_until`` the gateway
    refuses nobody what it only would refuse.
    """

    root_rule: RootRule = RootRule.GUARDED
    networks: IPv4Network = POOL
    host_ports: tuple[int, ...] = (53,)
    default_bridge: BridgeRule = BridgeRule.CLOSED
    known_holes: HolesRule = HolesRule.TOLD
    outside_rule: OutsideRule = OutsideRule.TOLD
    outside_allowed: tuple[str, ...] = ()
    observe_until: datetime | None = None

    def observing(self, now: datetime) -> bool:
        """Whether the gateway only watches."""
        return self.observe_until is not None and now < self.observe_until


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A whole limits file. ``shares`` are folders of shared data, mounted read-only by whoever may read them.

    ``source`` is the file, or ``built-in`` when there is none.
    """

    policy: Policy = field(default_factory=Policy)
    lifecycle: LifecycleRules = field(default_factory=LifecycleRules)
    queue: Rules = field(default_factory=Rules)
    bookings: BookingRules = field(default_factory=BookingRules)
    keep: KeepRules = field(default_factory=KeepRules)
    gpus: GpuSettings = field(default_factory=GpuSettings)
    images: ImageSettings = field(default_factory=ImageSettings)
    docker: DockerSettings = field(default_factory=DockerSettings)
    notices: NoticeSettings = field(default_factory=NoticeSettings)
    energy: EnergySettings = field(default_factory=EnergySettings)
    shares: tuple[str, ...] = ()
    source: str = "built-in"
