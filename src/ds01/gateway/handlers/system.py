"""The engine itself: is it there, what is it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.verdict import EngineWordsError, absent, not_allowed
from ds01.gateway.call import Call
from ds01.gateway.handlers.containers import own_labels, view
from ds01.gateway.handlers.images import all_images
from ds01.gateway.routes import OLDEST
from ds01.gateway.things import Found
from ds01.gateway.upstream import Ask, parsed
from ds01.wire.door import GATEWAY_HEADER

_INFO = (
    "ID", "Driver", "DriverStatus", "MemoryLimit", "SwapLimit", "CpuCfsPeriod", "CpuCfsQuota", "CPUShares", "CPUSet",
    "PidsLimit", "IPv4Forwarding", "OomKillDisable", "NFd", "NGoroutines", "SystemTime", "LoggingDriver",
    "CgroupDriver", "CgroupVersion", "KernelVersion", "OperatingSystem", "OSVersion", "OSType", "Architecture",
    "IndexServerAddress", "NCPU", "MemTotal", "DockerRootDir", "Name", "ExperimentalBuild", "ServerVersion",
    "Runtimes", "DefaultRuntime", "Isolation", "InitBinary", "SecurityOptions", "CDISpecDirs",
    "KernelMemory", "KernelMemoryTCP", "BridgeNfIptables", "BridgeNfIp6tables", "LiveRestoreEnabled",
    "ContainerdCommit", "RuncCommit", "InitCommit", "Debug", "Plugins", "Warnings",
)  # fmt: skip
"""What ``info`` shows: a list, so that a newer engine shows nothing nobody looked at."""


_NOTHING_HERE: dict[str, Any] = {
    "Swarm": {"NodeID": "", "NodeAddr": "", "LocalNodeState": "inactive", "ControlAvailable": False, "Error": "",
              "RemoteManagers": None},
    "NEventsListener": 0, "GenericResources": None, "HttpProxy": "", "HttpsProxy": "", "NoProxy": "", "Labels": [],
}  # fmt: skip
"""What clients look for and is no user's business."""
_NVIDIA = {"nvidia": {"path": "nvidia-container-runtime"}}
"""The runtime by which clients see that a server has GPUs: asking for it asks DS01 for one."""
_LEFT = "This node is not part of a swarm"
_NO_MANAGER = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm'
    " and try again."
)


async def ping(call: Call) -> None:
    """``/_ping``: the version clients come down to, and the sign that this is the gateway."""
    await call.nothing()
    head, body = await call.gate.engine.whole(Ask(method="GET", target="/_ping"), 10)
    newest = call.gate.facts.api
    await call.answer(
        head.status,
        body,
        {
            "Content-Type": "text/plain; charset=utf-8",
            "Api-Version": f"{newest[0]}.{newest[1]}",
            "Docker-Experimental": "false",
            "Ostype": "linux",
            "Builder-Version": head.headers.get("builder-version", "1") if call.gate.facts.buildkit else "1",
            GATEWAY_HEADER.title(): "1",
            "Cache-Control": "no-cache, no-store, must-revalidate",
        },
    )


async def version(call: Call) -> None:
    """``/version``."""
    newest, oldest = ".".join(map(str, call.gate.facts.api)), ".".join(map(str, OLDEST))

    def view(found: Json) -> Json:
        if isinstance(found, dict):
            found["ApiVersion"] = newest
            found["MinAPIVersion"] = oldest
            _engine_details(found).update(ApiVersion=newest, MinAPIVersion=oldest)
        return found

    await call.nothing()
    await call.pass_whole(Ask(method="GET", target=call.target("/version")), view)


def _engine_details(found: dict[str, Json]) -> dict[str, Json]:
    components = found.get("Components")
    for component in components if isinstance(components, list) else []:
        if isinstance(component, dict) and component.get("Name") == "Engine":
            details = component.get("Details")
            return details if isinstance(details, dict) else {}
    return {}


async def info(call: Call) -> None:
    """``/info``: the machine, and the user's own numbers."""
    await call.nothing()
    rows = await _rows(call)
    states = Counter(str(row.get("State")) for row in rows)
    images = await all_images(call)

    def view(found: Json) -> Json:
        known: dict[str, Any] = found if isinstance(found, dict) else {}
        shown = known if call.user.admin else {name: known[name] for name in _INFO if name in known}
        if not call.user.admin:
            shown |= {
                "Containers": len(rows), "ContainersRunning": states["running"], "ContainersPaused": states["paused"],
                "ContainersStopped": len(rows) - states["running"] - states["paused"], "Images": images,
                **_NOTHING_HERE,
            }  # fmt: skip
            if call.gate.facts.gpus:
                shown["Runtimes"] = (shown.get("Runtimes") or {}) | _NVIDIA
        return shown

    await call.pass_whole(Ask(method="GET", target=call.target("/info")), view)


async def _rows(call: Call) -> list[Found]:
    """Her containers, in whatever state."""
    filters = {"label": own_labels(call)}
    ask = Ask(method="GET", target=call.target("/containers/json", {"all": ["1"]}, filters))
    head, data = await call.gate.engine.whole(ask)
    return view(call).rows(parsed(data)) if head.status == 200 else []


async def options(call: Call) -> None:
    """``OPTIONS``: answered without asking anybody."""
    await call.nothing()
    await call.answer(200, b"", {"Content-Type": "text/plain; charset=utf-8"})


async def no_plugins(call: Call) -> None:
    """``/plugins``: none."""
    await call.nothing()
    await call.answer_json(200, [])


async def no_swarm(call: Call) -> None:
    """Swarm, in the words that keep clients quiet; making one is for nobody."""
    if call.path in ("/swarm/init", "/swarm/join"):
        raise not_allowed(
            "swarm.make", "making this server part of a swarm", "Run containers with docker run or compose."
        )
    raise EngineWordsError("swarm.none", _LEFT if call.path == "/swarm/leave" else _NO_MANAGER, status=503)


async def nothing_there(call: Call) -> None:
    """Of plugins there are none for users, and no container, network or volume has a name like an image's: as an engine
    says it that has none of this name.
    """
    kind, name = next(iter(call.names.items()))
    raise absent(kind, name)
