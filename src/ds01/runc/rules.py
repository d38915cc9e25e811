"""What a container's final configuration may contain, as pure functions over the OCI documents.

Each rule yields what is wrong, in words that follow "it asks for"; nothing at all is permission. Everything is a list
of what may be: what a rule does not know is refused. Source of the shapes: the OCI runtime specification 1.0.2.
"""

from __future__ import annotations

import os

from ds01.runc.grants import Grant, Server, number

TYPE_CHECKING = False  # typing is slow to import, and this runs at every start of a container
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Config = dict[str, Any]
    Joined = Callable[[int], tuple[int, str, bool] | None]
    """The owner and the id of the container a process runs in, and whether everything in it runs as its owner."""

CAPABILITIES = frozenset(
    f"CAP_{name}"
    for name in ("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETFCAP",
                 "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT", "SYS_PTRACE")
)  # fmt: skip
"""What the engine gives by default without MKNOD and NET_RAW, and what debuggers need."""

NOT_GIVEN = frozenset({"CAP_MKNOD", "CAP_NET_RAW"})
"""Given by the engine to whoever does not say otherwise (a build cannot), and taken away here."""

_TOP = {"ociVersion", "process", "root", "hostname", "domainname", "mounts", "hooks", "linux"}
_PROCESS = {"terminal", "consoleSize", "user", "args", "env", "cwd", "capabilities", "rlimits", "noNewPrivileges",
            "apparmorProfile", "oomScoreAdj", "selinuxLabel"}  # fmt: skip
_LINUX = {"sysctl", "resources", "cgroupsPath", "namespaces", "devices", "seccomp", "rootfsPropagation", "maskedPaths",
          "readonlyPaths", "mountLabel"}  # fmt: skip
_RESOURCES = {"devices", "memory", "cpu", "pids", "blockIO", "hugepageLimits"}
_NAMESPACES = {"mount", "network", "uts", "pid", "ipc", "cgroup"}
_NOT_OF_STEPS = {"cgroup"}
"""Under cgroup v1 the engine gives a step of a build none of its own, and nobody can ask for one; it is read-only."""
_MOUNT_TYPES = {"proc", "tmpfs", "devpts", "sysfs", "cgroup", "cgroup2", "mqueue", "bind"}
_MOUNT = {"destination", "type", "source", "options"}
_TAKEN = ("/proc/", "/sys/", "/dev/", "/run/ds01/", "/var/run/ds01/", "/run/nvidia-container-devices/",
          "/var/run/nvidia-container-devices/")  # fmt: skip
_SHARED_MEMORY = "/dev/shm/"  # noqa: S108  a path inside the container
_READ_ONLY_TYPES = {"sysfs", "cgroup", "cgroup2"}
_MUST_MASK = {"/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"}
_MUST_BE_READ_ONLY = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
_DEFAULT_DEVICES = {("c", 1, 3), ("c", 1, 5), ("c", 1, 7), ("c", 1, 8), ("c", 1, 9), ("c", 5, 0), ("c", 5, 1),
                    ("c", 5, 2), ("c", 136, None)}  # fmt: skip
_SYSCTLS = {"kernel.shm_rmid_forced"} | {
    f"net.ipv4.{name}"
    for name in ("ip_local_port_range", "ip_unprivileged_port_start", "tcp_syncookies", "ping_group_range",
                 "ip_local_reserved_ports", "tcp_keepalive_time", "tcp_keepalive_intvl", "tcp_keepalive_probes",
                 "tcp_fin_timeout", "tcp_rmem", "tcp_wmem")
}  # fmt: skip
_OPEN_FILES = 1048576
_SCHEDULING = {"RLIMIT_RTPRIO", "RLIMIT_NICE", "RLIMIT_RTTIME"}
_NAMESPACE_FILES = {"network": "net", "pid": "pid", "ipc": "ipc"}
"""Those that may be shared, and what the kernel calls them."""
_ENGINES_FILES = ("resolv.conf", "hostname", "hosts", "mounts/shm")


