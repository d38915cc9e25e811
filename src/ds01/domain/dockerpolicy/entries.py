"""How many entries a list or a map of a request may have, looked at before any of them is judged.

The gateway has one loop for everybody, and each entry is judged in it. So there is a number for each: generous for
whoever writes them, and not for who has them made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sized

from ds01.domain.dockerpolicy.verdict import malformed

USUAL = 256
"""Where the table says nothing; the same for the fields of a struct."""

MOST: Mapping[str, int] = {
    "Cmd": 16384,
    "Entrypoint": 16384,
    "Env": 4096,
    "Labels": 1024,
    "Binds": 128,
    "Mounts": 128,
    "Tmpfs": 128,
    "Volumes": 128,
    "ExposedPorts": 4096,
    "EndpointsConfig": 64,
    "DriverOpts": 64,
    "VolumeOptions.Labels": 64,
    "DeviceRequests": 16,
    "Layers": 1024,
    "RepoTags": 1024,
}
"""By the field's name, with the struct it is in where only one is meant."""


def most(field: str) -> int:
    """The number for a field, as a rule calls it."""
    names = field.split(".")[-2:]
    return MOST.get(".".join(names), MOST.get(names[-1], USUAL))


def check(field: str, entries: Sized) -> None:
    """Raises RefusedError when there are more."""
    if len(entries) > most(field):
        what = f"{field or 'The body'} has {len(entries):,} entries, and may have {most(field):,}"
        raise malformed("field.entries", what, "Leave some out.")
