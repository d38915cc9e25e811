"""Names of images in a user's own name space: ``app_web`` of hers may be ``ds01-u1001/app_web`` in the engine.

A local name, one without a registry, belongs to whoever writes it first. Who writes it later and may not see what it
means already (two people build one compose project) gets a name of her own, and calls it as she always did. Only DS01
writes names of this form: a user who types one is refused. Whose such a name is follows from the ledger all the same.
"""

from __future__ import annotations

import re

LENGTH = 255
"""How long a repository may be, with the registry the engine puts in front of it."""

_STORED = re.compile(r"ds01-u([0-9]+)/")
_PROJECTS = re.compile(r"ds01-[0-9]+/")
_REGISTRY = "docker.io/"


def prefix(uid: int) -> str:
    """What a user's own names begin with in the engine."""
    return f"ds01-u{uid}/"


def is_stored(ref: str) -> bool:
    """Whether a reference has the form that only DS01 writes, whoever's it is."""
    return _STORED.match(ref) is not None


def owner_of(ref: str) -> int | None:
    """Whose own name space a reference is in; None when it is in none. It is all there is when the ledger was lost."""
    found = _STORED.match(ref)
    return int(found[1]) if found is not None else None


def stored_image(ref: str, uid: int) -> str:
    """The engine's name of a local name in a user's own name space."""
    return f"{prefix(uid)}{ref}"


def plain_image(ref: str, uid: int) -> str:
    """What this user calls it: her own without what is in front of it, anything else as it is."""
    return ref.removeprefix(prefix(uid))


def plain_text(text: str, uid: int) -> str:
    """A text of the engine in which this user's own names are as she knows them."""

    def plain(match: re.Match[str]) -> str:
        registry, name = match[1] or "", match[2]
        return f"{registry}library/{name}" if registry and "/" not in name else f"{registry}{name}"

    return re.sub(rf"(?<![\w./-])(docker\.io/)?{prefix(uid)}([a-z0-9][a-z0-9._/-]*)", plain, text)


def is_local(ref: str, uid: int) -> bool:
    """Whether a reference, as the engine shows it, may lie in this user's own name space: it names no registry, no
    digest and no project's image, and is short enough.
    """
    first, slash, _ = ref.partition("/")
    if "@" in ref or is_stored(ref) or _PROJECTS.match(ref):
        return False
    if slash and (first == "localhost" or "." in first or ":" in first):
        return False
    return len(_REGISTRY) + len(stored_image(ref.rpartition(":")[0], uid)) <= LENGTH
