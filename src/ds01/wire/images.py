"""Images on the wire."""

from __future__ import annotations

from ds01.domain.record import made, record


@record
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
    labels: dict[str, str] = made(factory=dict)
    containers: tuple[str, ...] = ()
    owner: str = ""
    stale: str = ""


@record
class BaseView:
    """One base of the catalogue; ``digest`` is the image id it has now, ``""`` when it is not here yet."""

    name: str
    reference: str
    description: str
    digest: str = ""
    size_bytes: int = 0


@record
class BuildSettings:
    """What every generated image and build gets from the server: its CA bundle and environment."""

    bases: tuple[BaseView, ...]
    ca_pem: str = ""
    environment: dict[str, str] = made(factory=dict)


@record
class RemovedImage:
    """What removing an image removed."""

    reference: str
    removed: tuple[str, ...]
    kept: str = ""
