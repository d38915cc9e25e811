"""Who owns what, in memory: a mirror of the ledger that ds01d feeds.

The mirror answers at the speed of memory and goes on answering for a minute when ds01d is away. What it does not
know is asked of ds01d directly, because a stream is always a moment late. Unknown ownership is nobody's.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

import structlog

from ds01.domain.dockerpolicy.verdict import RefusedError, absent
from ds01.domain.own_images import owner_of, plain_image, stored_image
from ds01.gateway.door import Door
from ds01.gateway.held import DoorDownError
from ds01.gateway.mirror import Mirror
from ds01.gateway.owned import may_name, may_see, named_so, owns, stored
from ds01.gateway.people import STALE_SECONDS, People, login_of
from ds01.gateway.writers import Writers
from ds01.wire.door import DoorContainer, DoorImage, DoorUpdate, DoorUser
from ds01.wire.holdings import DoorNetwork, DoorVolume

PATIENCE_SECONDS = 5.0
"""How long a request waits for the first look at the ledger, just after the gateway's start."""

RETRY_SECONDS = 0.5
_LOG = structlog.get_logger("ds01.gateway.registry")
_HEX = re.compile(r"[0-9a-f]{1,64}")


class Registry:
    """Containers, images, volumes and networks as ds01d knows them, and ``people``."""

    def __init__(
        self, door: Door, clock: Callable[[], float] = time.monotonic, login: Callable[[int], str] = login_of,
        local: Callable[[int], str | None] = lambda _: None,
    ) -> None:  # fmt: skip
        """``login`` and ``local`` say by which name a uid is known: see ``People``."""
        self.writers = Writers()
        self.people = People(door, clock, login, local, lambda user, container: self.by_id(user, container) is not None)
        self._door = door
        self._clock = clock
        self._mirror = Mirror()
        self._learned: dict[str, float] = {}
        self._coming: dict[str, DoorContainer | DoorVolume | DoorNetwork] = {}
        self._following = False
        self._looked = asyncio.Event()
        self._contact = -STALE_SECONDS

    async def follow(self) -> None:
        """Keep the mirror, for as long as the gateway runs."""
        while True:
            try:
                await self.follow_once()
            except (DoorDownError, RefusedError) as error:
                _LOG.warning("registry.lost", reason=str(error))
            await asyncio.sleep(RETRY_SECONDS)

    async def follow_once(self) -> None:
        """One stream, until ds01d goes away. Raises DoorDownError, and RefusedError when ds01d cannot tell of an image
        because the engine is away.
        """
        mirror = Mirror()
        try:
            async for update in self._door.updates():
                if update.ready:
                    self._mirror, self._following = mirror, True
                    self._looked.set()
                elif not update.people:
                    await self._take_in(mirror, update)
                if update.ready or update.people:
                    self.people.changed()
                if self._following:
                    self._contact = self._clock()
        finally:
            self._following = False

    async def _take_in(self, mirror: Mirror, update: DoorUpdate) -> None:
        """ds01d looks at all images at once, which takes a while: one that was learned lately may be told as it was
        before, so it is asked for by itself.
        """
        if update.closed:
            self.people.ongoing.end(lambda going: going.subject == update.closed)
        learned = self._learned.pop(update.id, -STALE_SECONDS)
        if self._clock() - learned >= STALE_SECONDS:
            mirror.apply(update)
        elif (found := await self._door.image(update.id)) is not None:
            mirror.put(found)
        else:
            mirror.drop(update.id)

    @property
    def usable(self) -> bool:
        """Whether the mirror may be believed: it was filled once, and not too long ago."""
        return self._following or (self._looked.is_set() and self._clock() - self._contact < STALE_SECONDS)

    async def check(self) -> None:
        """Wait a moment for the first look at the ledger. Raises RefusedError (503) when the mirror is not usable."""
        if self.usable:
            return
        if not self._looked.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._looked.wait(), PATIENCE_SECONDS)
        if not self.usable:
            raise RefusedError(
                "registry.away", "ds01d does not answer, so nothing can be shown", "Try again in a moment.", status=503
            )

    async def container(self, user: DoorUser, ref: str) -> DoorContainer:
        """The container this user calls ``ref``: full id, name, then id prefix. Raises AbsentError."""
        found = self._known(user, ref)
        if found is None:
            found = await self._asked(user, ref)
        if found is None:
            raise absent("container", ref)
        return found

    def _known(self, user: DoorUser, ref: str) -> DoorContainer | None:
        found = self.by_id(user, ref)
        if found is not None:
            return found
        called = [c for c in self._mirror.containers.values() if ref in (c.stored_name, c.name) and owns(user, c)]
        exact = [c for c in called if c.stored_name == ref] or [c for c in called if self.named(user, c) == ref]
        if exact:
            return exact[0]
        if not _HEX.fullmatch(ref):
            return None
        prefixed = [c for c in self.containers(user) if c.id.startswith(ref)]
        if len(prefixed) > 1:
            raise RefusedError("own.ambiguous", f"Multiple IDs found with provided prefix: {ref}", status=400)
        return prefixed[0] if prefixed else None

    async def _asked(self, user: DoorUser, ref: str) -> DoorContainer | None:
        try:
            found = await self._door.container(ref, None if user.admin else user.uid)
        except DoorDownError:
            return None
        if found is None or not owns(user, found):
            return None
        self._mirror.put(found)
        return found

    def containers(self, user: DoorUser) -> Iterable[DoorContainer]:
        """The containers this user may see."""
        return (c for c in self._mirror.containers.values() if owns(user, c))

    def by_id(self, user: DoorUser, container_id: str) -> DoorContainer | None:
        """A container by its full id, when this user may see it."""
        found = self._mirror.containers.get(container_id)
        return found if found is not None and owns(user, found) else None

    @staticmethod
    def named(user: DoorUser, container: DoorContainer) -> str:
        """How this user calls a container: her own by its plain name, another's by the stored one."""
        return container.name if container.uid == user.uid else container.stored_name

    async def sees_image(self, user: DoorUser, image_id: str) -> DoorImage | None:
        """An image by id, when this user may see it."""
        found = self._mirror.images.get(image_id)
        if found is None or not may_see(user, found):
            try:
                found = await self._door.image(image_id)
            except DoorDownError:
                found = None
            if found is not None:
                self._mirror.put(found)
        return found if found is not None and may_see(user, found) else None

    def image(self, user: DoorUser, image_id: str) -> DoorImage | None:
        """An image the mirror knows, when this user may see it."""
        found = self._mirror.images.get(image_id)
        return found if found is not None and may_see(user, found) else None

    def images(self, user: DoorUser) -> Iterable[DoorImage]:
        """The images this user may see."""
        return (image for image in self._mirror.images.values() if may_see(user, image))

    def volume(self, user: DoorUser, ref: str) -> DoorVolume | None:
        """The volume this user calls ``ref``."""
        return named_so(ref, [v for v in self._mirror.volumes.values() if owns(user, v)], user)

    def volume_by_id(self, user: DoorUser, volume_id: str) -> DoorVolume | None:
        """A volume by the engine's name, when this user may see it."""
        found = self._mirror.volumes.get(volume_id)
        return found if found is not None and owns(user, found) else None

    def networks(self, user: DoorUser) -> list[DoorNetwork]:
        """The networks this user may see."""
        return [network for network in self._mirror.networks.values() if owns(user, network)]

    def network(self, user: DoorUser, ref: str) -> DoorNetwork | None:
        """The network this user calls ``ref``: id, name, then id prefix; ``default`` and ``bridge`` are her own."""
        mine = self.networks(user)
        found = named_so("bridge" if ref == "default" else ref, mine, user)
        if found is not None or not _HEX.fullmatch(ref):
            return found
        prefixed = [n for n in mine if n.id.startswith(ref)]
        return prefixed[0] if len(prefixed) == 1 else None

    def network_by_id(self, user: DoorUser, network_id: str) -> DoorNetwork | None:
        """A network by its full id, when this user may see it."""
        found = self._mirror.networks.get(network_id)
        return found if found is not None and owns(user, found) else None

    def network_stored(self, user: DoorUser, stored: str) -> DoorNetwork | None:
        """A network by the engine's name, when this user may see it."""
        found = self._mirror.stored.get(stored)
        return found if found is not None and owns(user, found) else None

    @staticmethod
    def called(user: DoorUser, found: DoorVolume | DoorNetwork) -> str:
        """How this user calls it: her own by its plain name, another's by the engine's."""
        if found.uid == user.uid:
            return found.name
        return stored(found)

    @property
    def stand(self) -> int:
        """Another number whenever a volume or a network has come, gone or got another name."""
        return self._mirror.stand

    @property
    def container_stand(self) -> int:
        """Another number whenever a container has come, gone, or is another's or called otherwise."""
        return self._mirror.container_stand

    @property
    def image_stand(self) -> int:
        """Another number whenever an image has come, gone, or may have got other names."""
        return self._mirror.image_stand

    def learn(self, found: DoorContainer | DoorImage | DoorVolume | DoorNetwork) -> None:
        """Know something at once, before the stream says so."""
        self._mirror.put(found)
        if isinstance(found, DoorImage):
            self._learned[found.id] = self._clock()

    def images_by_prefix(self, user: DoorUser, prefix: str) -> list[str]:
        """The ids of images this user may see that begin so, without ``sha256:``."""
        return [image.id for image in self.images(user) if image.id.partition(":")[2].startswith(prefix)]

    async def image_named(self, user: DoorUser, image_id: str, ref: str) -> DoorImage | None:
        """An image, when this user may use this name of it; the mirror may be a moment late with names."""
        found = await self.sees_image(user, image_id)
        if found is None or may_name(user, found, ref):
            return found
        try:
            found = await self._door.image(image_id)
        except DoorDownError:
            return None
        if found is None:
            return None
        self._mirror.put(found)
        return found if may_name(user, found, ref) else None

    def own_images(self, user: DoorUser) -> dict[str, str]:
        """The names in her own name space, with the engine's name of each."""
        return {
            plain_image(ref, user.uid): ref
            for image in self._mirror.images.values()
            for ref, reader in image.refs.items()
            if reader == user.account and owner_of(ref) == user.uid
        }

    def granted(self, user: DoorUser, refs: Iterable[str], stored: Mapping[str, str]) -> None:
        """ds01d has said how the engine will call what she writes; what it did not say so, she has not of her own: it
        was removed behind the gateway.
        """
        self._mirror.unname({stored_image(ref, user.uid) for ref in refs if ref not in stored})

    @contextlib.contextmanager
    def coming(self, stored: str, found: DoorContainer | DoorVolume | DoorNetwork) -> Iterator[None]:
        """The engine is about to make this, under this name: it tells of it before anybody else can."""
        self._coming[stored] = found
        try:
            yield
        finally:
            self._coming.pop(stored, None)

    def told(self, user: DoorUser, subject: str, stored: str) -> DoorContainer | DoorVolume | DoorNetwork | None:
        """What an event is about, when it is the user's: there, about to be, or just gone."""
        mirror = self._mirror
        found = (
            mirror.containers.get(subject) or mirror.volumes.get(subject) or mirror.networks.get(subject)
            or mirror.gone.get(subject) or self._coming.get(stored)
        )  # fmt: skip
        return found if found is not None and not isinstance(found, DoorImage) and owns(user, found) else None

    def forget(self, gone: str) -> None:
        """A container, an image, a volume or a network is gone."""
        self._mirror.drop(gone)
