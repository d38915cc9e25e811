"""Reads from a container what tells who asked for the packages in it, and where they came from: the records of pip, uv
and apt.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from dataclasses import replace

from ds01.domain.changes import Package
from ds01.domain.container import Container
from ds01.domain.errors import Ds01Error
from ds01.domain.requested import automatic, judged, origin, requires
from ds01.services.world import World

STATES = "/var/lib/apt/extended_states"
_MOST_BYTES = 4 * 1024**2
_MOST_RECORDS = 300
"""Records that are read at most: retiring is quick, whatever somebody installed."""


async def asked_for(world: World, container: Container, packages: Sequence[Package]) -> tuple[Package, ...]:
    """The packages, each with whether somebody asked for it, and where it came from. What cannot be read leaves them
    as they were found.
    """
    states = ""
    if any(package.source == "apt" for package in packages):
        states = (await _texts(world, container, STATES)).get("extended_states", "")
    needs: dict[str, frozenset[str]] = {}
    origins: dict[str, str] = {}
    marked = [each for each in packages if each.source == "pip" and each.requested and each.record]
    for package in [each for each in marked if each.direct or len(marked) > 1][:_MOST_RECORDS]:
        texts = await _texts(world, container, package.record)
        if texts.get("INSTALLER", "").strip() == "uv":
            needs[package.name] = requires(texts.get("METADATA", ""))
        if package.direct:
            origins[package.name] = origin(texts.get("direct_url.json", ""))
    found = judged(packages, needs=needs, automatic=automatic(states))
    return tuple(
        replace(each, origin=origins[each.name]) if each.direct and each.name in origins else each for each in found
    )


async def _texts(world: World, container: Container, path: str) -> dict[str, str]:
    """The plain files at a path of the container, by their name; none when there is nothing, or too much."""
    content = bytearray()
    try:
        async for piece in world.engine.read_layer(container.id, path):
            content += piece
            if len(content) > _MOST_BYTES:
                return {}
    except Ds01Error:
        return {}
    return _files(bytes(content))


def _files(archive: bytes) -> dict[str, str]:
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            found = {member.name.rpartition("/")[2]: tar.extractfile(member) for member in tar if member.isreg()}
            return {name: file.read().decode(errors="replace") for name, file in found.items() if file is not None}
    except (tarfile.TarError, ValueError):
        return {}
