"""``runc`` for the steps of a BuildKit build: whose they are, and nothing of the host's within their reach.

BuildKit starts its steps with the first ``runc`` in the engine's ``PATH``, past the engine's default runtime. So a
folder in front of that ``PATH`` has a ``runc`` of ours, which hands everything but these steps to the real one.

A step runs as root, as Dockerfiles need it, and its user has a shell on this server. She must not reach into it
through ``/proc/PID/root`` of a process that took her uid, or she could hand root an open folder of the host. In a user
namespace of its own, in which every uid is itself, the kernel lets nobody outside in who is not root, files keep their
owners, and device nodes cannot be made.

Whose step it is says a line in its ``/etc/hosts`` that the gateway puts into every build; ds01d says what such a step
gets. A step without that line did not come through the gateway, and is refused: its frontend could be anybody's.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

Config = dict[str, Any]

NAME = "ds01-build-step"
OWNER = re.compile(r"^127\.0\.0\.1\s+ds01-u(\d{1,10})$", re.MULTILINE)
"""The line in a step's ``/etc/hosts``: ``ds01.domain.names.step_host``."""

PERMITS = "builds"
_EVERYBODY = [{"containerID": 0, "hostID": 0, "size": 4294967295}]
_NAMESPACES = {"mount", "network", "uts", "pid", "ipc"}
_CAPABILITIES = {
    f"CAP_{name}"
    for name in ("CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP",
                 "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE")
}  # fmt: skip


class RefusedError(Exception):
    """Why a step does not run."""


def owner(hosts: str) -> int:
    """The uid in a step's hosts file. Raises RefusedError unless there is exactly one."""
    found = OWNER.findall(hosts)
    if len(found) != 1:
        raise RefusedError("it did not come through DS01. As root, build with DOCKER_BUILDKIT=0")
    return int(found[0])


def refusals(config: Config) -> Iterator[str]:
    """What a step has that no step of a user's build may have."""
    linux = config.get("linux") or {}
    present = {item.get("type"): item.get("path") for item in linux.get("namespaces") or ()}
    for kind in sorted(_NAMESPACES):
        if present.get(kind, "the host's"):
            yield f"a {kind} namespace that is not its own"
    for names in ((config.get("process") or {}).get("capabilities") or {}).values():
        for name in sorted(set(names or ()) - _CAPABILITIES):
            yield f"the capability {name}"
    if not linux.get("seccomp"):
        yield "no seccomp filter"
    if linux.get("devices") or any(rule.get("allow") for rule in (linux.get("resources") or {}).get("devices") or ()):
        yield "devices"


def confined(config: Config, permit: Config, container: str) -> Config:
    """The configuration with a user namespace, in its owner's cgroup, with her limits."""
    linux = config["linux"]
    if not any(item.get("type") == "user" for item in linux["namespaces"]):
        linux["namespaces"].append({"type": "user"})
        linux["uidMappings"] = linux["gidMappings"] = _EVERYBODY
    linux["cgroupsPath"] = f"{permit['cgroup']}/{container}"
    linux["resources"] = {
        **linux.get("resources", {}),
        "memory": {"limit": permit["memory_bytes"], "swap": permit["memory_bytes"] + permit["swap_bytes"]},
        "cpu": {"period": permit["cpu_period_us"], "quota": permit["cpu_quota_us"]},
        "pids": {"limit": permit["pids"]},
    }
    return config


def main() -> NoReturn:
    """``ds01-build-step FOLDER RUNC [its arguments]``: rewrite the step's configuration, then become runc."""
    if len(sys.argv) == 4 and sys.argv[1] == "--install":
        install(Path(sys.argv[2]), sys.argv[3])
        sys.exit(0)
    folder, runc, *arguments = sys.argv[1:]
    try:
        if "run" in arguments:
            _confine(Path(folder), arguments)
    except RefusedError as refused:
        sys.exit(f"DS01: this step of a build may not run: {refused}.")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        sys.exit(f"DS01: this step of a build may not run: its configuration cannot be checked ({error}).")
    os.execv(runc, ["runc", *arguments])  # noqa: S606 - becoming runc is the point


def _confine(folder: Path, arguments: list[str]) -> None:
    file = Path(arguments[arguments.index("--bundle") + 1]) / "config.json"
    config = json.loads(file.read_bytes())
    hosts = next((m["source"] for m in config["mounts"] if m["destination"] == "/etc/hosts"), "")
    uid = owner(Path(hosts).read_text() if hosts else "")
    found = list(refusals(config))
    if found:
        raise RefusedError(f"it asks for {', '.join(found[:5])}")
    try:
        permit = json.loads((folder / PERMITS / f"{uid}.json").read_bytes())
    except FileNotFoundError:
        raise RefusedError("ds01d did not grant it") from None
    part = file.with_suffix(".part")
    part.write_text(json.dumps(confined(config, permit, arguments[-1])))
    part.rename(file)


def install(folder: Path, runc: str) -> None:
    """Make ``folder``, to stand first in the engine's ``PATH``. ``runc`` is the real one."""
    own = Path(sys.executable).with_name(NAME)
    (folder / PERMITS).mkdir(parents=True, exist_ok=True)
    (folder / PERMITS).chmod(0o700)
    part = folder / ".runc"
    part.write_text(
        "#!/bin/sh\n# Written by ds01-build-step --install: steps of BuildKit builds pass through DS01.\n"
        f'case "$*" in */buildkit/executor/*) exec {own} {folder} {runc} "$@" ;; esac\n'
        f'exec {runc} "$@"\n'
    )
    part.chmod(0o755)
    part.rename(folder / "runc")
