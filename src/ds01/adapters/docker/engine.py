"""The Engine port over a real Docker engine, API 1.41 (engine 20.10) and newer."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Collection
from typing import Any

from ds01.adapters.docker import layer_files, read, upper
from ds01.adapters.docker.errors import not_copied, unreachable, unreadable
from ds01.adapters.docker.http import EngineHttp
from ds01.adapters.docker.write import create_body, network_body, recreate_body, update_body
from ds01.domain.build_cache import CacheRecord
from ds01.domain.changes import Change
from ds01.domain.confinement import Amounts
from ds01.domain.container import Attachment, ContainerId, ContainerSpec, Observed
from ds01.domain.disk import Layer
from ds01.domain.engine_versions import COPY_FIXED, numbers
from ds01.domain.errors import NO_CONTAINER, NO_IMAGE, NO_VOLUME, WRONG_STATE, Ds01Error
from ds01.domain.image import Image, ImageId, is_reference
from ds01.domain.labels import Label
from ds01.ports.engine import (
    ANSWER_SECONDS,
    DiskUse,
    EngineEvent,
    EngineVersion,
    Guarding,
    NetworkSeen,
    NetworkSpec,
    Process,
    Usage,
    VolumeSeen,
)

COMMIT_SECONDS = 600.0
EXEC_SECONDS = 0.1
MEASURE_SECONDS = 600.0


class DockerEngine:
    """A Docker engine at an address such as ``unix:///var/run/docker.sock``."""

    def __init__(self, address: str) -> None:
        self._http = EngineHttp(address)
        self._info: dict[str, Any] | None = None
        self._guard: tuple[Guarding | None] | None = None
        self._came_up = ""

    async def version(self) -> EngineVersion:
        """What answers."""
        data = await self._http.json("GET", "version")
        if self._info is None:
            self._info = await self._http.json("GET", "info")
        return EngineVersion(
            engine=data["Version"], api=data["ApiVersion"], cgroup_driver=self._info["CgroupDriver"],
            runc=read.runc(data), cdi_folders=tuple(self._info.get("CDISpecDirs") or ()),
        )  # fmt: skip

    async def ping(self) -> str:
        """The engine runs three programs to tell its version, so that is asked once for every engine that comes up."""
        if self._came_up:
            await self._http.json("HEAD", "_ping")
        else:
            self._came_up = (await self.version()).engine
        return self._came_up

    async def data_root(self) -> str:
        """Asked once for every engine that comes up."""
        if self._info is None:
            self._info = await self._http.json("GET", "info")
        return str(self._info["DockerRootDir"])

    async def guard(self) -> Guarding | None:
        """Asked once for every engine that comes up: it reads its runtimes only then."""
        if self._guard is None:
            self._guard = (read.guarding(await self._http.json("GET", "info")),)
        return self._guard[0]

    async def create(self, spec: ContainerSpec) -> ContainerId:
        """Create with the full, final configuration."""
        data = await self._http.json("POST", "containers/create", {"name": spec.name}, create_body(spec))
        return ContainerId(data["Id"])

    async def start(self, container: ContainerId) -> None:
        """Start; one that runs already is fine."""
        await self._http.json("POST", f"containers/{container}/start", starting=True)

    async def stop(self, container: ContainerId, grace_seconds: int) -> None:
        """Ask, wait the grace, kill; one that is stopped already is fine."""
        patience = grace_seconds + ANSWER_SECONDS
        await self._http.json("POST", f"containers/{container}/stop", {"t": str(grace_seconds)}, seconds=patience)

    async def pause(self, container: ContainerId) -> None:
        """Freeze."""
        await self._http.json("POST", f"containers/{container}/pause")

    async def unpause(self, container: ContainerId) -> None:
        """Let it go on."""
        await self._http.json("POST", f"containers/{container}/unpause")

    async def put_back(self, container: ContainerId, amounts: Amounts, *, stays_down: bool) -> None:
        """All of it in one update."""
        body = update_body(amounts, stays_down=stays_down)
        await self._http.json("POST", f"containers/{container}/update", body=body)

    async def remove(self, container: ContainerId, *, force: bool = False) -> None:
        """Remove with its anonymous volumes; one that is gone already is fine."""
        try:
            await self._http.json("DELETE", f"containers/{container}", {"force": str(int(force)), "v": "1"})
        except Ds01Error as error:
            if error.kind is not NO_CONTAINER and "already in progress" not in error.problem.reason:
                raise

    async def rename(self, container: ContainerId, name: str) -> None:
        """Give it another name."""
        await self._http.json("POST", f"containers/{container}/rename", {"name": name})

    async def inspect(self, container: ContainerId, *, seconds: float = ANSWER_SECONDS) -> Observed | None:
        """Everything about one container, None when there is none."""
        try:
            return read.inspected(await self._http.json("GET", f"containers/{container}/json", seconds=seconds))
        except Ds01Error as error:
            if error.kind is NO_CONTAINER:
                return None
            raise

    async def list(self) -> tuple[Observed, ...]:
        """All containers in one call."""
        return tuple(read.listed(item) for item in await self._http.json("GET", "containers/json", {"all": "1"}))

    async def changes(self, container: ContainerId) -> tuple[Change, ...]:
        """The writable layer against the image: read from disk where it can be, asked of the engine elsewhere."""
        found = upper.layers(await self._http.json("GET", f"containers/{container}/json"))
        if found is not None:
            return tuple(await asyncio.to_thread(lambda: tuple(upper.changes(*found))))
        data = await self._http.json("GET", f"containers/{container}/changes")
        return tuple(read.change(item) for item in data or ())

    async def processes(self, container: ContainerId) -> tuple[Process, ...]:
        """What runs inside; nothing in a stopped one."""
        try:
            return read.processes(
                await self._http.json("GET", f"containers/{container}/top", {"ps_args": "-eo pid,user,args"})
            )
        except Ds01Error as error:
            if error.kind is WRONG_STATE:
                return ()
            raise

    async def execute(
        self, container: ContainerId, command: tuple[str, ...], *, user: str, seconds: float
    ) -> int | None:
        """An exec without a stream, looked at until it ended."""
        body = {"Cmd": list(command), "User": user, "AttachStdout": False, "AttachStderr": False}
        made = (await self._http.json("POST", f"containers/{container}/exec", body=body))["Id"]
        await self._http.json("POST", f"exec/{made}/start", body={"Detach": True, "Tty": False})
        over = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < over:
            await asyncio.sleep(EXEC_SECONDS)
            seen = await self._http.json("GET", f"exec/{made}/json")
            if not seen["Running"]:
                return int(seen["ExitCode"] or 0)
        return None

    async def usage(self, container: ContainerId) -> Usage | None:
        """One reading; None when it does not run."""
        data = await self._http.json(
            "GET", f"containers/{container}/stats", {"stream": "false", "one-shot": "true"}
        )  # fmt: skip
        return read.usage(data) if (data.get("pids_stats") or {}).get("current") else None

    async def read_files(self, container: ContainerId, path: str) -> AsyncGenerator[bytes, None]:
        """A path as a tar archive."""
        async for piece in self._http.pieces(f"containers/{container}/archive", {"path": path}):
            yield piece

    async def read_layer(self, container: ContainerId, path: str) -> AsyncGenerator[bytes, None]:
        """Read from disk where it can be; asked of the engine elsewhere, unless that can be led astray."""
        found = upper.layers(await self._http.json("GET", f"containers/{container}/json"))
        if found is None:
            if numbers(await self.ping()) < COPY_FIXED:
                raise not_copied()
            async for piece in self.read_files(container, path):
                yield piece
            return
        reading = layer_files.archive(found[0], path)
        try:
            while piece := await asyncio.to_thread(next, reading, b""):
                yield piece
        except OSError as error:
            raise unreadable(path, error) from error

    async def write_files(self, container: ContainerId, archive: bytes) -> None:
        """Below its root."""
        await self._http.put(f"containers/{container}/archive", {"path": "/"}, archive)

    async def commit(self, container: ContainerId, reference: str) -> ImageId:
        """Keep the writable layer as an image of our own."""
        repo, _, tag = reference.rpartition(":")
        params = {"container": container, "repo": repo, "tag": tag, "changes": f"LABEL {Label.INTERNAL}=1"}
        data = await self._http.json("POST", "commit", params, {}, seconds=COMMIT_SECONDS)
        return ImageId(data["Id"])

    async def recreate(
        self, container: ContainerId, *, name: str, image: str, attachment: Attachment, labels: dict[str, str]
    ) -> ContainerId:
        """Create another one with the same configuration but for name, image, GPUs and labels."""
        known = await self._http.json("GET", f"containers/{container}/json")
        body = recreate_body(known, image=image, attachment=attachment, labels=labels)
        data = await self._http.json("POST", "containers/create", {"name": name}, body)
        return ContainerId(data["Id"])

    async def volume_options(self, name: str) -> dict[str, str] | None:
        """Empty for a plain volume."""
        found = await self._http.json("GET", f"volumes/{name}")
        options: dict[str, str] | None = (found["Options"] or {}) if found["Driver"] == "local" else None
        return options

    async def image(self, reference: str) -> Image | None:
        """An image by name or id, None when it is not here."""
        if not is_reference(reference):
            return None
        try:
            return read.image_inspected(await self._http.json("GET", f"images/{reference}/json"))
        except Ds01Error as error:
            if error.kind is NO_IMAGE:
                return None
            raise

    async def images(self) -> tuple[Image, ...]:
        """All images with a name or without, no intermediate layers."""
        return tuple(read.image_listed(item) for item in await self._http.json("GET", "images/json"))

    async def tag_image(self, image: ImageId, reference: str) -> None:
        """The engine takes a name from whatever had it."""
        repo, _, tag = reference.rpartition(":")
        await self._http.json("POST", f"images/{image}/tag", {"repo": repo, "tag": tag})

    async def remove_image(self, reference: str) -> None:
        """Remove a name, and the image with its last name."""
        if not is_reference(reference):
            raise Ds01Error(NO_IMAGE, f"There is no image '{reference[:80]}'.", hint="ds01 image list")
        await self._http.json("DELETE", f"images/{reference}")

    async def layers(self, image: ImageId) -> tuple[Layer, ...]:
        """The layers of an image: their ids from its description, their sizes from its history."""
        try:
            described = await self._http.json("GET", f"images/{image}/json")
            return read.layers(described, await self._http.json("GET", f"images/{image}/history"))
        except Ds01Error as error:
            if error.kind is NO_IMAGE:
                return ()
            raise

    async def disk_use(self) -> DiskUse:
        """What the engine counts; it allows one count at a time."""
        return read.disk_use(await self._http.json("GET", "system/df", seconds=MEASURE_SECONDS))

    async def build_cache(self) -> tuple[CacheRecord, ...]:
        """Its records. An engine before 23 counts everything else as well."""
        found = await self._http.json("GET", "system/df", {"type": "build-cache"}, seconds=MEASURE_SECONDS)
        return tuple(map(read.cache_record, found.get("BuildCache") or ()))

    async def create_volume(self, name: str, labels: dict[str, str], options: dict[str, str]) -> VolumeSeen:
        """A volume of the local driver, made or as it is."""
        body = {"Name": name, "Driver": "local", "Labels": labels, "DriverOpts": options}
        return read.volume(await self._http.json("POST", "volumes/create", body=body))

    async def volume(self, name: str) -> VolumeSeen | None:
        """One volume, None when it is not there."""
        try:
            return read.volume(await self._http.json("GET", f"volumes/{name}"))
        except Ds01Error as error:
            if error.kind is NO_VOLUME:
                return None
            raise

    async def volumes(self) -> tuple[VolumeSeen, ...]:
        """All volumes of anybody."""
        return tuple(read.volume(item) for item in (await self._http.json("GET", "volumes"))["Volumes"] or ())

    async def having(self, volumes: Collection[str]) -> tuple[ContainerId, ...]:
        """The engine counts what is mounted at a place of this name as well."""
        if not volumes:
            return ()
        asked = {"all": "1", "filters": json.dumps({"volume": [*volumes]})}
        return tuple(ContainerId(item["Id"]) for item in await self._http.json("GET", "containers/json", asked))

    async def networks(self, name: str = "") -> tuple[NetworkSeen, ...]:
        """All networks, or those of this name, the oldest first."""
        filters = {"filters": json.dumps({"name": [f"^{re.escape(name)}$"]})} if name else None
        found = [read.network(item) for item in await self._http.json("GET", "networks", filters)]
        return tuple(sorted(found, key=lambda each: (each.created_at, each.id)))

    async def create_network(self, spec: NetworkSpec) -> str:
        """A bridge network in its range."""
        return str((await self._http.json("POST", "networks/create", body=network_body(spec)))["Id"])

    async def remove_network(self, network: str) -> None:
        """Remove it, when nothing is on it."""
        try:
            await self._http.json("DELETE", f"networks/{network}")
        except Ds01Error as error:
            if "active endpoints" not in error.problem.reason and "not found" not in error.problem.reason:
                raise

    async def events(self, actions: Collection[str]) -> AsyncGenerator[EngineEvent, None]:
        """Events until the engine goes away. Every command and every health check has three, which nobody needs."""
        wanted = json.dumps({"type": ["container"], "event": sorted(actions)})
        self._http.forget_version()
        self._guard, self._info = None, None
        self._came_up = ""
        async for item in self._http.lines("events", {"filters": wanted}):
            yield read.event(item)
        raise unreachable("Its stream of events ended.")

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()
