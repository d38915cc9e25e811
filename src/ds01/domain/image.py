"""Images: permanent blueprints. An image is stale when its recipe or its base has moved on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import NewType

from ds01.domain.health import UNSAID, Health
from ds01.domain.labels import Label
from ds01.domain.own_images import is_pin
from ds01.domain.people import Uid
from ds01.domain.record import record, replace

ImageId = NewType("ImageId", str)
"""``sha256:…``."""

REFERENCE_LENGTH = 512
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:[:/@+][A-Za-z0-9_][A-Za-z0-9._-]*)*")


def is_reference(text: str) -> bool:
    """Whether ``text`` can name an image. What cannot is never put into an address of the engine: no ``..``."""
    return len(text) <= REFERENCE_LENGTH and _REFERENCE.fullmatch(text) is not None


def with_tag(reference: str) -> str:
    """A reference with its tag: ``latest`` when none is said. Ids and digests stay as they are."""
    last = reference.rpartition("/")[2]
    return reference if ":" in last or "@" in last else f"{reference}:latest"


def short(reference: str) -> str:
    """A name as the engine keeps it: the usual registry and its library stay unsaid."""
    return reference.removeprefix("docker.io/").removeprefix("library/")


def is_protected(ref: str, patterns: Iterable[str]) -> bool:
    """Whether a tag is the server's: no user writes it, everybody may use it. Patterns name tags or repositories."""
    names = (ref, ref.rpartition(":")[0])
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def repository(ref: str) -> str:
    """A reference without its tag or digest."""
    return ref.partition("@")[0] if "@" in ref else ref.rpartition(":")[0]


EVERY_TAG = ":*"
"""Ends a reference that means every tag of a repository: what a pull of all tags may write."""


def covers(written: Iterable[str], ref: str) -> bool:
    """Whether one of the references in ``written`` may write ``ref``, or the other way round."""
    repo = repository(ref)
    return any(
        each == ref or (EVERY_TAG in (each[-2:], ref[-2:]) and repository(each) == repo) for each in written
    )  # fmt: skip


@record
class Image:
    """An image as the engine shows it. ``digests`` are its names in registries, as ``repository@sha256:…``."""

    id: ImageId
    tags: tuple[str, ...]
    created_at: datetime
    size_bytes: int
    labels: dict[str, str]
    digests: tuple[str, ...] = ()
    pins: tuple[str, ...] = ()
    """Names it has for builds that go on."""
    health: Health = UNSAID
    """Known of an image that was inspected."""
    volumes: int = 0
    """At how many places it wants volumes; known of an image that was inspected."""
    heavy: str = ""
    """Why it may not stay when a user brings it; known of an image that was inspected."""

    def called(self, names: Iterable[str]) -> Image:
        """The same image with these names, of whatever kind."""
        names = tuple(names)
        return replace(self, tags=tuple(n for n in names if not is_pin(n)), pins=tuple(n for n in names if is_pin(n)))

    def is_from(self, ref: str) -> bool:
        """Whether a registry has it under this name. An engine that calls images by their digests gives one to what
        was built, too: that says nothing.
        """
        digests = (digest.partition("@") for digest in self.digests)
        return any(name == repository(ref) and digest != self.id for name, _, digest in digests)


def in_registry(image: Image, ref: str) -> str:
    """The name by digest that a registry gave what is called ``ref`` here; ``""`` when none is known."""
    repo = repository(with_tag(short(ref)))
    named = ((each, *each.partition("@")[::2]) for each in image.digests)
    return next((each for each, name, digest in named if name == repo and digest != image.id), "")


class Provenance(StrEnum):
    """How a tag came to be: written by a user or by the admin, pulled, or pulled with somebody's password."""

    USER = "user"
    ADMIN = "admin"
    REGISTRY = "registry"
    PRIVATE = "private"


@record
class Tag:
    """Who may write a name. ``ref`` is a tag, or a digest that was pulled; ``owner`` is None unless a user wrote it."""

    ref: str
    image: ImageId
    provenance: Provenance
    owner: Uid | None

    def makes_owner(self, image: Image) -> Uid | None:
        """Who owns ``image`` by this tag. A tag that names another image than it did when it was written proves
        nothing, unless its owner built that one too, and it was not pulled.
        """
        built = image.labels.get(Label.OWNER) == str(self.owner) and not image.is_from(self.ref)
        return self.owner if self.owner is None or self.image == image.id or built else None


@record
class Ownership:
    """Somebody brought an image to this server: built, pulled, loaded, imported or committed it.

    It is hers as well then, under whatever name, and counts on her disk. Several may have brought the same one.
    """

    image: ImageId
    uid: Uid
    epoch: int
    at: datetime


@record
class BaseImage:
    """An entry of the catalogue of bases. ``digest`` pins it; ``driver`` is the oldest NVIDIA driver it runs with."""

    name: str
    reference: str
    description: str
    python: str = "python3"
    size_bytes: int = 0
    cuda: str = ""
    digest: str = ""
    driver: str = ""


UNBUILT = "the project has no image yet"
"""Why an image is built that is not there."""


def stale_reason(image: Image, spec: str, base_digest: str) -> str:
    """Why an image is not what the project file says now; ``""`` when it is."""
    if spec and image.labels.get(Label.SPEC, "") != spec:
        return "the project file changed since the image was built"
    if base_digest and image.labels.get(Label.BASE, "") != base_digest:
        return "its base image was updated"
    return ""