def refusals(config: Config, grant: Grant, server: Server, container: str, joined: Joined) -> Iterator[str]:
    """Everything in a container's configuration that was not granted."""
    linux = config.get("linux") or {}
    yield from _unknown(config, _TOP)
    yield from _unknown(linux, _LINUX)
    shared: set[str] = {container}
    yield from _namespaces(linux, grant, joined, shared)
    yield from _mounts(config, grant, server, shared)
    yield from _devices(linux, grant)
    yield from _resources(linux)
    yield from _walls(linux)
    yield from _hooks(config, server)
    yield from process_refusals(config.get("process") or {})
    if grant.gpus and config.get("hooks") and _set(config, "LD_PRELOAD"):
        yield "LD_PRELOAD beside a GPU, which NVIDIA's hooks would load on the host"


def process_refusals(process: Config) -> Iterator[str]:
    """Everything in a process (a container's first, or one that joins it) that nobody may have."""
    yield from _unknown(process, _PROCESS)
    for kind, names in (process.get("capabilities") or {}).items():
        for name in sorted(set(names or ()) - CAPABILITIES - NOT_GIVEN):
            yield f"the capability {name} ({kind})"
    if (process.get("oomScoreAdj") or 0) < 0:
        yield "a negative OOM score"
    if process.get("apparmorProfile") == "unconfined":
        yield "an unconfined AppArmor profile"
    if _in_proc(str(process.get("cwd") or "/")):
        yield f"a start in {process['cwd']}"
    for limit in process.get("rlimits") or ():
        if limit["type"] in _SCHEDULING and limit["hard"]:
            yield f"the limit {limit['type']}"
        if limit["type"] == "RLIMIT_NOFILE" and limit["hard"] > _OPEN_FILES:
            yield f"{limit['hard']} open files"


def _in_proc(path: str) -> bool:
    """Whether a path leads there, however it is written."""
    return os.path.normpath(f"/{path}").lstrip("/").split("/")[0] == "proc"


def _unknown(found: Config, known: set[str]) -> Iterator[str]:
    """A field nobody here knows, unless it says nothing."""
    for name in sorted(found.keys() - known):
        if found[name]:
            yield f"'{name}', which DS01 does not know"


def _set(config: Config, name: str) -> bool:
    variables = (config.get("process") or {}).get("env") or ()
    return any(variable.startswith(f"{name}=") and variable != f"{name}=" for variable in variables)


def _namespaces(linux: Config, grant: Grant, joined: Joined, shared: set[str]) -> Iterator[str]:
    """Namespaces of its own, or of its owner's containers of the same kind; ``shared`` learns which these are."""
    present = {item.get("type"): item.get("path", "") for item in linux.get("namespaces") or ()}
    needed = _NAMESPACES - _NOT_OF_STEPS if grant.step else _NAMESPACES
    for kind in sorted(needed - present.keys()):
        yield f"the host's {kind} namespace"
    for kind in sorted(present.keys() - _NAMESPACES):
        yield f"a {kind} namespace"
    for kind, path in present.items():
        if path:
            yield from _shared_namespace(kind, path, grant, joined, shared)


def _shared_namespace(kind: str, path: str, grant: Grant, joined: Joined, shared: set[str]) -> Iterator[str]:
    pid = number(path.removeprefix("/proc/").partition("/")[0])
    known = pid is not None and path == f"/proc/{pid}/ns/{_NAMESPACE_FILES.get(kind)}"
    other = joined(pid) if known and pid is not None else None
    if other is None or other[0] != grant.uid:
        yield f"the {kind} namespace {path} of somebody else"
    elif other[2] != (grant.owner is not None):
        yield f"the {kind} namespace of a container {'' if other[2] else 'not '}bound to its owner's uid"
    else:
        shared.add(other[1])


def _mounts(config: Config, grant: Grant, server: Server, shared: set[str]) -> Iterator[str]:
    for mount in config.get("mounts") or ():
        kind, source, target = mount.get("type", "bind"), mount.get("source", ""), mount.get("destination")
        options = set(mount.get("options") or ())
        yield from _unknown(mount, _MOUNT)
        if kind not in _MOUNT_TYPES:
            yield f"a mount of type {kind}"
        if kind in _READ_ONLY_TYPES and "ro" not in options:
            yield f"a writable {target}"
        if options & {"shared", "rshared", "slave", "rslave"}:
            yield f"a mount at {target} that the host shares"
        if kind == "bind" or options & {"bind", "rbind"}:
            yield from _bind(source, str(target), options, grant, server, shared)
    root = str((config.get("root") or {}).get("path", ""))
    if not root.startswith(f"{server.data_root}/") or ".." in root:
        yield f"the root file system {root}"
    if (config.get("linux") or {}).get("rootfsPropagation") in ("shared", "rshared", "slave", "rslave"):
        yield "a root file system that the host shares"


