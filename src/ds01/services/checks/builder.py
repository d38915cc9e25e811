"""May builds on the engine ask for the host's network, its privileges or its devices, and is their cache cleaned?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ds01.domain.engine_versions import BUILDER_GIVES, CLEANS_UNTOLD, builder_closes, numbers
from ds01.domain.errors import Ds01Error
from ds01.services.checks import Check, Finding, failed, ok, warning
from ds01.services.world import World

FILE = "/etc/docker/daemon.json"
USUALLY_OPEN = {"network-host": "the host's network", "device": "devices of the host"}
"""What an engine gives that is told nothing."""


async def _run(world: World) -> Finding:
    text = await world.facts.text(FILE)
    try:
        found = json.loads(text or "{}")
        given = (found.get("builder") or {}).get("Entitlements") or found.get("builder", {}).get("entitlements") or {}
    except (ValueError, AttributeError):
        return failed(f"{FILE} cannot be read: the engine will not start with it.", f"python3 -m json.tool {FILE}")
    engine = await _engine(world)
    closes = builder_closes(engine) if engine else BUILDER_GIVES
    open_ = [name for name in closes if given.get(name)]
    if open_:
        return failed(f"The engine's builder gives builds {', '.join(open_)}.", _fix(closes))
    unsaid = [what for name, what in USUALLY_OPEN.items() if name in closes and given.get(name) is None]
    if unsaid:
        return warning(
            f"The engine's builder gives {' and '.join(unsaid)} to builds that ask for it; the gateway lets none ask.",
            _fix(closes),
        )
    if engine and not _cleans(found, engine):
        return warning(
            "The engine does not clean the cache of builds: it grows until the disk is full.",
            f'sudoedit {FILE}, "builder": {{"GC": {{"Enabled": true}}}}',
        )
    return ok("The engine's builder gives builds nothing of the host.")


def _cleans(found: Mapping[str, Any], engine: str) -> bool:
    """Whether it cleans the cache by itself, told or not."""
    builder = found.get("builder") or {}
    said = {key.casefold(): value for key, value in (builder.get("GC") or builder.get("gc") or {}).items()}
    return bool(said.get("enabled", numbers(engine) >= CLEANS_UNTOLD))


async def _engine(world: World) -> str:
    """Its version; empty when it is away."""
    try:
        return (await world.engine.version()).engine
    except Ds01Error:
        return ""


def _fix(closes: Iterable[str]) -> str:
    return f'sudoedit {FILE}, "builder": {json.dumps({"Entitlements": dict.fromkeys(closes, False)})}'


CHECK = Check(about="builds get nothing of the host", run=_run)
