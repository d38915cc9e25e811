"""What ds01d last said of who owns what."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from itertools import count

from ds01.wire.door import DoorContainer, DoorImage, DoorUpdate
from ds01.wire.holdings import DoorNetwork, DoorVolume

Owned = DoorContainer | DoorImage | DoorVolume | DoorNetwork

_STANDS = count()
REMEMBERED = 512
"""How many that are gone are remembered: the engine tells of a removal when it is over."""


@dataclass(kw_only=True)
class Mirror:
    """Everything by its id, networks by the engine's name as well; ``gone`` is what was there a moment ago."""

    containers: dict[str, DoorContainer] = field(default_factory=dict)
    images: dict[str, DoorImage] = field(default_factory=dict)
    volumes: dict[str, DoorVolume] = field(default_factory=dict)
    networks: dict[str, DoorNetwork] = field(default_factory=dict)
    stored: dict[str, DoorNetwork] = field(default_factory=dict)
    gone: OrderedDict[str, Owned] = field(default_factory=OrderedDict)
    stand: int = field(default_factory=lambda: next(_STANDS))
    """Of volumes and networks; no two mirrors have the same."""
    container_stand: int = field(default_factory=lambda: next(_STANDS))
    """The same, of containers."""
    image_stand: int = field(default_factory=lambda: next(_STANDS))
    """The same, of images."""

    def apply(self, update: DoorUpdate) -> None:
        """Take in one line of the stream."""
        for found in (update.container, update.image, update.volume, update.network):
            if found is not None:
                self.put(found)
        for gone in filter(None, (update.gone, update.closed)):
            self.drop(gone)

    def put(self, found: Owned) -> None:
        """It is so now."""
        self._moved(found)
        match found:
            case DoorContainer():
                self.containers[found.id] = found
            case DoorImage():
                self.images[found.id] = found
            case DoorVolume():
                self.volumes[found.id] = found
            case DoorNetwork():
                other = self.stored.get(found.stored)
                if other is not None and other.id != found.id:
                    self.drop(other.id)  # it was removed behind our back, and made again
                self.networks[found.id] = self.stored[found.stored] = found

    def _moved(self, found: Owned) -> None:
        if isinstance(found, DoorVolume | DoorNetwork):
            self.stand = next(_STANDS)
        elif isinstance(found, DoorContainer):
            self.container_stand = next(_STANDS)
        else:
            self.image_stand = next(_STANDS)

    def unname(self, refs: Collection[str]) -> None:
        """No image has these names."""
        for image in [image for image in self.images.values() if not image.refs.keys().isdisjoint(refs)]:
            kept = {ref: reader for ref, reader in image.refs.items() if ref not in refs}
            self.put(replace(image, refs=kept))

    def drop(self, gone: str) -> None:
        """It is gone."""
        for kind in (self.containers, self.images, self.volumes, self.networks):
            found = kind.pop(gone, None)
            if found is not None:
                self._moved(found)
                self.gone[gone] = found
                if isinstance(found, DoorNetwork) and self.stored.get(found.stored) == found:
                    del self.stored[found.stored]
        while len(self.gone) > REMEMBERED:
            self.gone.popitem(last=False)