def _bind(
    source: str, target: str, options: set[str], grant: Grant, server: Server, shared: set[str]
) -> Iterator[str]:  # fmt: skip
    if source in grant.binds:
        if grant.owner is None and source.startswith(f"{server.folders}/"):
            yield "a folder of the host in a container that may run as root"
        return
    if (source in server.init and "ro" in options) or _of_the_engine(source, server, shared):
        return
    if grant.gpus and "ro" in options and ".." not in source and source.startswith(server.driver):
        return
    if grant.prefixes and source.startswith(grant.prefixes) and ".." not in source:
        return
    if source not in {f"{server.data_root}/volumes/{name}/_data" for name in grant.volumes}:
        yield f"the host's {source}"
    elif _taken(target):
        yield f"a volume at {target}"


def _taken(target: str) -> bool:
    """Whether a place is the engine's or DS01's own, however it is written; an image, too, may want volumes there."""
    clean = f"/{os.path.normpath(f'/{target}').lstrip('/')}/"
    return clean == "//" or (clean.startswith(_TAKEN) and not clean.startswith(_SHARED_MEMORY))


def _of_the_engine(source: str, server: Server, shared: set[str]) -> bool:
    """The files the engine itself makes for this container, or for one it shares namespaces with."""
    return source in {f"{server.data_root}/containers/{one}/{name}" for one in shared for name in _ENGINES_FILES}


def _devices(linux: Config, grant: Grant) -> Iterator[str]:
    for node in linux.get("devices") or ():
        if (node.get("type"), node.get("major"), node.get("minor")) not in grant.devices:
            yield f"the device {node.get('path')}"
    for rule in (linux.get("resources") or {}).get("devices") or ():
        named = (rule.get("type"), rule.get("major"), rule.get("minor"))
        if rule.get("allow") and not _harmless(named, rule) and named not in grant.devices:
            yield "access to {} {}:{}".format(*("*" if part is None else part for part in named))


def _harmless(named: tuple[Any, Any, Any], rule: Config) -> bool:
    """A device every container has, or making a node: without the capability nobody makes one, nor opens it."""
    return named in _DEFAULT_DEVICES or (named[0] in ("c", "b") and rule.get("access") == "m")


def _resources(linux: Config) -> Iterator[str]:
    resources = linux.get("resources") or {}
    yield from _unknown(resources, _RESOURCES)
    if (resources.get("memory") or {}).get("disableOOMKiller"):
        yield "an exemption from being ended when memory is short"
    if (resources.get("cpu") or {}).get("realtimeRuntime"):
        yield "real-time CPU time"


def _walls(linux: Config) -> Iterator[str]:
    for path in sorted(_MUST_MASK - set(linux.get("maskedPaths") or ())):
        yield f"an unmasked {path}"
    for path in sorted(_MUST_BE_READ_ONLY - set(linux.get("readonlyPaths") or ())):
        yield f"a writable {path}"
    for name in sorted(linux.get("sysctl") or ()):
        if name not in _SYSCTLS and not _of_an_interface(name):
            yield f"the kernel setting {name}"


def _of_an_interface(name: str) -> bool:
    """``net.ipv6.conf.<interface>.disable_ipv6``."""
    words = name.split(".")
    return len(words) == 5 and words[:3] == ["net", "ipv6", "conf"] and words[4] == "disable_ipv6" and bool(words[3])


def _hooks(config: Config, server: Server) -> Iterator[str]:
    for hooks in (config.get("hooks") or {}).values():
        for hook in hooks or ():
            path, arguments = hook.get("path", ""), hook.get("args") or [""]
            engine = "libnetwork-setkey" in arguments[:2] and _is_itself(path)
            if not engine and path not in server.hooks:
                yield f"the hook {path}"


def _is_itself(path: str) -> bool:
    """The engine's own program, as it calls itself."""
    words = path.split("/")
    return (
        len(words) == 4
        and words[:2] == ["", "proc"]
        and words[3] == "exe"
        and (words[2] == "self" or number(words[2]) is not None)
    )
