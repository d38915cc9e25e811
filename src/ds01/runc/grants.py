"""What ds01d wrote down for the guard, in a folder that only root may read.

``server.json`` has the facts of the server, ``grants/<container id>.json`` what one container was granted. What is
missing was not granted; a file that cannot be read is an error, and an error is a refusal.
"""

from __future__ import annotations

import os

from ds01.runc.documents import read_json, write_json
from ds01.runc.refusal import RefusedError

TYPE_CHECKING = False  # typing is slow to import, and this runs at every start of a container
if TYPE_CHECKING:
    from typing import Any

_SLICE = "ds01-u"
_DIGITS = frozenset("0123456789")
_HEX = frozenset("0123456789abcdef")
BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Server:
    """Facts of this server.

    ``folders`` is the place of pinned folders. ``outside`` says whether containers in nobody's slice pass,
    ``admin_slice`` is one that always does.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.data_root: str = data["data_root"]
        self.init = frozenset(data["init"])
        self.hooks = frozenset(data["hooks"])
        self.folders: str = data["folders"]
        self.driver: tuple[str, ...] = tuple(data["driver"])
        self.outside: bool = data["outside"] == "passed"
        self.admin_slice: str = data["admin_slice"]


class Grant:
    """What one container was granted.

    ``owner`` are uid and gid when everything in it must run as its owner, None when it may run as root. ``binds``
    are sources it may mount and ``prefixes`` beginnings of such, ``volumes`` names of volumes, ``devices``
    ``(type, major, minor)``, ``gpus`` UUIDs. ``step`` is true for a step of a build.
    """

    def __init__(self, data: dict[str, Any], prefixes: tuple[str, ...] = (), *, step: bool = False) -> None:
        self.step = step
        self.uid: int = data["uid"]
        self.owner: tuple[int, int] | None = (data["uid"], data["gid"]) if data["as_owner"] else None
        self.binds = frozenset(data["binds"])
        self.volumes = frozenset(data["volumes"])
        self.devices = frozenset((kind, major, minor) for kind, major, minor in data["devices"])
        self.gpus = frozenset(data["gpus"])
        self.prefixes = prefixes


def step_grant(uid: int, *prefixes: str) -> Grant:
    """What a step of a build gets: nothing but its own files."""
    nothing: list[str] = []
    return Grant(
        {"uid": uid, "gid": 0, "as_owner": False, "binds": nothing, "volumes": nothing, "devices": nothing,
         "gpus": nothing}, prefixes, step=True,
    )  # fmt: skip


def read_server(folder: str) -> Server:
    """The server's facts."""
    try:
        return Server(read_json(os.path.join(folder, "server.json")))
    except FileNotFoundError:
        raise RefusedError("a start on a server whose DS01 is not set up: ds01d has to run once") from None


def take_grant(folder: str, container: str) -> Grant:
    """The grant of a container. One with GPUs is good for a single start: the next one needs a lease again."""
    path = os.path.join(folder, "grants", f"{container}.json")
    try:
        data = read_json(path)
    except FileNotFoundError:
        raise RefusedError("a start that DS01 did not grant") from None
    grant = Grant(data)
    if grant.gpus:
        with open(BOOT_ID) as file:
            if data["used"] or file.read().strip() != data["boot"]:
                raise RefusedError("GPUs whose lease is over")
        write_json(path, {**data, "used": True})
    return grant


def owner_of(path: str, container: str) -> tuple[int, bool] | None:
    """Whose container it is by its cgroup, and whether it is a step of a build; None for nobody's.

    A path that looks like a user's slice and is written in another way than DS01 writes it is refused.
    """
    uid = _uid(path.removeprefix("/"))
    if uid is not None and is_id(container):
        own, build = f"{_SLICE}{uid}.slice", f"{_SLICE}{uid}-build.slice"
        if path in (f"{own}/{container}", f"/{own}/{container}", f"{own}:docker:{container}"):
            return uid, False
        if path in (f"{own}/{build}/{container}", f"/{own}/{build}/{container}", f"{build}:docker:{container}"):
            return uid, True
    if _SLICE in path:
        raise RefusedError(f"the cgroup {path}")
    return None


def container_at(path: str) -> tuple[int, str] | None:
    """Whose container this cgroup is and which one, where either driver puts it; None when it is no user's.

    The whole path counts: below a cgroup of her own a user makes others of any name.
    """
    above, _, scope = path.rpartition("/")
    container = scope.removeprefix("docker-").removesuffix(".scope")
    uid = _uid(above.rpartition("/")[2])
    if uid is None or not is_id(container):
        return None
    own = f"{_SLICE}{uid}.slice"
    places = (f"/{own}/{container}", f"/ds01.slice/{own}/docker-{container}.scope")
    return (uid, container) if path in places else None


def is_id(text: str) -> bool:
    """Whether it is a container's full id."""
    return len(text) == 64 and _HEX.issuperset(text)


def number(text: str) -> int | None:
    """A number written as the kernel and the engine write it; None for anything else."""
    return int(text) if 0 < len(text) <= 10 and _DIGITS.issuperset(text) and str(int(text)) == text else None


def _uid(text: str) -> int | None:
    """The uid in the name of a user's slice, at its beginning."""
    if not text.startswith(_SLICE):
        return None
    rest = text.removeprefix(_SLICE)
    end = next((at for at, letter in enumerate(rest) if letter not in _DIGITS), len(rest))
    return number(rest[:end])
