"""The engine's JSON as values of the domain."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import PurePath
from typing import Any

from ds01.domain.build_cache import CacheRecord
from ds01.domain.changes import Change
from ds01.domain.confinement import ANY, Amounts, Confinement
from ds01.domain.container import ContainerId, Observed
from ds01.domain.disk import Layer
from ds01.domain.dockerpolicy.heavy import too_heavy
from ds01.domain.guard import RUNTIME
from ds01.domain.health import Health
from ds01.domain.image import Image, ImageId
from ds01.domain.moment import moment
from ds01.domain.publish import LOOPBACK
from ds01.ports.engine import DiskUse, EngineEvent, Guarding, NetworkSeen, Process, Usage, VolumeSeen

Json = dict[str, Any]
_BRIDGE = "com.docker.network.bridge"
_KINDS = {0: "C", 1: "A", 2: "D"}
_MINOR_TICKS = 1_000_000_000
_PERIOD_US = 100_000
EMPTY_LAYER = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
"""The digest of an archive without entries: what a step leaves that changes nothing."""

_NO_LAYER = frozenset(
    {"ARG", "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD", "SHELL",
     "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}
)  # fmt: skip


def inspected(data: Json) -> Observed:
    """A container from ``GET /containers/{id}/json``."""
    state, host = data["State"], data["HostConfig"]
    started = moment(state["StartedAt"])
    return Observed(
        id=ContainerId(data["Id"]),
        stored_name=data["Name"].removeprefix("/"),
        image=data["Image"],
        labels=data["Config"].get("Labels") or {},
        running=bool(state["Running"]),
        paused=bool(state["Paused"]),
        created_at=_known(moment(data["Created"])),
        started_at=started,
        finished_at=moment(state["FinishedAt"]),
        exit_code=int(state["ExitCode"]),
        oom_killed=bool(state["OOMKilled"]),
        devices=_devices(host),
        mounted=tuple(mount["Destination"] for mount in data.get("Mounts") or ()),
        volumes=tuple(mount["Name"] for mount in data.get("Mounts") or () if mount["Type"] == "volume"),
        volume_folders={
            mount["Name"]: mount["Source"] for mount in data.get("Mounts") or () if mount["Type"] == "volume"
        },
        ever_started=started is not None,
        auto_remove=bool(host.get("AutoRemove")),
        memory_limit_bytes=int(host.get("Memory") or 0),
        stop_signal=str(data["Config"].get("StopSignal") or ""),
        confinement=confinement(host, data.get("Mounts") or ()),
    )


def guarding(info: Json) -> Guarding | None:
    """The guard, from ``GET /info``: its program is ``<folder>/runc``."""
    runtime = (info.get("Runtimes") or {}).get(RUNTIME) or {}
    if info.get("DefaultRuntime") != RUNTIME or not runtime.get("path"):
        return None
    return Guarding(folder=str(PurePath(runtime["path"]).parent), data_root=info["DockerRootDir"])


def runc(version: Json) -> str:
    """The version of runc, from ``GET /version``."""
    parts = version.get("Components") or ()
    return next((str(part.get("Version") or "") for part in parts if part.get("Name") == "runc"), "")


def listed(data: Json) -> Observed:
    """A container from ``GET /containers/json``: what the list knows."""
    state = data["State"]
    return Observed(
        id=ContainerId(data["Id"]),
        stored_name=(data.get("Names") or ["/"])[0].removeprefix("/"),
        image=data.get("ImageID", ""),
        labels=data.get("Labels") or {},
        running=state in ("running", "paused", "restarting"),
        paused=state == "paused",
        created_at=datetime.fromtimestamp(data["Created"], UTC),
        ever_started=state != "created",
    )


def confinement(host: Json, mounts: Iterable[Json]) -> Confinement:
    """The walls, from ``HostConfig`` and the mounts there are."""
    modes = {"pid": "PidMode", "ipc": "IpcMode", "uts": "UTSMode", "user": "UsernsMode", "cgroup": "CgroupnsMode",
             "network": "NetworkMode"}  # fmt: skip
    named = [str(host.get(field) or "") for field in modes.values()]
    return Confinement(
        privileged=bool(host.get("Privileged")),
        host=tuple(name for name, field in modes.items() if host.get(field) == "host"),
        capabilities=tuple(str(name).upper().removeprefix("CAP_") for name in host.get("CapAdd") or ()),
        nodes=tuple(device["PathOnHost"] for device in host.get("Devices") or ()),
        rules=tuple(host.get("DeviceCgroupRules") or ()),
        gpus=tuple(_gpus(host)),
        opened=tuple(_opened(host)),
        sources=tuple(mount["Source"] for mount in mounts if mount["Type"] == "bind"),
        joined=tuple(mode.removeprefix("container:") for mode in named if mode.startswith("container:")),
        published=tuple(dict.fromkeys(_published(host))),
        cgroup_parent=str(host.get("CgroupParent") or ""),
        amounts=_amounts(host),
        restart=str((host.get("RestartPolicy") or {}).get("Name") or ""),
    )


def _gpus(host: Json) -> Iterator[str]:
    """UUIDs, or any: a number of them, or NVIDIA's runtime, which reads the environment."""
    for request in host.get("DeviceRequests") or ():
        yield from request.get("DeviceIDs") or (ANY,)
    if str(host.get("Runtime") or "").startswith("nvidia"):
        yield ANY


