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
    """One base of the catalogue; ``digest`` is the image id it has now, ``""`` when it is not here yet.

    ``size_bytes`` is what it takes, or will, by the admin's word. ``driver`` is the oldest NVIDIA driver it runs with.
    """

    name: str
    reference: str
    description: str
    digest: str = ""
    size_bytes: int = 0
    cuda: str = ""
    driver: str = ""
    pinned: str = ""
    """What the registry calls the image that is here, ``repository@sha256:…``; ``""`` when that is not known."""

    @property
    def here(self) -> bool:
        """Whether it can be built on without a registry."""
        return bool(self.digest)


@record
class BuildSettings:
    """What every generated image and build gets from the server: its CA bundle and environment.

    ``ca_sha256`` is the bundle's hash, by which an image is known to be behind; ``ca_pem`` is the bundle itself, ``""``
    for who only asks about that.
    ``buildkit``: BuildKit may build here, which keeps what a step fetched for the next build.
    """

    bases: tuple[BaseView, ...]
    ca_pem: str = ""
    ca_sha256: str = ""
    environment: dict[str, str] = made(factory=dict)
    buildkit: bool = False


@record
class RemovedImage:
    """What removing an image removed."""

    reference: str
    removed: tuple[str, ...]
    kept: str = ""


@record
class InstalledView:
    """A package in an image. ``source`` is python, conda or debian."""

    name: str
    version: str
    source: str = "python"


@record
class LayerView:
    """A layer of an image: what it is for, and what it takes."""

    title: str
    size_bytes: int


@record
class ImageContents:
    """What is in an image, besides what ds01d knows of it. ``builds`` counts those of its project."""

    image: ImageView
    packages: tuple[InstalledView, ...] = ()
    layers: tuple[LayerView, ...] = ()
    builds: int = 1


@record
class PackageChange:
    """A package that differs between two builds; ``""`` where it is not there."""

    name: str
    source: str
    before: str = ""
    after: str = ""


@record
class BuildDifference:
    """What changed from one build to another."""

    before: str
    after: str
    changes: tuple[PackageChange, ...] = ()


@record
class RollbackView:
    """A project's image put back to an earlier build. ``containers`` keep the build they were made from."""

    project: str
    before: str
    after: str
    edits: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()


@record
class PrefetchView:
    """One base that was fetched; ``problem`` is why it was not."""

    name: str
    reference: str
    problem: str = ""
