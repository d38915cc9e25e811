"""The walls between a container and the host: namespaces, capabilities, security options.

Everything here is a list of what may be, never of what may not: an engine learns new ways out faster than a list of
them can.
"""

from __future__ import annotations

import re

from ds01.domain.confinement import CAPABILITIES
from ds01.domain.dockerpolicy import shape
from ds01.domain.dockerpolicy.case import Case, Joined
from ds01.domain.dockerpolicy.field import DROP, Dropped, Field, dropped, kept, must_be_empty
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.verdict import absent, malformed, not_allowed

ALWAYS_DROPPED = ("MKNOD", "NET_RAW")
"""Device nodes reach GPUs and disks; they come from a lease or not at all. Raw packets have any sender and any
protocol: the fence around users' networks believes the one and knows not all of the other. `ping` works without."""

_CAPABILITY = re.compile(r"[A-Z_]{1,40}")
_GROUP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
    }
)  # fmt: skip
_SYSCTL_VALUE = re.compile(r"[0-9 \t,-]{1,64}")


def container_ref(ref: str) -> str:
    """What somebody calls a container; anything else names nothing."""
    if not _REF.fullmatch(ref):
        raise absent("container", ref)
    return ref


def _mode(name: str, rule: str, allowed: tuple[str, ...], *, joins: bool, default: str = "") -> Field:
    def judge(case: Case, value: Json) -> Json | Joined | Dropped:
        del case
        mode = shape.text(name, value)
        if joins and mode.startswith("container:"):
            return Joined(prefix="container:", ref=container_ref(mode.removeprefix("container:")))
        if mode in allowed:
            return mode or DROP
        raise not_allowed(rule, f"{name} '{mode}'", "Leave it out: the container gets its own.")

    says = ", ".join(f"`{mode}`" for mode in allowed if mode) or "nothing"
    return Field(name=name, rule=rule, judge=judge,
                 says=f"empty, {says}{', `container:` of your own' if joins else ''}; never the host's; "
                      f"{'set to ' + default if default else 'the engine default'} when empty")  # fmt: skip


def _cap(field: str, entry: str) -> str:
    name = entry.upper().removeprefix("CAP_")
    if not _CAPABILITY.fullmatch(name) or not entry.isascii():
        raise not_allowed("create.capabilities", f"{field} {entry!r}")
    return name


def _cap_add(case: Case, value: Json) -> Json:
    del case
    found = [_cap("CapAdd", entry) for entry in shape.texts("CapAdd", value)]
    for name in found:
        if name not in CAPABILITIES:
            raise not_allowed("create.capabilities", f"the capability {name}", "Run without it.")
    return list(found)


def _cap_drop(case: Case, value: Json) -> Json:
    del case
    return [_cap("CapDrop", entry) for entry in shape.texts("CapDrop", value)]


def _security(case: Case, value: Json) -> Dropped:
    for entry in shape.texts("SecurityOpt", value, multiline=True):
        name, _, setting = entry.replace(":", "=", 1).partition("=") if "=" not in entry else entry.partition("=")
        if name == "no-new-privileges" and setting in ("", "true", "false"):
            case.no_new_privileges = case.no_new_privileges or setting != "false"
        elif (name, setting) == ("seccomp", "unconfined"):
            case.changed("create.security.seccomp", "seccomp=unconfined left out: debuggers work without it", told=True)
        else:
            raise not_allowed("create.security", f"the security option '{entry[:40]}'", "Leave it out.")
    return DROP


def _paths(name: str) -> Field:
    def judge(case: Case, value: Json) -> Dropped:
        del case
        if value is not None:
            raise not_allowed("create.security.paths", f"{name} (it would uncover the host's /proc)", "Leave it out.")
        return DROP

    return Field(name=name, rule="create.security.paths", says="must be absent: an empty list uncovers /proc",
                 judge=judge)  # fmt: skip


def _sysctls(case: Case, value: Json) -> Json:
    del case
    found: dict[str, Json] = {}
    for key, setting in shape.text_map("Sysctls", value).items():
        if key not in _SYSCTLS or not _SYSCTL_VALUE.fullmatch(setting):
            raise not_allowed("create.sysctls", f"the sysctl {key}={setting}")
        found[key] = setting
    return found


def _groups(field: str, value: Json) -> Json:
    found = shape.texts(field, value)
    for name in found:
        if not _GROUP.fullmatch(name):
            raise malformed("create.groups", f"{name!r} cannot be a group")
    return list(found)


def _isolation(case: Case, value: Json) -> Json | Dropped:
    del case
    name = shape.text("Isolation", value)
    if name not in ("", "default"):
        raise not_allowed("create.windows", "an isolation technology")
    return name or DROP


ISOLATION: tuple[Field, ...] = (
    must_be_empty("Privileged", "create.privileged", "a privileged container",
                  "Run it without --privileged (compose: remove `privileged: true`)."),
    _mode("PidMode", "create.namespaces", ("", "private"), joins=True),
    _mode("IpcMode", "create.namespaces", ("", "private", "shareable", "none"), joins=True, default="private"),
    _mode("UTSMode", "create.namespaces", ("", "private"), joins=False),
    _mode("CgroupnsMode", "create.namespaces", ("", "private"), joins=False, default="private"),
    _mode("UsernsMode", "create.namespaces", ("", "private"), joins=False),
    must_be_empty("Cgroup", "create.namespaces", "another container's cgroup"),
    dropped("CgroupParent", "create.cgroup", "it is always your own slice"),
    Field(name="CapAdd", rule="create.capabilities", judge=_cap_add,
          says="the engine's defaults without MKNOD and NET_RAW, and SYS_PTRACE"),
    Field(name="CapDrop", rule="create.capabilities", judge=_cap_drop,
          says="kept; MKNOD and NET_RAW are always dropped"),
    Field(name="SecurityOpt", rule="create.security", judge=_security,
          says="`no-new-privileges` is kept, `seccomp=unconfined` left out with a warning, the rest refused"),
    _paths("MaskedPaths"),
    _paths("ReadonlyPaths"),
    Field(name="Sysctls", rule="create.sysctls", judge=_sysctls,
          says="the ones that reach no further than the container"),
    kept("GroupAdd", "create.groups", "kept where the container may have root; left out where it is its owner's, "
         "because the engine takes even numbers for names in the image's own list of groups", _groups),
    dropped("Annotations", "create.annotations", "runtimes read them as switches"),
    dropped("ContainerIDFile", "create.idfile", "the client writes it"),
    Field(name="Isolation", rule="create.windows", judge=_isolation,
          says="empty or `default`: the others are those of Windows"),
    must_be_empty("Capabilities", "create.capabilities", "an exact list of capabilities"),
)  # fmt: skip
"""The fields of ``HostConfig`` that are walls."""
