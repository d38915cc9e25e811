"""Other ways to an engine that go around the gateway: TCP ports, a second dockerd, containerd, podman."""

from __future__ import annotations

from ds01.services import reach
from ds01.services.checks import Check, Finding, failed, ok
from ds01.services.world import World
from ds01.wire.door import GATEWAY_HEADER

PORTS = (2375, 2376)
SOCKETS = (
    "/run/docker.sock", "/run/containerd/containerd.sock", "/run/docker/containerd/containerd.sock",
    "/run/podman/podman.sock", "/run/crio/crio.sock", "/run/snap.docker/docker.sock", "/run/buildkit/buildkitd.sock",
)  # fmt: skip


async def _run(world: World) -> Finding:
    listening = sorted(f"{host}:{port}" for host, port in await world.facts.listeners() if port in PORTS)
    if listening:
        return failed(
            f"A Docker engine listens on TCP ({', '.join(listening)}): whoever reaches it is root.",
            "systemctl edit docker: no -H tcp:// among its options, and no 'hosts' in /etc/docker/daemon.json.",
        )
    doors = [path for path in SOCKETS if await _opens(world, path)]
    if doors:
        return failed(
            f"Users may open {', '.join(doors)}, which goes around the gateway.",
            "Stop that engine, or close its socket: chmod 0600.",
        )
    return ok("No other engine is open to users.")


async def _opens(world: World, path: str) -> bool:
    paths = world.paths
    same = {paths.engine.removeprefix("unix://"), f"{paths.gateway}"}
    if path in same or path.replace("/run/", "/var/run/", 1) in same:
        return False
    answer = await world.facts.headers(path, "/_ping") or {}
    if GATEWAY_HEADER in answer:
        return False
    if await reach.open_to_all(world.facts, path):
        return True
    group = await reach.open_to_group(world.facts, path)
    return bool(group) and bool(await reach.not_admins(world, group))


CHECK = Check(about="no engine is open to users beside the gateway", run=_run)
