"""Image tags: who may write which. Against poisoned names for everybody this is the only defence."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ds01.domain.dockerpolicy.verdict import RefusedError, malformed, not_allowed
from ds01.domain.image import is_protected

_REPOSITORY = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_OWN = re.compile(r"ds01-([0-9]+)/.*")
_DEFAULT_REGISTRIES = ("index.docker.io/", "docker.io/")
LENGTH = 255


def reference(text: str) -> str:
    """A tag in the form the engine stores it: short, with its tag. Raises RefusedError for anything else."""
    last = text.rpartition("/")[2]
    repository, tag = (text.rpartition(":")[0], text.rpartition(":")[2]) if ":" in last else (text, "latest")
    if len(repository) > LENGTH or not _REPOSITORY.fullmatch(repository) or not _TAG.fullmatch(tag):
        raise malformed("tags.name", f"{text[:80]!r} cannot be an image's name", "Names are lower case: name:tag.")
    registry = next((name for name in _DEFAULT_REGISTRIES if repository.startswith(name)), "")
    repository = repository.removeprefix(registry)
    library, slash, name = repository.partition("/")
    if library == "library" and slash and "/" not in name:
        repository = name
    return f"{repository}:{tag}"


def check_writable(ref: str, uid: int, owner: int | None, *, exists: bool, protected: Iterable[str]) -> None:
    """May ``uid`` write this tag? ``owner`` is whose it is; ``exists`` says that the engine has it already."""
    if is_protected(ref, protected):
        raise not_allowed("tags.protected", f"writing the image {ref}", "Choose a name of your own.")
    own = _OWN.fullmatch(ref)
    if own is not None and int(own[1]) != uid:
        raise not_allowed("tags.others", f"writing the image {ref}", f"Yours begin with ds01-{uid}/.")
    if (exists or owner is not None) and owner != uid:
        raise RefusedError("tags.taken", f"The image name {ref} is in use", "Choose another one.", status=409)
