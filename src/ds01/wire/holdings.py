"""Volumes and networks, and copies of what is in them, as they cross between the gateway and ds01d."""

from __future__ import annotations

from enum import StrEnum

from ds01.domain.record import made, record
from ds01.wire.errors import ErrorView


@record
class DoorVolume:
    """Who owns a volume. ``id`` is the engine's name, ``name`` what its owner calls it."""

    id: str
    uid: int
    name: str
    epoch: int = 0
    anonymous: bool = False


@record
class DoorNetwork:
    """Who owns a network. ``name`` is what its owner calls it, ``bridge`` her own one; ``stored`` the engine's name."""

    id: str
    uid: int
    name: str
    stored: str
    epoch: int = 0


@record
class DoorVolumeAsk:
    """A volume a user wants to have: made when it is not there."""

    uid: int
    name: str
    labels: dict[str, str] = made(factory=dict)
    options: dict[str, str] = made(factory=dict)


@record
class DoorNetworkAsk:
    """A network a user wants to make. An empty ``range``: DS01 chooses one."""

    uid: int
    name: str
    labels: dict[str, str] = made(factory=dict)
    range: str = ""
    gateway: str = ""
    ip_range: str = ""
    reserved: dict[str, str] = made(factory=dict)
    internal: bool = False
    options: dict[str, str] = made(factory=dict)


class Kind(StrEnum):
    """What can be removed beside containers and images."""

    VOLUME = "volume"
    NETWORK = "network"


@record
class DoorDropped:
    """The engine has removed these of a user's, by their ids."""

    uid: int
    kind: Kind
    ids: tuple[str, ...]


@record
class DoorCopy:
    """The gateway is about to copy files of a container."""

    id: str


@record
class DoorCopying:
    """Why it may not. Without an error it may, for as long as it listens and ds01d does not hang up."""

    error: ErrorView | None = None
