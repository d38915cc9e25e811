"""Everything that puts files into a container, as one model: binds, mounts, file systems in memory, volumes.

Where a folder of the host may come from is not decided by its spelling: ds01d opens it with the user's own rights
and pins it. Here only what can never be right is refused, so that the sentence is a good one.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from ds01.domain.dockerpolicy import shape
from ds01.domain.dockerpolicy.case import AskedBind, AskedSocket, AskedTmpfs, AskedVolume, Case
from ds01.domain.dockerpolicy.field import DROP, Dropped, Field
from ds01.domain.dockerpolicy.labels import labels
from ds01.domain.dockerpolicy.names import volume_name
from ds01.domain.dockerpolicy.strictjson import Json, is_zero
from ds01.domain.dockerpolicy.verdict import EngineWordsError, RefusedError, malformed, not_allowed
from ds01.domain.dockerpolicy.volumes import check_driver, driver_options, tmpfs_size

_SYSTEM_TARGETS = ("/proc", "/sys", "/dev", "/run/ds01", "/var/run/ds01", "/run/nvidia-container-devices",
                   "/var/run/nvidia-container-devices")  # fmt: skip
_SYSTEM_SOURCES = ("/proc", "/sys", "/dev", "/run", "/var/run", "/boot", "/etc")
_ENGINE_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock", "/run/ds01/docker.sock", "/var/run/ds01/docker.sock")
_BIND_OPTIONS = frozenset({"rw", "ro", "z", "Z", "private", "rprivate", "rslave", "nocopy",
                           "cached", "delegated", "consistent", "default"})  # fmt: skip
_ENGINES_NAME = re.compile(r"[0-9a-f]{64}")
_PROPAGATIONS = frozenset({"", "private", "rprivate", "rslave"})
_TMPFS_OPTIONS = re.compile(r"rw|ro|noexec|exec|nosuid|nodev|mode=[0-7]{1,4}|uid=\d{1,10}|gid=\d{1,10}")
_PLAIN_SIZE = re.compile(r"[0-9]{1,15}[kKmMgG]?")
_PATH, _OPTIONS = 4096, 1024
"""Characters of a path, the kernel's most, and of the options of one mount."""

_SHARED = ("shared", "rshared", "slave")
_MOUNT = shape.names(
    "Type", "Source", "Target", "ReadOnly", "Consistency",
    "BindOptions", "VolumeOptions", "TmpfsOptions", "ImageOptions", "ClusterOptions",
)  # fmt: skip
_BIND = shape.names("Propagation", "NonRecursive", "CreateMountpoint", "ReadOnlyNonRecursive", "ReadOnlyForceRecursive")
_VOLUME = shape.names("NoCopy", "Labels", "DriverConfig", "Subpath")
_TMPFS = shape.names("SizeBytes", "Mode", "Options")
_CONSISTENCIES = frozenset({"", "default", "consistent", "cached", "delegated"})


def target(path: str, rule: str) -> str:
    """A place in the container where something may be mounted."""
    path = _short("a mount's target", shape.text("a mount's target", path), _PATH)
    if not path.startswith("/") or ".." in path.split("/"):
        raise malformed(rule, f"the target {path!r} must be an absolute path without '..'")
    clean = _clean(path)
    if _taken(clean):
        raise not_allowed(rule, f"mounting over {clean}", "Mount it somewhere else, for example below /mnt.")
    return clean


def check_places(of_image: Iterable[str]) -> None:
    """The places of an image's volumes, which the engine reads as it likes: from the root, with every ``..``. Raises
    RefusedError for one where nobody may mount anything.
    """
    for place in of_image:
        clean = _clean(posixpath.normpath(f"/{place}"))
        if _taken(clean):
            what = f"the image's volume at {clean!r}"
            raise not_allowed(
                "create.volumes", what, "Take that VOLUME out of its Dockerfile, or use another image."
            )  # fmt: skip


def _taken(clean: str) -> bool:
    """Whether a place is the engine's or DS01's own."""
    below_shm = _below(clean, ("/dev/shm",))  # noqa: S108  a path inside the container
    return clean == "/" or (_below(clean, _SYSTEM_TARGETS) and not below_shm)


def _short(what: str, text: str, most: int) -> str:
    """It is taken apart, which costs by its length."""
    if len(text) > most:
        raise malformed("create.mounts", f"{what} is longer than {most} characters")
    return text


