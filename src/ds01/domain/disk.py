"""What a user's images, containers, volumes and build cache take of the disk, and whether there is room for more.

Images share layers. A layer is paid for by those who brought an image with it, in equal parts; what is in an image of
the server's own costs nobody anything. So the parts of all add up to what is there, and nobody pays for the base
everybody builds on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ds01.domain.dockerpolicy.weight import LABELS_TOGETHER
from ds01.domain.errors import DISK_QUOTA, IMAGE_QUOTA, Ds01Error
from ds01.domain.limits import Limits
from ds01.domain.quantity import show_size

STEPS = 10
"""Steps of the engine's own builder that count as one image: it keeps each, and looks at each for every list."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer of an image. ``id`` is the same wherever the same layers lie under it.

    ``step``: no layer of its own but a step of its build, which the engine keeps as an image.
    """

    id: str
    size_bytes: int
    step: bool = False


@dataclass(frozen=True, kw_only=True)
class Held:
    """An image with its owners, as ``uid:epoch``; ``common`` is one of the server's own.

    ``called`` has what each of them calls it, where it has a name she may use; ``named`` how many names each wrote.
    ``labels_bytes`` is how long its labels are.
    """

    owners: frozenset[str]
    common: bool
    layers: tuple[Layer, ...]
    called: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, int] = field(default_factory=dict)
    labels_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class Use:
    """What one user takes. ``largest`` is her largest image, for advice; ``images`` is how many she has, each once for
    every name she wrote, and ``labels_bytes`` how long the labels of all are.
    """

    images_bytes: int = 0
    containers_bytes: int = 0
    volumes_bytes: int = 0
    cache_bytes: int = 0
    largest: str = ""
    images: int = 0
    labels_bytes: int = 0

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return self.images_bytes + self.containers_bytes + self.volumes_bytes + self.cache_bytes

    @property
    def parts(self) -> str:
        """In words."""
        cache = f", build cache {show_size(self.cache_bytes)}" if self.cache_bytes else ""
        return (
            f"images {show_size(self.images_bytes)}, containers {show_size(self.containers_bytes)}, "
            f"volumes {show_size(self.volumes_bytes)}{cache}"
        )


def shares(images: Iterable[Held]) -> dict[str, int]:
    """What each account pays for images, in bytes."""
    sizes: dict[str, int] = {}
    payers: dict[str, set[str]] = {}
    free: set[str] = set()
    for image in images:
        for layer in image.layers:
            sizes[layer.id] = layer.size_bytes
            payers.setdefault(layer.id, set()).update(image.owners)
            if image.common:
                free.add(layer.id)
    found: dict[str, int] = {}
    for layer_id, accounts in payers.items():
        for account in accounts if layer_id not in free else ():
            found[account] = found.get(account, 0) + -(-sizes[layer_id] // len(accounts))
    return found


def counts(images: Iterable[Held], listed: Iterable[str] = ()) -> dict[str, tuple[int, int]]:
    """How many images each account has, and how long their labels are together. ``listed`` are images by themselves,
    whoever builds on them.
    """
    many: Counter[str] = Counter()
    long: Counter[str] = Counter()
    steps: dict[str, set[str]] = {}
    free: set[str] = set(listed)
    for image in images:
        made = {layer.id for layer in image.layers if layer.step}
        if image.common:
            free |= made
        for account in image.owners | image.named.keys() if not image.common else image.named.keys():
            many[account] += max(1, image.named.get(account, 0))
            long[account] += image.labels_bytes
            steps.setdefault(account, set()).update(made)
    return {account: (many[account] + len(steps[account] - free) // STEPS, long[account]) for account in many}


def check_images(use: Use, limits: Limits, more: int) -> None:
    """Raises Ds01Error (``image.quota``) when so many more images, or names of some, would be too many."""
    limit, hint = limits.images, "docker image prune -a"
    if limit is not None and use.images + more > limit:
        source = limits.sources["images"].source
        this = f", and this would be {more} more" if more > 1 and use.images < limit else ""
        raise Ds01Error(
            IMAGE_QUOTA, f"You have {use.images} of {limit} images{this}.",
            reason=f"One with several names counts once for each, {STEPS} steps of builds without BuildKit as one. "
            f"The limit of {limit} comes from {source}.", hint=hint,
        )  # fmt: skip
    if use.labels_bytes > LABELS_TOGETHER:
        raise Ds01Error(
            IMAGE_QUOTA, f"The labels of your images are longer than {show_size(LABELS_TOGETHER)} together.",
            reason="The engine lists all of them to everybody.", hint=hint,
        )  # fmt: skip


def largest(images: Iterable[Held], account: str) -> str:
    """The largest image of an account, with its size."""
    mine = [image for image in images if account in image.owners and not image.common and account in image.called]
    if not mine:
        return ""
    found = max(mine, key=lambda image: sum(layer.size_bytes for layer in image.layers))
    return f"{found.called[account]} ({show_size(sum(layer.size_bytes for layer in found.layers))})"


def room(use: Use, most_bytes: int | None, *, more_bytes: int = 0) -> int | None:
    """How much more may come; None is no limit. Raises Ds01Error (``disk.quota``)."""
    if most_bytes is None:
        return None
    left = most_bytes - use.total_bytes
    if left <= 0 or more_bytes > left:
        raise full(use, most_bytes, more_bytes)
    return left


def full(use: Use, most_bytes: int, more_bytes: int = 0) -> Ds01Error:
    """There is no room."""
    used, most = show_size(use.total_bytes), show_size(most_bytes)
    what = f"Your images, containers and volumes use {used} of the {most} you may have"
    more = f", and this needs {show_size(more_bytes)} more" if more_bytes and use.total_bytes < most_bytes else ""
    biggest = f" The largest image is {use.largest}." if use.largest else ""
    hint = "docker builder prune -a" if use.cache_bytes > use.images_bytes else "docker image prune -a"
    return Ds01Error(DISK_QUOTA, f"{what}{more}.", reason=f"I{use.parts[1:]}.{biggest}", hint=hint)
