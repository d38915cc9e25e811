"""The steps of a BuildKit build: whose they are, and what they get.

BuildKit starts its steps with the first ``runc`` in the engine's ``PATH``, past the engine's default runtime. The
guard stands first in that ``PATH``, so it meets them too.

Whose step it is says a line in its ``/etc/hosts`` that the gateway puts into every build; ds01d says what such a step
gets. A step without that line did not come through the gateway, and is refused: its frontend could be anybody's. Only
the file that the engine wrote counts. A mount of the Dockerfile's at the same place takes the engine's own out of the
configuration, so a step that has another there is refused.
"""

from __future__ import annotations

import os

from ds01.runc.documents import read_json
from ds01.runc.grants import Grant, Server, number, step_grant
from ds01.runc.refusal import StepRefusedError

TYPE_CHECKING = False  # typing is slow to import, and this runs at every start of a container
if TYPE_CHECKING:
    from typing import Any

    Config = dict[str, Any]

_LOOPBACK = "127.0.0.1"
_HOSTS = "/etc/hosts"
_OWNER = "ds01-u"
"""How the name of the line in a step's ``/etc/hosts`` begins: ``ds01.domain.names.step_host``."""

PERMITS = "builds"
_PLACES = ("buildkit/executor/", "buildkit/net/", "overlay2/", "vfs/dir/", "btrfs/subvolumes/", "zfs/graph/",
           "fuse-overlayfs/", "tmp/buildkit-", "tmp/.buildkit-")  # fmt: skip
"""Where BuildKit keeps what it mounts into a step: layers, caches, secrets. No user names a path there."""


def is_step(bundle: str, server: Server) -> bool:
    """Whether BuildKit made this configuration: nobody else writes where it does."""
    return bundle.startswith(f"{server.data_root}/buildkit/") and ".." not in bundle


def read_step(folder: str, config: Config, server: Server) -> tuple[Grant, Config] | None:
    """Whose step it is and what it may use; None for nobody's, where such may pass. Raises StepRefusedError."""
    text = _hosts(config, server)
    if server.outside and not _owners(text):
        return None
    uid = owner(text)
    try:
        permit = read_json(os.path.join(folder, PERMITS, f"{uid}.json"))
    except FileNotFoundError:
        raise StepRefusedError("ds01d did not grant it") from None
    return step_grant(uid, *(f"{server.data_root}/{place}" for place in _PLACES)), permit


def _hosts(config: Config, server: Server) -> str:
    """What the engine wrote into the step's hosts file. Raises StepRefusedError where another is mounted there."""
    there = [mount["source"] for mount in config["mounts"] if _at_hosts(mount["destination"])]
    if not there:
        return ""
    if len(there) > 1 or not _of_the_engine(there[0], server):
        raise StepRefusedError(f"it mounts a file at {_HOSTS}, where DS01 reads whose it is. Mount it somewhere else")
    with open(there[0]) as file:
        return file.read()


def _at_hosts(target: str) -> bool:
    """Whether a mount is there, however its place is written."""
    return f"/{os.path.normpath(f'/{target}').lstrip('/')}" == _HOSTS


def _of_the_engine(source: str, server: Server) -> bool:
    """Whether BuildKit made this file: with names in it, it is ``hosts.`` and a random id beside the bundles."""
    place, _, name = source.rpartition("/")
    return place == f"{server.data_root}/buildkit/executor" and (name == "hosts" or name.startswith("hosts."))


def owner(hosts: str) -> int:
    """The uid in a step's hosts file. Raises StepRefusedError unless there is exactly one."""
    found = _owners(hosts)
    if len(found) != 1:
        raise StepRefusedError("it did not come through DS01. As root, build with DOCKER_BUILDKIT=0")
    return found[0]


def _owners(hosts: str) -> list[int]:
    lines = [line.split() for line in hosts.split("\n")]
    names = [line[1] for line in lines if len(line) == 2 and line[0] == _LOOPBACK and line[1].startswith(_OWNER)]
    return [uid for name in names if (uid := number(name.removeprefix(_OWNER))) is not None]


def placed(config: Config, permit: Config, container: str) -> Config:
    """The configuration in its owner's cgroup, with her limits."""
    linux = config["linux"]
    resources = {
        **(linux.get("resources") or {}),
        "memory": {"limit": permit["memory_bytes"], "swap": permit["memory_bytes"] + permit["swap_bytes"]},
        "cpu": {"period": permit["cpu_period_us"], "quota": permit["cpu_quota_us"]},
        "pids": {"limit": permit["pids"]},
    }
    return {**config, "linux": {**linux, "cgroupsPath": f"{permit['cgroup']}/{container}", "resources": resources}}
