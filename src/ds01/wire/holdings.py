"""Volumes and networks, as they cross between the gateway and ds01d."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class DoorVolume:
    """Who owns a volume. ``id`` is the engine's name, ``name`` what its owner calls it."""

    id: str
    uid: int
    name: str
    epoch: int = 0
    anonymous: bool = False


@dataclass(frozen=True, kw_only=True)
class DoorNetwork:
    """Who owns a network. ``name`` is what its owner calls it, ``bridge`` her own one; ``stored`` the engine's name."""

    id: str
    uid: int
    name: str
    stored: str
    epoch: int = 0


@dataclass(frozen=True, kw_only=True)
class DoorVolumeAsk:
    """A volume a user wants to have: made when it is not there."""

    uid: int
    name: str
    labels: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DoorNetworkAsk:
    """A network a user wants to make. An empty ``range``: DS01 chooses one."""

    uid: int
    name: str
    labels: dict[str, str] = field(default_factory=dict)
    range: str = ""
    gateway: str = ""
    ip_range: str = ""
    reserved: dict[str, str] = field(default_factory=dict)
    internal: bool = False
    options: dict[str, str] = field(default_factory=dict)


class Kind(StrEnum):
    """What can be removed beside containers and images."""

    VOLUME = "volume"
    NETWORK = "network"


@dataclass(frozen=True, kw_only=True)
class DoorDropped:
    """The engine has removed these of a user's, by their ids."""

    uid: int
    kind: Kind
    ids: tuple[str, ...]
