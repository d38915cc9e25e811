"""What the guard writes into a configuration: who the processes are, what they may call, which GPUs they see, and what
hooks are told.

A container is of one of two kinds, by its grant. In one that is its *owner's* everything runs as her, without
capabilities and without a way to new ones: she reaches into it from her shell (``/proc/PID/root``), and finds only
herself. One *with root* has a user namespace of its own, in which every uid is what it is outside: the kernel lets
nobody outside reach into its processes, whatever their uid, and it gets no folder of the host through which an open
file could come in.
"""

from __future__ import annotations

from ds01.runc.grants import Grant
from ds01.runc.hooks import told
from ds01.runc.kernel import counts_by_uid_alone
from ds01.runc.nodes import DRIVER, files_of_proc, nodes_inside, split
from ds01.runc.refusal import RefusedError
from ds01.runc.rules import NOT_GIVEN
from ds01.runc.seccomp import narrowed

TYPE_CHECKING = False  # typing is slow to import, and this runs at every start of a container
if TYPE_CHECKING:
    from typing import Any

    Config = dict[str, Any]

KIND = "ds01.guard"
"""The annotation by which a later exec knows the container's kind; runc keeps it with the container's state."""
WITH_ROOT = "root"
OUTSIDE = "outside"

EVERYBODY = [{"containerID": 0, "hostID": 0, "size": 0xFFFFFFFF}]
"""Every uid is itself."""

_QUEUES, _QUEUE_BYTES = "RLIMIT_MSGQUEUE", 409600
"""Half of what the kernel lets root have."""

VISIBLE = "NVIDIA_VISIBLE_DEVICES"
_ASKS_FOR_DEVICES = ("NVIDIA_MIG_", "NVIDIA_IMEX_CHANNELS", "NVIDIA_GDS", "NVIDIA_MOFED", "NVIDIA_GDRCOPY",
                     "NVIDIA_NVSWITCH", "NVIDIA_DISABLE_REQUIRE", "SWARM_RESOURCE_GPU=")  # fmt: skip


def kind_of(grant: Grant) -> str:
    """The kind as text: ``root``, or ``uid:gid`` of the owner."""
    return WITH_ROOT if grant.owner is None else f"{grant.owner[0]}:{grant.owner[1]}"


def read_kind(text: str) -> tuple[int, int] | None:
    """The owner a kind names, None for one with root."""
    if text == WITH_ROOT:
        return None
    uid, gid = text.split(":")
    return int(uid), int(gid)


def edited(config: Config, grant: Grant) -> Config:
    """The configuration runc gets."""
    linux = {**config["linux"], "seccomp": narrowed(config["linux"].get("seccomp"))}
    mounts = list(config.get("mounts") or ())
    if grant.owner is None:
        devices, more = split(linux.get("devices") or [])
        mounts += more
        linux |= {"devices": devices, **_of_the_host(linux, grant), **_user_namespace(linux["namespaces"])}
    return {
        **config,
        "mounts": mounts,
        "process": edited_process(config["process"], grant.owner, grant.gpus),
        "hooks": told(config.get("hooks") or {}),
        "linux": linux,
        "annotations": {KIND: kind_of(grant)},
    }


def _of_the_host(linux: Config, grant: Grant) -> Config:
    """What root may not change although it has the uid that owns it, and what it may not see."""
    masked = [*(linux.get("maskedPaths") or ()), *(() if grant.gpus else (DRIVER,))]
    read_only = [*(linux.get("readonlyPaths") or ()), *nodes_inside(linux.get("devices") or [], grant)]
    return {"maskedPaths": masked, "readonlyPaths": [*read_only, *files_of_proc(frozenset((*masked, *read_only)))]}


def _user_namespace(namespaces: list[Config]) -> Config:
    """A user namespace of its own; that of the container it shares others with, because those belong to it."""
    pids = {path.split("/")[2] for each in namespaces if (path := each.get("path"))}
    if len(pids) > 1:
        raise RefusedError("namespaces of several other containers")
    own = {"type": "user"} | ({"path": f"/proc/{pids.pop()}/ns/user"} if pids else {})
    return {"namespaces": [*namespaces, own], "uidMappings": EVERYBODY, "gidMappings": EVERYBODY}


def edited_process(process: Config, owner: tuple[int, int] | None, gpus: frozenset[str] | None) -> Config:
    """The process runc gets. ``gpus`` None is for one that joins later: nobody gives it devices by its variables."""
    found = {**process, "capabilities": _capabilities(process.get("capabilities") or {})}
    if gpus is not None:
        found["env"] = _environment(process.get("env") or [], gpus)
    if owner is not None:
        found["user"] = {"uid": owner[0], "gid": owner[1], "additionalGids": [], **_umask(process)}
        found["capabilities"] = {}
        found["noNewPrivileges"] = True
    elif counts_by_uid_alone():
        found["rlimits"] = _leaving_queues(process.get("rlimits") or [])
    return found


def _leaving_queues(limits: list[Config]) -> list[Config]:
    """Limits with which all that is root's in containers together leaves half of the queues to the server's root."""
    most = {"soft": _QUEUE_BYTES, "hard": _QUEUE_BYTES}
    asked = next((limit for limit in limits if limit["type"] == _QUEUES), most)
    kept = {name: min(asked[name], most[name]) for name in most}
    return [*(limit for limit in limits if limit["type"] != _QUEUES), {"type": _QUEUES, **kept}]


def _umask(process: Config) -> Config:
    user = process.get("user") or {}
    return {"umask": user["umask"]} if "umask" in user else {}


def _capabilities(sets: Config) -> Config:
    return {kind: [name for name in names or () if name not in NOT_GIVEN] for kind, names in sets.items()}


def _environment(variables: list[str], gpus: frozenset[str]) -> list[str]:
    """Without what asks NVIDIA's hooks for devices; the GPUs are those of the lease, or none."""
    kept = [variable for variable in variables if not variable.startswith((f"{VISIBLE}=", *_ASKS_FOR_DEVICES))]
    asked = [variable.partition("=")[2] for variable in variables if variable.startswith(f"{VISIBLE}=")]
    leased = asked and set(asked[-1].split(",")) <= gpus
    return [*kept, f"{VISIBLE}={asked[-1] if leased else 'void'}"]
