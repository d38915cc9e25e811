"""A plan and a grant become the body the engine gets: written anew, every limit set, nothing of the client's bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ds01.domain.dockerpolicy.case import AskedSocket, AskedTmpfs, AskedVolume, Case, Joined, Kept, Plan
from ds01.domain.dockerpolicy.isolation import ALWAYS_DROPPED
from ds01.domain.dockerpolicy.logs import DEFAULT
from ds01.domain.dockerpolicy.resources import OOM_SCORE
from ds01.domain.dockerpolicy.running import NO_RESTART
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.gpu import NONE_VISIBLE, VISIBLE
from ds01.domain.health import STARTING_API, UNSAID, Health, slowed
from ds01.domain.labels import TRUSTED
from ds01.gateway import ports
from ds01.wire.door import DoorGrant, StagedBind

VOID = f"{VISIBLE}={NONE_VISIBLE}"
HOME = "/tmp"  # noqa: S108  in the container, where everything runs as one user
"""The home of who has none in the image: editors and Jupyter keep things there, and ``/`` is not hers to write."""

PRELOAD = "LD_PRELOAD"
"""Emptied where NVIDIA's hooks put the GPU in: to runc they have the container's variables, if the guard gives none."""

WRITTEN_AS = {"": "consistent", "ro": "cached", "rw": "delegated"}
"""How a bind was written, as one of the words for ``Consistency``, which only other systems than Linux heed."""

SHORT = 12
CPU_NANO = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Blueprint:
    """The image of a create: its id, its command, variables, ports, volumes, and how often it wants checks."""

    id: str
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    health: Health = UNSAID
    api: tuple[int, int] = STARTING_API
    """The version in which the engine is spoken to."""


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """What the names in a plan stand for: full ids of containers, the engine's names of networks."""

    containers: Mapping[str, str]
    networks: Mapping[str, str]
    socket: str = ""
    """The user's own socket."""


def body(plan: Plan, grant: DoorGrant, image: Blueprint, found: Resolved) -> dict[str, Json]:
    """The whole body."""
    ids = found.containers
    config = {name: resolved(value, ids) for name, value in plan.config.items()}
    config |= {
        "Image": image.id,
        "Env": _environment(plan.case.environment, grant, image),
        "Labels": _labels(plan.case.labels, grant),
        "Volumes": {target: {} for target in plan.case.anonymous},
        "StopTimeout": config.get("StopTimeout", grant.stop_grace_seconds),
    }
    if health := _slowed(config.get("Healthcheck"), image):
        config["Healthcheck"] = health
    if grant.force_user:
        config["User"] = grant.force_user
    config["HostConfig"] = _host(plan, grant, image, found)
    config["NetworkingConfig"] = {"EndpointsConfig": _endpoints(plan, found)}
    return config


def _slowed(asked: Json, image: Blueprint) -> dict[str, Json]:
    """A check as often as the image wants would keep the engine busy; what the user says of it was judged."""
    found: dict[str, Json] = dict(asked) if isinstance(asked, dict) else {}
    needed = slowed(image.health, image.api)
    return found | {name: every for name, every in needed.items() if name == "StartPeriod" or not found.get(name)}


def _host(plan: Plan, grant: DoorGrant, image: Blueprint, found: Resolved) -> dict[str, Json]:
    case = plan.case
    host = {name: resolved(value, found.containers) for name, value in plan.host.items() if name != "Links"}
    given: dict[str, Json] = {
        "Privileged": False,
        "CgroupParent": grant.cgroup_parent,
        "NanoCpus": int(grant.cpus * CPU_NANO),
        "Memory": grant.memory_bytes,
        "MemorySwap": grant.memory_bytes + grant.swap_bytes,
        "MemoryReservation": min(case.memory_reservation_bytes, grant.memory_bytes),
        "ShmSize": grant.shm_bytes,
        "PidsLimit": grant.pids,
        "OomScoreAdj": OOM_SCORE,
        "LogConfig": host.get("LogConfig") or DEFAULT,
        "IpcMode": host.get("IpcMode", "private"),
        "CgroupnsMode": "private",
        "CapDrop": _dropped_capabilities(host.get("CapDrop"), grant),
        "SecurityOpt": ["no-new-privileges"] if grant.force_user or case.no_new_privileges else [],
        "Binds": [_volume_bind(volume, grant) for volume in case.volumes if volume.bind],
        "Mounts": [*_mounts(case, grant), *(_socket(asked, found.socket) for asked in case.sockets)],
        "NetworkMode": host.get("NetworkMode") or found.networks[case.network],
        "Devices": [
            {"PathOnHost": device.host, "PathInContainer": device.inside, "CgroupPermissions": device.permissions}
            for device in grant.devices
        ],
        "DeviceRequests": [
            {"Driver": ask.driver, "Count": 0, "DeviceIDs": list(ask.ids), "Capabilities": [list(ask.capabilities)]}
            for ask in grant.requests
        ],
    }
    if spelled := {m.target: _options(m, grant.memory_bytes) for m in case.tmpfs if not m.mount}:
        given["Tmpfs"] = spelled
    if grant.force_user:
        given |= {"CapAdd": [], "GroupAdd": []}
    if grant.devices or grant.requests:
        given["RestartPolicy"] = NO_RESTART
    if "PortBindings" in host or case.publish_all:
        given["PortBindings"] = ports.bindings(host.get("PortBindings"), case, grant, (*case.exposed, *image.ports))
    return host | given


def resolved(value: Kept, ids: Mapping[str, str]) -> Json:
    """Full ids for the containers a field names."""
    if isinstance(value, Joined):
        return f"{value.prefix}{ids[value.ref]}{value.suffix}"
    if isinstance(value, list):
        return [f"{x.prefix}{ids[x.ref]}{x.suffix}" if isinstance(x, Joined) else x for x in value]
    return value