def _clean(path: str) -> str:
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))


def source(path: str) -> str:
    """A path of the host that could be the user's; whether it is, is found out by opening it as her."""
    if ".." in path.split("/"):
        raise malformed("create.mounts", f"the folder {path!r} contains '..'", "Write the path itself.")
    clean = _clean(path)
    if clean == "/" or _below(clean, _SYSTEM_SOURCES):
        raise not_allowed(
            "create.mounts", f"mounting {clean} of the host", "Mount a folder of your own, for example in ~/workspace."
        )
    return clean


def _below(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def _binds(case: Case, value: Json) -> Dropped:
    for entry in shape.texts("HostConfig.Binds", value):
        _bind(case, entry)
    return DROP


def _bind(case: Case, entry: str) -> None:
    parts = entry.split(":", 3)
    if len(parts) not in (2, 3):
        raise malformed("create.binds", f"{entry!r} is no bind", "Write it like /home/you/data:/data:ro.")
    options = _short("the options of a bind", parts[2], _OPTIONS).split(",") if len(parts) == 3 else []
    for option in options:
        if option in _SHARED:
            raise _propagation(option)
        if option not in _BIND_OPTIONS:
            raise malformed("create.binds", f"{option!r} in {entry!r} is no option of a bind")
    read_only, place = "ro" in options, target(parts[1], "create.binds")
    if not parts[0].startswith("/"):
        case.volumes.append(
            AskedVolume(
                name=_volume(parts[0]), target=place, read_only=read_only, copy="nocopy" not in options, bind=True
            )
        )
        return
    mode = "ro" if read_only else "rw" if len(parts) == 3 else ""
    _from_host(case, parts[0], place, read_only=read_only, create=True, mode=mode)


def _from_host(
    case: Case, path: str, place: str, *, read_only: bool, create: bool, mode: str | None = None
) -> None:  # fmt: skip
    """Something of the host; the engine's socket is the user's own one."""
    _short("a mount's source", path, _PATH)
    if _clean(path) in _ENGINE_SOCKETS and ".." not in path.split("/"):
        case.sockets.append(AskedSocket(target=place, read_only=read_only, mode=mode))
        return
    case.binds.append(AskedBind(source=source(path), target=place, read_only=read_only, create=create, mode=mode))


def _volume(name: str) -> str:
    """What a user calls a volume. One the engine named is hers or not there."""
    return name if _ENGINES_NAME.fullmatch(name) else volume_name(name)


def _propagation(mode: str) -> RefusedError:
    return not_allowed("create.mounts.propagation", f"the propagation '{mode}'", "Leave it out.")


def _mounts(case: Case, value: Json) -> Dropped:
    for index, entry in enumerate(shape.items("HostConfig.Mounts", value)):
        mount = shape.struct(f"HostConfig.Mounts[{index}]", entry, _MOUNT)
        if shape.text("Consistency", mount.get("Consistency")) not in _CONSISTENCIES:
            raise malformed("create.mounts", "Consistency has an unknown value")
        kind = shape.text("Type", mount.get("Type"))
        if kind not in (*_KINDS, *_OTHERS):
            what = f'invalid mount config for type "{kind}": mount type unknown'
            raise EngineWordsError("create.mounts.type", what, status=400)
        if kind not in _KINDS:
            raise not_allowed("create.mounts.type", f"a mount of type '{kind}'", "Use bind, tmpfs or volume.")
        _KINDS[kind](case, mount)
    return DROP


def _only(mount: shape.Struct, own: str) -> None:
    """Options of another type than the mount's are refused."""
    for name in ("BindOptions", "VolumeOptions", "TmpfsOptions", "ImageOptions", "ClusterOptions"):
        if name != own and not is_zero(mount.get(name)):
            raise malformed("create.mounts", f"{mount.name}.{name} does not belong to this type of mount")


def _mount_bind(case: Case, mount: shape.Struct) -> None:
    _only(mount, "BindOptions")
    options = shape.struct(f"{mount.name}.BindOptions", mount.get("BindOptions"), _BIND)
    propagation = shape.text("Propagation", options.get("Propagation"))
    if propagation not in _PROPAGATIONS:
        raise _propagation(propagation)
    for name in ("NonRecursive", "ReadOnlyNonRecursive", "ReadOnlyForceRecursive"):
        shape.flag(name, options.get(name))
    path = shape.text("Source", mount.get("Source"))
    if not path.startswith("/"):
        raise malformed("create.mounts", f"the source {path!r} of a bind must be an absolute path")
    _from_host(
        case, path, target(shape.text("Target", mount.get("Target")), "create.mounts"),
        read_only=shape.flag("ReadOnly", mount.get("ReadOnly")),
        create=shape.flag("CreateMountpoint", options.get("CreateMountpoint")),
    )  # fmt: skip


def _mount_volume(case: Case, mount: shape.Struct) -> None:
    _only(mount, "VolumeOptions")
    options = shape.struct(f"{mount.name}.VolumeOptions", mount.get("VolumeOptions"), _VOLUME)
    driver = shape.struct("DriverConfig", options.get("DriverConfig"), shape.names("Name", "Options"))
    check_driver(shape.text("Name", driver.get("Name")))
    name = shape.text("Source", mount.get("Source"))
    case.volumes.append(
        AskedVolume(
            name=_volume(name) if name else "",
            target=target(shape.text("Target", mount.get("Target")), "create.mounts"),
            read_only=shape.flag("ReadOnly", mount.get("ReadOnly")),
            copy=not shape.flag("NoCopy", options.get("NoCopy")),
            subpath=_subpath(shape.text("Subpath", options.get("Subpath"))),
            labels=labels(case, options.get("Labels"), f"{mount.name}.VolumeOptions.Labels"),
            options=driver_options(driver.get("Options"), case.asker),
        )
    )


def _subpath(path: str) -> str:
    if path.startswith("/") or ".." in _short("a part of a volume", path, _PATH).split("/"):
        raise malformed("create.volumes.subpath", f"the part {path!r} of a volume must be a path in it without '..'")
    return path


def _mount_tmpfs(case: Case, mount: shape.Struct) -> None:
    _only(mount, "TmpfsOptions")
    if not is_zero(mount.get("Source")):
        raise malformed("create.mounts", "a tmpfs has no source")
    options = shape.struct(f"{mount.name}.TmpfsOptions", mount.get("TmpfsOptions"), _TMPFS)
    if not is_zero(options.get("Options")):
        raise not_allowed("create.tmpfs", "options of a tmpfs mount", "Use --tmpfs with options.")
    mode = shape.integer("Mode", options.get("Mode"))
    kept = [f"mode={mode & 0o1777:o}"] if mode else []
    if shape.flag("ReadOnly", mount.get("ReadOnly")):
        kept.append("ro")
    case.tmpfs.append(
        AskedTmpfs(
            target=target(shape.text("Target", mount.get("Target")), "create.mounts"),
            size_bytes=shape.integer("SizeBytes", options.get("SizeBytes")),
            options=tuple(kept),
            mount=True,
        )
    )


_OTHERS = ("npipe", "cluster", "image")
_KINDS = {"bind": _mount_bind, "volume": _mount_volume, "tmpfs": _mount_tmpfs}


def _tmpfs(case: Case, value: Json) -> Dropped:
    for path, spelled in shape.text_map("HostConfig.Tmpfs", value).items():
        asked, written, options = 0, "", []
        for option in filter(None, _short("the options of a tmpfs", spelled, _OPTIONS).split(",")):
            if option.startswith("size="):
                written = option.removeprefix("size=")
                asked = tmpfs_size(written)
            elif _TMPFS_OPTIONS.fullmatch(option):
                options.append(option)
            else:
                raise not_allowed("create.tmpfs", f"the tmpfs option '{option}'", "Use size, mode, uid, gid, ro.")
        text = written if _PLAIN_SIZE.fullmatch(written) else ""
        place = target(path, "create.tmpfs")
        case.tmpfs.append(AskedTmpfs(target=place, size_bytes=asked, options=tuple(options), size_text=text))
    return DROP


MOUNTS: tuple[Field, ...] = (
    Field(name="Binds", rule="create.binds", judge=_binds,
          says="folders you own, opened with your rights and pinned; never `..`, system folders, sockets, `rshared`. "
               "A name is a volume of yours, made when it is not there; the engine's socket is your own one"),
    Field(name="Mounts", rule="create.mounts", judge=_mounts,
          says="types bind (as `Binds`), tmpfs, and volume: your own, made when it is not there"),
    Field(name="Tmpfs", rule="create.tmpfs", judge=_tmpfs, says="size always set, at most half the memory"),
)  # fmt: skip
"""The fields of ``HostConfig`` that mount something."""
