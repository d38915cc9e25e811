"""Images on the wire."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class ImageView:
    """One image of a user. ``stale`` needs the project file and is filled in by the command line."""

    id: str
    reference: str
    project: str
    tags: tuple[str, ...]
    created_at: str
    size_bytes: int
    spec: str = ""
    base: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    containers: tuple[str, ...] = ()
    owner: str = ""
    stale: str = ""


@dataclass(frozen=True, kw_only=True)
class BaseView:
    """One base of the catalogue; ``digest`` is the image id it has now, ``""`` when it is not here yet."""

    name: str
    reference: str
    description: str
    digest: str = ""
    size_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class BuildSettings:
    """What every generated image and build gets from the server: its CA bundle and environment."""

    bases: tuple[BaseView, ...]
    ca_pem: str = ""
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RemovedImage:
    """What removing an image removed."""

    reference: str
    removed: tuple[str, ...]
    kept: str = ""