def endpoint(asked: Mapping[str, Kept], ids: Mapping[str, str]) -> dict[str, Json]:
    """What was kept of one endpoint's settings."""
    return {key: linked(value, ids) if key == "Links" else resolved(value, ids) for key, value in asked.items()}


def aliases(name: str, settings: Mapping[str, Json]) -> list[Json]:
    """The plain name before what was asked for, so that it is known which one DS01 added."""
    asked = settings.get("Aliases")
    return [name, *(asked if isinstance(asked, list) else [])]


def linked(value: Kept, ids: Mapping[str, str]) -> Json:
    """Links by the short ids of what is linked: on networks every container is known by that, and by no longer one."""
    return resolved(value, {ref: known[:SHORT] for ref, known in ids.items()})


def _environment(asked: Sequence[str], grant: DoorGrant, image: Blueprint) -> list[Json]:
    given = {name: f"{name}={value}" for name, value in grant.environment.items()}
    if grant.force_user and not any(entry.startswith("HOME=") for entry in (*asked, *image.environment)):
        given["HOME"] = f"HOME={HOME}"
    if grant.requests:
        given[PRELOAD] = f"{PRELOAD}="
    given.setdefault(VISIBLE, VOID)
    return [*(entry for entry in asked if entry.split("=", 1)[0] not in given), *given.values()]


def _labels(asked: Mapping[str, str], grant: DoorGrant) -> dict[str, Json]:
    return {**asked, **dict.fromkeys(TRUSTED, ""), **grant.labels}


def _dropped_capabilities(asked: Json, grant: DoorGrant) -> list[Json]:
    if grant.force_user:
        return ["ALL"]
    found: list[Json] = list(ALWAYS_DROPPED)
    return found + asked if isinstance(asked, list) else found


def _mounts(case: Case, grant: DoorGrant) -> list[Json]:
    return [
        *(_bind(bind, asked.mode) for bind, asked in zip(grant.binds, case.binds, strict=True)),
        *(_bind(bind) for bind in grant.mounts),
        *(_tmpfs(mount, grant.memory_bytes) for mount in case.tmpfs if mount.mount),
        *(_volume(volume, grant) for volume in case.volumes if not volume.bind),
    ]


def _socket(asked: AskedSocket, path: str) -> Json:
    return _bind(StagedBind(staged=path, target=asked.target, read_only=asked.read_only), asked.mode)


def _volume_bind(volume: AskedVolume, grant: DoorGrant) -> Json:
    """As it was written. The volume is there by now, so the engine makes none."""
    options = ["ro" if volume.read_only else "rw", *([] if volume.copy else ["nocopy"])]
    return f"{grant.volumes[volume.name]}:{volume.target}:{','.join(options)}"


def _volume(volume: AskedVolume, grant: DoorGrant) -> Json:
    options: dict[str, Json] = {"NoCopy": not volume.copy}
    if volume.subpath:
        options["Subpath"] = volume.subpath
    if not volume.name:
        options |= {"Labels": dict(volume.labels), "DriverConfig": {"Name": "local", "Options": dict(volume.options)}}
    source = {"Source": grant.volumes[volume.name]} if volume.name else {}
    return {
        "Type": "volume", **source, "Target": volume.target, "ReadOnly": volume.read_only, "VolumeOptions": options,
    }  # fmt: skip


def _bind(bind: StagedBind, mode: str | None = None) -> Json:
    """With ``Binds`` the engine would make a folder that is gone, as root. What was written so is marked, to be shown
    so again: the mark means nothing on Linux.
    """
    marked: dict[str, Json] = {} if mode is None else {"Consistency": WRITTEN_AS[mode]}
    return {
        "Type": "bind", "Source": bind.staged, "Target": bind.target, "ReadOnly": bind.read_only,
        "BindOptions": {"Propagation": "rprivate"}, **marked,
    }  # fmt: skip


def _tmpfs(mount: AskedTmpfs, memory_bytes: int) -> Json:
    return {
        "Type": "tmpfs", "Target": mount.target, "ReadOnly": "ro" in mount.options,
        "TmpfsOptions": {"SizeBytes": _size(mount, memory_bytes), "Mode": _mode(mount)},
    }  # fmt: skip


def _options(mount: AskedTmpfs, memory_bytes: int) -> Json:
    """As ``--tmpfs`` spells it; the size as it was written when it may be so."""
    size = _size(mount, memory_bytes)
    spelled = mount.size_text if size == mount.size_bytes and mount.size_text else str(size)
    kept = [f"mode={_mode(mount):o}" if o.startswith("mode=") else o for o in mount.options]
    return ",".join((f"size={spelled}", *kept))


def _size(mount: AskedTmpfs, memory_bytes: int) -> int:
    most = memory_bytes // 2
    return min(mount.size_bytes, most) if mount.size_bytes > 0 else most


def _mode(mount: AskedTmpfs) -> int:
    return 0o1777 & next((int(o.removeprefix("mode="), 8) for o in mount.options if o.startswith("mode=")), 0o1777)


def _endpoints(plan: Plan, found: Resolved) -> dict[str, Json]:
    """On each network the user's other containers find this one by the name she knows."""
    ends: dict[str, Json] = {}
    for name in plan.networks:
        settings = endpoint(plan.endpoints.get(name, {}), found.containers)
        settings["Aliases"] = aliases(plan.name, settings)
        if not name and "Links" in plan.host and "Links" not in settings:
            settings["Links"] = linked(plan.host["Links"], found.containers)
        ends[found.networks[name]] = settings
    return ends