def _published(host: Json) -> Iterator[str]:
    """A binding without an address is on its network's, which for every network of users is loopback."""
    for many in (host.get("PortBindings") or {}).values():
        yield from (each["HostIp"] for each in many or () if each.get("HostIp") not in (None, "", LOOPBACK))


def _opened(host: Json) -> Iterator[str]:
    """An engine writes its own lists of masked paths down; an empty one was asked for."""
    for option in host.get("SecurityOpt") or ():
        if not option.startswith("no-new-privileges"):
            yield f"the security option '{option[:60]}'"
    for field in ("MaskedPaths", "ReadonlyPaths"):
        if host.get(field) == [] and not host.get("Privileged"):
            yield f"no {field}"


def _amounts(host: Json) -> Amounts:
    """A quota without a period is one of the kernel's usual 100 ms."""
    quota, period = int(host.get("CpuQuota") or 0), int(host.get("CpuPeriod") or 0) or _PERIOD_US
    memory, together = int(host.get("Memory") or 0), int(host.get("MemorySwap") or 0)
    return Amounts(
        cpus=int(host.get("NanoCpus") or 0) / _MINOR_TICKS or max(quota, 0) / period,
        memory_bytes=max(memory, 0),
        swap_bytes=max(together - memory, 0) if together >= 0 else memory + 1,
        pids=max(int(host.get("PidsLimit") or 0), 0),
    )


def _devices(host: Json) -> tuple[str, ...]:
    nodes = [device["PathOnHost"] for device in host.get("Devices") or ()]
    asked = [item for request in host.get("DeviceRequests") or () for item in request.get("DeviceIDs") or ()]
    return (*nodes, *asked)


def image_inspected(data: Json) -> Image:
    """An image from ``GET /images/{name}/json``."""
    config = data.get("Config") or {}
    return Image(
        id=ImageId(data["Id"]),
        tags=(),
        created_at=_known(moment(data.get("Created") or "")),
        size_bytes=int(data["Size"]),
        labels=config.get("Labels") or {},
        digests=tuple(data.get("RepoDigests") or ()),
        health=_health(config),
        volumes=len(config.get("Volumes") or ()),
        heavy=too_heavy(config),
    ).called(data.get("RepoTags") or ())


def _health(config: Json) -> Health:
    checked = config.get("Healthcheck") or {}
    return Health(interval_ns=int(checked.get("Interval") or 0), starting_ns=int(checked.get("StartInterval") or 0))


def image_listed(data: Json) -> Image:
    """An image from ``GET /images/json``."""
    return Image(
        id=ImageId(data["Id"]),
        tags=(),
        created_at=datetime.fromtimestamp(data["Created"], UTC),
        size_bytes=int(data["Size"]),
        labels=data.get("Labels") or {},
        digests=tuple(digest for digest in data.get("RepoDigests") or () if digest != "<none>@<none>"),
    ).called(name for name in data.get("RepoTags") or () if name != "<none>:<none>")


def layers(described: Json, history: list[Json]) -> tuple[Layer, ...]:
    """The layers of an image, and the steps it was built in that are images as well.

    The history has a size for every step and does not say which steps made no layer.
    Where that leaves a choice, a layer without content may get its neighbour's size; their sum is right.
    """
    digests: list[str] = (described.get("RootFS") or {}).get("Layers") or []
    chains = list(accumulate(digests, _chain))
    full = [chain for chain, digest in zip(chains, digests, strict=True) if digest != EMPTY_LAYER]
    sizes = [(int(row.get("Size") or 0), _makes_no_layer(row)) for row in reversed(history)]
    plausible = [size for size, none in sizes if size or not none]
    if len(plausible) == len(chains):
        found = dict(zip(chains, plausible, strict=True))
    else:
        found = dict(zip(full, (size for size, _ in sizes if size), strict=False))
    steps = (str(row.get("Id")) for row in history[1:])
    return (
        *(Layer(id=chain, size_bytes=found.get(chain, 0)) for chain in chains),
        *(Layer(id=step, size_bytes=0, step=True) for step in steps if step.startswith("sha256:")),
    )


