"""The same request to the engine itself, as root, and through the gateway, as an ordinary user.

Both have the same things under the same names. What comes back is compared by status and by shape: which keys there
are and of what kind their values are. Ids, names of the engine's own, times and amounts are nobody's promise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.engine.gateway.ground import IMAGE, Ground, Reply, User

_HEX = re.compile(r"\b(sha256:)?([0-9a-f]{64}|[0-9a-f]{12})\b")
_STORED = re.compile(r"\._\.\d+")


@dataclass(frozen=True, kw_only=True)
class Side:
    """Who asks whom. ``things`` are ids by the names that paths write in braces."""

    place: Ground
    user: User | None
    things: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None, version: str = "v1.41", **headers: str) -> Reply:
        """One request."""
        where = f"/{version}{path.format(**self.things)}"
        if self.user is None:
            return self.place.root(method, where, body)
        return self.user.call(method, where, body, **headers)

    def make(self, name: str, **body: Any) -> str:
        """A container, called so; its id."""
        made = self.call("POST", f"/containers/create?name={name}", {"Image": IMAGE, **body})
        assert made.status == 201, made.body
        self.things[name] = str(made.json["Id"])
        return self.things[name]

    def prepare(self) -> None:
        """What requests are about: containers in every state, a network, a volume, an image, a command."""
        self.call("POST", "/networks/create", {"Name": "dfnet", "CheckDuplicate": True})
        self.call("POST", "/volumes/create", {"Name": "dfvol", "Labels": {"a": "b"}})
        self.things["image"] = IMAGE
        self.things["other"] = "dfhers" if self.user else "dfroots"
        ports: dict[str, Any] = {"ExposedPorts": {"80/tcp": {}}}
        host = {"PortBindings": {"80/tcp": [{"HostPort": ""}]}, "NetworkMode": "dfnet", "Mounts": [
            {"Type": "volume", "Source": "dfvol", "Target": "/vol"}]}  # fmt: skip
        self.make("dfup", Cmd=["sh", "-c", "echo hello; sleep 1000"], Labels={"a": "b"}, HostConfig=host, **ports)
        self.make("dfdone", Cmd=["sh", "-c", "echo out; echo err >&2; exit 3"])
        self.make("dfnew", Cmd=["true"], Tty=True)
        for name in ("dfup", "dfdone"):
            started = self.call("POST", f"/containers/{name}/start")
            assert started.status == 204, started.body
        assert self.call("POST", "/containers/dfdone/wait").json["StatusCode"] == 3
        made = self.call("POST", "/containers/dfup/exec", {"Cmd": ["true"], "AttachStdout": True})
        self.things["exec"] = str(made.json["Id"])

    def clear(self) -> None:
        """Take it all away."""
        for name in ("dfup", "dfdone", "dfnew"):
            self.call("DELETE", f"/containers/{name}?force=1&v=1")
        for path in ("/networks/dfnet", "/volumes/dfvol"):
            self.call("DELETE", path)


@dataclass(frozen=True, kw_only=True)
class Both:
    """The two sides. An engine that calls a mistake of the client's its own (500) is not followed, and where DS01 has
    a reason of its own its words are its own.
    """

    engine: Side
    gateway: Side

    def differences(self, method: str, path: str, body: Any = None, version: str = "v1.41") -> list[str]:
        """What is not the same, in sentences."""
        ours, theirs = (side.call(method, path, body, version) for side in (self.gateway, self.engine))
        if ours.status != theirs.status and not (theirs.status == 500 and 400 <= ours.status < 500):
            return [f"status {ours.status} {ours.body[:300]!r} instead of {theirs.status} {theirs.body[:300]!r}"]
        if ours.status >= 400:
            said = [plain(reply.message) for reply in (ours, theirs)]
            same = said[0].lower() == said[1].lower() or said[0].startswith("DS01: ")
            return [] if same else [f"said {said[0]!r} instead of {said[1]!r}"]
        kinds = [str(reply.headers.get("Content-Type", "")).partition(";")[0] for reply in (ours, theirs)]
        found = [] if kinds[0] == kinds[1] else [f"type {kinds[0]} instead of {kinds[1]}"]
        return [*found, *unlike(document(ours), document(theirs))]


def document(reply: Reply) -> Any:
    """The body: one value, or the last of several lines; of lists what has no name of DS01's making, ours first."""
    if isinstance(reply.json, list):
        rows = [row for row in reply.json if "._." not in json.dumps(row)]
        return sorted(rows, key=lambda row: "df" not in str(row.get("Name") or row.get("Names")))
    if reply.json is not None or not reply.body.strip().startswith(b"{"):
        return reply.json
    return json.loads(reply.body.strip().splitlines()[-1])


def plain(text: str) -> str:
    """A message without what differs from run to run."""
    return _HEX.sub("<id>", _STORED.sub("", text))


def unlike(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """Where two values are of different kinds. Nothing is like everything: engines leave empty lists out."""
    if ours is None or theirs is None:
        return []
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return _unlike_maps(ours, theirs, where)
    if isinstance(ours, list) and isinstance(theirs, list):
        return unlike(ours[0], theirs[0], f"{where}[0]") if ours and theirs else []
    same = type(ours) is type(theirs) or {type(ours), type(theirs)} == {int, float}
    return [] if same else [f"{where}: {type(ours).__name__} instead of {type(theirs).__name__}"]


LIMITS = (
    ".Config.StopTimeout",
    ".ContainerConfig.StopTimeout",
    ".HostConfig.Runtime",
    ".pids_stats.limit",
    ".RegistryConfig",
    ".DefaultAddressPools",
)
"""What limits add, and what of the server is no user's business."""

_MAPS = re.compile(r"\.(Labels|Options|Networks|Ports|ExposedPorts|PortBindings|Containers|Runtimes|Volumes|Config)$")
"""Maps whose keys are somebody's words."""


def _unlike_maps(ours: Mapping[str, Any], theirs: Mapping[str, Any], where: str) -> list[str]:
    found = []
    if not _MAPS.search(where) or where == ".Config":
        missing = [f"{where}.{key} is missing" for key in theirs.keys() - ours.keys() if theirs[key]]
        too_much = [f"{where}.{key} is too much" for key in ours.keys() - theirs.keys() if ours[key]]
        found += [text for text in (*missing, *too_much) if not text.startswith(LIMITS)]
    for key in ours.keys() & theirs.keys():
        found += unlike(ours[key], theirs[key], f"{where}.{key}")
    return found
