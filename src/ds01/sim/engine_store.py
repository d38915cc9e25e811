"""What a simulated engine holds, and a test's hands on it: images put there, containers that die or vanish, faults."""

from __future__ import annotations

import asyncio
import hashlib
import io
import tarfile
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cache

from ds01.domain.build_cache import CacheRecord
from ds01.domain.changes import Change
from ds01.domain.confinement import Confinement
from ds01.domain.container import ContainerId, ContainerSpec, Observed
from ds01.domain.errors import (
    DISK_FULL,
    ENGINE_DOWN,
    ENGINE_ERROR,
    NAME_TAKEN,
    NO_CONTAINER,
    SILENT,
    WRONG_STATE,
    Ds01Error,
)
from ds01.domain.image import Image, ImageId, with_tag
from ds01.ports.clock import Clock
from ds01.ports.engine import ANSWER_SECONDS, EngineEvent, Guarding, NetworkSeen, Usage, VolumeSeen

KILLED = 137
TERMINATED = 143
_IDLE = Usage(cpu_seconds=0.0, memory_bytes=8 << 20, memory_limit_bytes=0, network_bytes=0, pids=2)


def single_files(archive: bytes) -> dict[str, bytes]:
    """The files of a tar archive, each by its path as an archive of its own, as it is read again."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
        return {f"/{member.name}": _alone(archive, member) for member in tar if member.isfile()}


def _alone(archive: bytes, member: tarfile.TarInfo) -> bytes:
    """Its blocks as they are, and the two empty ones that end an archive."""
    blocks = -(-member.size // tarfile.BLOCKSIZE)
    return archive[member.offset : member.offset_data + blocks * tarfile.BLOCKSIZE] + bytes(2 * tarfile.BLOCKSIZE)


@cache
def usual_files() -> dict[str, bytes]:
    """What every image has: an account for root, and a folder for it."""
    buffer, folder = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, text in (("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n"), ("etc/group", b"root:x:0:\n")):
            entry = tarfile.TarInfo(path)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
    with tarfile.open(fileobj=folder, mode="w") as tar:
        etc = tarfile.TarInfo("etc")
        etc.type = tarfile.DIRTYPE
        tar.addfile(etc)
    return {"/etc": folder.getvalue(), **single_files(buffer.getvalue())}


@dataclass(kw_only=True)
class EngineFaults:
    """What goes wrong next. ``slow_seconds`` delays every act by the clock; ``full`` refuses what needs disk;
    after ``away_after`` more acts the engine goes away; ``no_ps``: the server has no ``ps`` to list programs with;
    ``ignores_term``: programs must be killed; ``exec_code`` is how commands in containers end, None that they do not;
    of the next ``lose_answer`` (``start``, ``stop``) everything is done and the answer is lost; the container called
    ``refuse_inspect`` cannot be looked at, of ``refuse_kill`` not ended; nothing is answered about those called
    ``silent``.
    """

    away: bool = False
    away_after: int | None = None
    refuse_create: str = ""
    refuse_start: str = ""
    refuse_update: str = ""
    die_at_once: int | None = None
    full: bool = False
    slow_seconds: float = 0.0
    no_ps: bool = False
    ignores_term: bool = False
    exec_code: int | None = 0
    lose_answer: str = ""
    refuse_inspect: str = ""
    refuse_kill: str = ""
    silent: Collection[str] = ()


@dataclass(kw_only=True)
class Made:
    """A container of the simulation: what was asked, what is, and what a test put into it."""

    spec: ContainerSpec
    seen: Observed
    changes: tuple[Change, ...] = ()
    files: dict[str, bytes] = field(default_factory=lambda: {"/bin/sh": b"a shell", **usual_files()})
    processes: tuple[str, ...] = ("/sbin/docker-init", "session")
    usage: Usage = _IDLE
    written_bytes: int = 0
    ran: list[tuple[str, ...]] = field(default_factory=list)


class EngineStore:
    """Containers, images and listeners of one engine. The methods without an underscore are a test's hands."""

    def __init__(self, clock: Clock) -> None:
        self.faults = EngineFaults()
        self.release = "simulated"
        self.root = "/var/lib/docker"
        """What it says of its version."""
        self.volume_use: dict[str, int] = {}
        self.cache: list[CacheRecord] = []
        """What BuildKit keeps."""
        self.volumes_made: dict[str, VolumeSeen] = {}
        self.networks_made: dict[str, NetworkSeen] = {}
        self.grace_seconds: int | None = None
        """The grace of the latest stop."""
        self.mounting: dict[str, dict[str, str]] = {}
        """The options of every volume a test made."""
        self.archived: list[Made] = []
        """Of which containers files were asked for or written, each time: an engine may mount what they have."""
        self.inside: dict[ImageId, dict[str, bytes]] = {}
        """What an image has besides the usual, tar archives by path."""
        self.guarding: Guarding | None = None
        """The guard behind this engine; none unless a test puts it there."""
        self._clock = clock
        self._made: dict[ContainerId, Made] = {}
        self._images: dict[ImageId, Image] = {}
        self._listeners: list[asyncio.Queue[EngineEvent | None]] = []
        self._count = 0

    def add_image(
        self, reference: str, *, labels: dict[str, str] | None = None, size_bytes: int = 1 << 20, heavy: str = "",
        digests: tuple[str, ...] = (), volumes: int = 0,
    ) -> ImageId:  # fmt: skip
        """Put an image there, or move the name to a new one."""
        made = ImageId("sha256:" + self._new_id())
        self._images[made] = Image(
            id=made,
            tags=(),
            created_at=self._clock.now(),
            size_bytes=size_bytes,
            labels=labels or {},
            digests=digests,
            heavy=heavy,
            volumes=volumes,
        )
        self.name_image(made, reference)
        return made

    def name_image(self, image: ImageId, reference: str) -> None:
        """Move a name to an image, from wherever it was."""
        for other in list(self._images.values()):
            kept = tuple(name for name in (*other.tags, *other.pins) if name != reference)
            self._images[other.id] = other.called((*kept, reference) if other.id == image else kept)

    def die(self, container: ContainerId, code: int, *, oom: bool = False) -> None:
        """A container ends by itself."""
        made = self._get(container)
        made.seen = replace(
            made.seen, running=False, paused=False, finished_at=self._clock.now(), exit_code=code, oom_killed=oom
        )
        if oom:
            self._tell("oom", made)
        self._tell("die", made, exitCode=str(code))
        if made.seen.auto_remove:
            del self._made[container]
            self._drop_volumes(made)
            self._tell("destroy", made)

    def goes_with_its_end(self, container: ContainerId) -> None:
        """A container that was started with ``--rm``."""
        made = self._get(container)
        made.seen = replace(made.seen, auto_remove=True)

    def alter(self, container: ContainerId, confinement: Confinement) -> None:
        """The settings of a container change, as by somebody with the engine's own socket."""
        made = self._get(container)
        made.seen = replace(made.seen, confinement=confinement)
        self._tell("update", made)

    def stops_by(self, container: ContainerId, signal: str) -> None:
        """A container whose image names a stop signal of its own."""
        made = self._get(container)
        made.seen = replace(made.seen, stop_signal=signal)

    def vanish(self, container: ContainerId) -> None:
        """A container is removed without a word, as by somebody with the engine's own socket while nobody listens."""
        del self._made[container]

    def write_layer(self, container: ContainerId, changes: tuple[Change, ...], files: dict[str, bytes]) -> None:
        """What the user changed inside: the layer's changes, and tar archives by path."""
        made = self._get(container)
        made.changes, made.files = changes, {**made.files, **files}

    def run_in(self, container: ContainerId, *commands: str) -> None:
        """These are what runs in a container."""
        self._get(container).processes = commands

    def go_away(self) -> None:
        """The engine stops answering; its containers go on."""
        self.faults.away = True
        for queue in self._listeners:
            queue.put_nowait(None)

    def come_back(self, *, restarted: bool = False) -> None:
        """It answers again; ``restarted`` without live-restore has killed every container."""
        self.faults.away = False
        if restarted:
            for container, made in self._made.items():
                if made.seen.running:
                    self.die(container, KILLED)

    @property
    def listened(self) -> bool:
        """Whether somebody hears its events."""
        return bool(self._listeners)

    def executed(self, container: ContainerId) -> tuple[tuple[str, ...], ...]:
        """The commands DS01 ran in it."""
        return tuple(self._get(container).ran)

    def spec(self, container: ContainerId) -> ContainerSpec:
        """What was asked for at create."""
        return self._get(container).spec

    # For the port ----------------------------------------------------------------------------------

    async def _act(self, *, disk: bool = False, slow: bool = True) -> None:
        if self.faults.slow_seconds and slow:
            await self._clock.sleep(self.faults.slow_seconds)
        else:
            await asyncio.sleep(0)
        self._count_down()
        if self.faults.away:
            raise away()
        if disk and self.faults.full:
            raise Ds01Error(DISK_FULL, "The server's disk is full.", reason="no space left on device")

    async def _answers(self, container: ContainerId, seconds: float = ANSWER_SECONDS) -> None:
        """Wait for what is going on with this container."""
        if self._is_silent(container):
            await self._clock.sleep(seconds)
        if self._is_silent(container):
            raise silent()

    def _is_silent(self, container: ContainerId) -> bool:
        made = self._made.get(container)
        return made is not None and made.spec.name in self.faults.silent

    def _lose(self, act: str) -> None:
        """What was done is done; nobody hears of it."""
        if self.faults.lose_answer == act:
            self.faults.lose_answer = ""
            raise away()

    def _count_down(self) -> None:
        left = self.faults.away_after
        if left is not None:
            self.faults.away_after = left - 1 if left else None
            if not left:
                self.go_away()

    def _get(self, container: ContainerId) -> Made:
        made = self._made.get(container)
        if made is None:
            raise Ds01Error(NO_CONTAINER, "The container is gone from the engine.", hint="ds01 list")
        return made

    def _file(self, container: ContainerId, path: str) -> bytes:
        files = self._get(container).files
        if path not in files:
            raise Ds01Error(ENGINE_ERROR, "The Docker engine refused.", reason=f"no such file {path}")
        return files[path]

    def _make_volumes(self, number: int) -> dict[str, str]:
        """So many volumes that nobody named; their folders."""
        made = [VolumeSeen(name=name, labels={}, folder=f"/volumes/{name}/_data") for name in self._new_ids(number)]
        self.volumes_made |= {each.name: each for each in made}
        return {each.name: each.folder for each in made}

    def _drop_volumes(self, gone: Made) -> None:
        """Those that nobody named go with the last container that has them."""
        for name in gone.seen.volumes:
            if not any(name in other.seen.volumes for other in self._made.values()):
                self.volumes_made.pop(name, None)

    def _share(self, old: Made, fresh: Made) -> None:
        """Its files and its volumes, in place of those of its image."""
        own, fresh.files = replace(fresh), dict(old.files)
        fresh.seen = replace(fresh.seen, volumes=old.seen.volumes, volume_folders=old.seen.volume_folders)
        self._drop_volumes(own)

    def _running(self, container: ContainerId) -> Made:
        made = self._get(container)
        if not made.seen.running:
            raise wrong_state("not running")
        return made

    def _name_free(self, name: str) -> None:
        if any(made.seen.stored_name == name for made in self._made.values()):
            raise Ds01Error(NAME_TAKEN, "A container of this name exists already.", reason=name, hint="ds01 list")

    def _image(self, reference: str) -> Image | None:
        known = self._images.get(ImageId(reference))
        wanted = with_tag(reference)
        return known or next((i for i in self._images.values() if wanted in (*i.tags, *i.pins)), None)

    def _new_ids(self, number: int) -> list[str]:
        return [self._new_id() for _ in range(number)]

    def _new_id(self) -> str:
        self._count += 1
        return hashlib.sha256(f"{self._count}".encode()).hexdigest()

    def _tell(self, action: str, made: Made, **more: str) -> None:
        event = EngineEvent(
            action=action, id=made.seen.id, at=self._clock.now(),
            attributes={**made.seen.labels, **more},
        )  # fmt: skip
        for queue in self._listeners:
            queue.put_nowait(event)


def wrong_state(reason: str) -> Ds01Error:
    return Ds01Error(WRONG_STATE, "The container is in another state.", reason=f"it is {reason}", hint="ds01 list")


def silent() -> Ds01Error:
    return Ds01Error(SILENT, "The container does not answer.", reason="its lock is held")


def away() -> Ds01Error:
    return Ds01Error(
        ENGINE_DOWN,
        "The Docker engine does not answer; running containers are not affected by DS01 waiting for it.",
        reason="the simulated engine is away",
        hint="systemctl status docker",
    )
