"""What an engine's version closes: below certain versions some requests are refused because of known holes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

OLDEST = "20.10"
NEWEST_API = (1, 55)
"""The newest API the gateway's rules were written for; it advertises at most this one, so that clients come down."""


class HolesRule(StrEnum):
    """What becomes of a program below DS01 with a known hole: it is told, or what needs it is refused."""

    TOLD = "told"
    REFUSED = "refused"


COPY_FIXED = (29, 5, 1)
"""Engines before this one can be led astray while they copy files, by what changes and by compressed archives."""

FILTER_FIXED = (29, 4, 3)
"""From this one on the engine's own filter of system calls has no sockets to the kernel's ciphers."""

DEVICES_ASKED = (29, 0)
"""From this one on a step of a build may ask for a device (CDI), unless the engine's builder is told to give none."""

CLEANS_UNTOLD = (28, 3)
"""From this one on the engine keeps the cache of builds within bounds without being told to."""

TOOLKIT_FIXED = (1, 17, 8)
"""NVIDIA's toolkits before this one let an image decide what its hooks load on the host."""

BUILDER_GIVES = ("network-host", "security-insecure")
"""What the builder of every engine gives whoever asks, unless it is told not to."""

_RUNC_FIXED: dict[tuple[int, ...], tuple[int, ...]] = {(1, 2): (1, 2, 8), (1, 3): (1, 3, 3)}
"""Of each line of runc the first without the known ways out of a container; lines after them have none."""

_GATES = (
    (COPY_FIXED, "uploads of compressed archives, and docker cp where something could change meanwhile"),
    ((29, 3, 1), "builds with a '# syntax=' frontend from elsewhere"),
)


@dataclass(frozen=True, kw_only=True)
class Gates:
    """``closed`` is what this version does not get, in words."""

    too_old: bool = False
    closed: tuple[str, ...] = ()


def numbers(version: str) -> tuple[int, ...]:
    """``20.10.24+dfsg1`` as numbers; of what is no version ``()``, which is older than everything."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def gates(engine: str, api: str) -> Gates:
    """What an engine of this version and API does not get. A version that cannot be read gets the least."""
    found = numbers(engine)
    closed = [what for version, what in _GATES if found < version]
    if numbers(api) > NEWEST_API:
        closed.append(f"API versions above {'.'.join(map(str, NEWEST_API))}")
    return Gates(too_old=() < found < numbers(OLDEST), closed=tuple(closed))


def runc_fixed(version: str) -> bool:
    """Whether this runc has no known way out by itself. Distributions mend older ones without a new number."""
    found = numbers(version)
    return bool(found) and found >= _RUNC_FIXED.get(found[:2], (1, 4))


def builder_closes(version: str) -> tuple[str, ...]:
    """What an engine of this version must be told that its builder gives nobody, by its own names. An engine does not
    start with a name that it does not know.
    """
    return (*BUILDER_GIVES, *(("device",) if numbers(version) >= DEVICES_ASKED else ()))
