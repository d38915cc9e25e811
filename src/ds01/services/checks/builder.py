"""May builds on the engine ask for the host's network or its devices?"""

from __future__ import annotations

import json

from ds01.services.checks import Check, Finding, failed, ok, warning
from ds01.services.world import World

FILE = "/etc/docker/daemon.json"
CLOSED = ("network-host", "security-insecure")
FIX = f'Put into {FILE}: "builder": {{"Entitlements": {{"network-host": false, "security-insecure": false}}}}'


async def _run(world: World) -> Finding:
    text = await world.facts.text(FILE)
    try:
        found = json.loads(text or "{}")
        given = (found.get("builder") or {}).get("Entitlements") or found.get("builder", {}).get("entitlements") or {}
    except (ValueError, AttributeError):
        return failed(f"{FILE} cannot be read: the engine will not start with it.", f"python3 -m json.tool {FILE}")
    open_ = [name for name in CLOSED if given.get(name)]
    if open_:
        return failed(f"The engine's builder gives builds {', '.join(open_)}.", FIX)
    if given.get("network-host") is None:
        return warning(
            "The engine's builder gives the host's network to builds that ask for it; the gateway lets none ask.", FIX
        )
    return ok("The engine's builder gives builds nothing of the host.")


CHECK = Check(about="builds get nothing of the host", run=_run)
