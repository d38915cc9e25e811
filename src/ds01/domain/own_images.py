"""Names of images in a user's own name space: ``app_web`` of hers may be ``ds01-u1001/app_web`` in the engine.

A name belongs to whoever writes it first, until a registry says what it means. Who writes it later and may not see
what it means already (two people build one compose project) gets a name of her own, and calls it as she always did; so
does whoever wrote it before somebody pulled it. Only DS01 writes names of this form: a user who types one is refused.
Whose such a name is follows from the ledger all the same.
"""

from __future__ import annotations

import re

LENGTH = 255
"""How long a repository may be, with the registry the engine puts in front of it."""

_STORED = re.compile(r"ds01-u([0-9]+)/")
_PINNED = re.compile(r"ds01-b[0-9]+/")
_PROJECTS = re.compile(r"ds01-[0-9]+/")
_REGISTRY = "docker.io/"
_PORT = re.compile(r"\A([^/:]+):([0-9]+)/")
_PORT_STORED = re.compile(r"\A([^/:]+)\.port__([0-9]+)/")
"""A registry's port inside a repository, where the engine takes no colon. No host has such a name."""


def begins_with_registry(name: str) -> bool:
    """Whether what is in front of a name's first ``/`` is a registry, as the engine reads it."""
    first, slash, _ = name.partition("/")
    return bool(slash) and (first == "localhost" or "." in first or ":" in first)


def prefix(uid: int) -> str:
    """What a user's own names begin with in the engine."""
    return f"ds01-u{uid}/"


def is_stored(ref: str) -> bool:
    """Whether a reference has the form that only DS01 writes, whoever's it is."""
    return _STORED.match(ref) is not None or is_pin(ref)


def is_pin(ref: str) -> bool:
    """Whether a name is there for a build that goes on, and nobody's otherwise."""
    return _PINNED.match(ref) is not None


def is_made_by_ds01(ref: str) -> bool:
    """Whether only DS01 gives names of this form: in a user's name space, for a build, or of a user's project."""
    return is_stored(ref) or _PROJECTS.match(ref) is not None


def pinned_image(ref: str, uid: int) -> str:
    """A second name of an image for a build of this user's: what she had under ``ref`` when it began, whoever writes
    that name meanwhile.
    """
    return stored_image(ref, uid).replace(prefix(uid), f"ds01-b{uid}/", 1)


def owner_of(ref: str) -> int | None:
    """Whose own name space a reference is in; None when it is in none. It is all there is when the ledger was lost."""
    found = _STORED.match(ref)
    return int(found[1]) if found is not None else None


def stored_image(ref: str, uid: int) -> str:
    """The engine's name of a name in a user's own name space."""
    return prefix(uid) + _PORT.sub(r"\1.port__\2/", ref)


def plain_image(ref: str, uid: int) -> str:
    """What this user calls it: her own without what is in front of it, anything else as it is."""
    hers = ref.startswith(prefix(uid))
    return _PORT_STORED.sub(r"\1:\2/", ref.removeprefix(prefix(uid))) if hers else ref


def plain_text(text: str, uid: int) -> str:
    """A text of the engine in which this user's own names are as she knows them."""

    def plain(match: re.Match[str]) -> str:
        registry, name = match[1] or "", plain_image(f"{prefix(uid)}{match[2]}", uid)
        if begins_with_registry(name):
            return name
        return f"{registry}library/{name}" if registry and "/" not in name else f"{registry}{name}"

    return re.sub(rf"(?<![\w./-])(docker\.io/)?ds01-[ub]{uid}/([a-z0-9][a-z0-9._/-]*)", plain, text)


def can_be_own(ref: str, uid: int) -> bool:
    """Whether a reference, as the engine shows it, may lie in this user's own name space: it is no digest, no project's
    image, lies in none yet, and is short enough.
    """
    if "@" in ref or is_stored(ref) or _PROJECTS.match(ref) or _PORT_STORED.match(ref):
        return False
    return len(_REGISTRY) + len(stored_image(ref, uid).rpartition(":")[0]) <= LENGTH