def _chain(under: str, digest: str) -> str:
    """The id of a layer on others."""
    return f"sha256:{hashlib.sha256(f'{under} {digest}'.encode()).hexdigest()}"


def _makes_no_layer(row: Json) -> bool:
    """Whether a step without a size is one of those that only change the configuration."""
    text = str(row.get("CreatedBy") or "")
    word = text.removeprefix("/bin/sh -c #(nop) ").strip().partition(" ")[0]
    return word in _NO_LAYER


def disk_use(data: Json) -> DiskUse:
    """What ``GET /system/df`` counts."""
    containers = {ContainerId(row["Id"]): int(row.get("SizeRw") or 0) for row in data.get("Containers") or ()}
    rows = data.get("Volumes") or ()
    volumes = {row["Name"]: max(0, int((row.get("UsageData") or {}).get("Size") or 0)) for row in rows}
    return DiskUse(containers=containers, volumes=volumes)


def cache_record(data: Json) -> CacheRecord:
    """A record of BuildKit's."""
    return CacheRecord(
        id=data["ID"], kind=data.get("Type") or "", description=data.get("Description") or "",
        size_bytes=max(0, int(data.get("Size") or 0)), shared=bool(data.get("Shared")),
        in_use=bool(data.get("InUse")), created_at=_known(moment(data.get("CreatedAt") or "")),
        used_at=moment(data.get("LastUsedAt") or ""),
    )  # fmt: skip


def volume(data: Json) -> VolumeSeen:
    """A volume, listed or inspected."""
    return VolumeSeen(name=data["Name"], labels=data.get("Labels") or {}, folder=data.get("Mountpoint") or "")


def network(data: Json) -> NetworkSeen:
    """A network, listed or inspected."""
    ranges = ((data.get("IPAM") or {}).get("Config")) or ()
    return NetworkSeen(
        id=data["Id"],
        name=data["Name"],
        labels=data.get("Labels") or {},
        created_at=_known(moment(data.get("Created") or "")),
        ranges=tuple(each["Subnet"] for each in ranges if each.get("Subnet")),
        default_bridge=_default_bridge(data.get("Options") or {}),
    )


def _default_bridge(options: Json) -> str:
    """Its interface, where this is the network that the engine began with."""
    default = options.get(f"{_BRIDGE}.default_bridge") == "true"
    return str(options.get(f"{_BRIDGE}.name") or "") if default else ""


def change(data: Json) -> Change:
    """One entry of ``GET /containers/{id}/changes``."""
    return Change(kind=_KINDS[data["Kind"]], path=data["Path"])


def processes(data: Json) -> tuple[Process, ...]:
    """The rows of ``GET /containers/{id}/top`` asked for as pid, user, args."""
    return tuple(Process(pid=int(row[0]), user=row[1], command=row[2]) for row in data.get("Processes") or ())


def usage(data: Json) -> Usage:
    """One reading; memory as people mean it, without the file cache the kernel would give back."""
    memory = data.get("memory_stats") or {}
    details = memory.get("stats") or {}
    cache = int(details.get("total_inactive_file", details.get("inactive_file", 0)))
    networks = (data.get("networks") or {}).values()
    return Usage(
        cpu_seconds=int(data["cpu_stats"]["cpu_usage"]["total_usage"]) / _MINOR_TICKS,
        memory_bytes=max(0, int(memory.get("usage", 0)) - cache),
        memory_limit_bytes=int(memory.get("limit", 0)),
        network_bytes=sum(int(net["rx_bytes"]) + int(net["tx_bytes"]) for net in networks),
        pids=int((data.get("pids_stats") or {}).get("current", 0)),
    )


def event(data: Json) -> EngineEvent:
    """One line of ``GET /events``."""
    actor = data.get("Actor") or {}
    return EngineEvent(
        action=data.get("Action", ""),
        id=actor.get("ID", ""),
        at=datetime.fromtimestamp(data["timeNano"] / _MINOR_TICKS, UTC),
        attributes=actor.get("Attributes") or {},
    )


def _known(value: datetime | None) -> datetime:
    return value if value is not None else datetime.fromtimestamp(0, UTC)
