"""Image names: how they are spelled, and who may write which. Against poisoned names this is the only defence.

A name that nobody has may be taken. One's own may be written over; so may one that was pulled, while nobody else has
that image or runs it. A pull may write over what was pulled before, and over what somebody wrote, whoever it was: the
registry decides what a name means, and what was written under it moves into its writer's own name space. The server's
own names are written by nobody. A name whose meaning the writer may not see is written in her own name space
(``domain/own_images.py``), so that nobody takes names from others, nor learns of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ds01.domain.dockerpolicy.verdict import EngineWordsError, RefusedError, malformed, not_allowed
from ds01.domain.image import EVERY_TAG, Provenance, Tag, is_protected, short, with_tag
from ds01.domain.image import repository as repository_of
from ds01.domain.image_access import PULLED, is_base, is_common
from ds01.domain.own_images import can_be_own, is_stored, stored_image
from ds01.domain.settings import ImageSettings

_PART = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"(?:{_PART}:[0-9]{{1,5}}/)?{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_OWN = re.compile(r"ds01-([0-9]+)/.*")
_LIKE_AN_ID = re.compile(r"[0-9a-f]{64}")
_DEFAULT_REGISTRIES = ("index.docker.io/", "docker.io/")
LENGTH = 255
INVALID, LOWER = "invalid reference format", "repository name must be lowercase"


def repository(text: str) -> str:
    """A repository a user named, in the form the engine shows it: without the default registry. Raises RefusedError,
    also for what only DS01 names so.
    """
    found = _repository(text)
    if is_stored(found):
        raise _only_ds01s(found)
    return found


def _only_ds01s(ref: str) -> RefusedError:
    return not_allowed("tags.stored", f"the image name {ref}", "Leave out what is in front of the first '/'.")


def _repository(text: str) -> str:
    if len(text) > LENGTH or not _REPOSITORY.fullmatch(text) or _LIKE_AN_ID.fullmatch(text):
        raise EngineWordsError("tags.name", INVALID if text == text.lower() else f"{INVALID}: {LOWER}", status=400)
    registry = next((name for name in _DEFAULT_REGISTRIES if text.startswith(name)), "")
    found = text.removeprefix(registry)
    if found.startswith(_DEFAULT_REGISTRIES):  # the engine would read the rest as the name
        raise EngineWordsError("tags.name", INVALID, status=400)
    library, slash, name = found.partition("/")
    return name if library == "library" and slash and "/" not in name else found


def reference(text: str) -> str:
    """A tag in the form the engine stores it: short, with its tag. Raises RefusedError for anything else."""
    last = text.rpartition("/")[2]
    name, tag = (text.rpartition(":")[0], text.rpartition(":")[2]) if ":" in last else (text, "latest")
    return f"{repository(name)}:{_tag(tag)}"


def joined(name: str, tag: str) -> str:
    """A tag or a digest from the two parameters some requests have; the name may contain the tag, too."""
    if tag.startswith("sha256:") or "@" in name:
        before, _, digest = name.partition("@")
        return digested(before, tag or digest)
    return f"{repository(name)}:{_tag(tag)}" if tag else reference(name)


def digested(name: str, digest: str) -> str:
    """A digest in the form the engine stores it; a tag in front of it says nothing."""
    plain = name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name
    return f"{repository(plain)}@{_digest(digest)}"


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise malformed("tags.name", f"{text[:80]!r} is no digest", "A digest is sha256: and 64 digits.")
    return text


def looked_up(text: str) -> str:
    """The name that is meant by what a user or the engine says of an image; empty when it cannot be a name."""
    try:
        return engine_name(text)
    except RefusedError:
        return ""


def engine_name(text: str) -> str:
    """A name in the form the engine stores it, also one that only DS01 gives. Raises RefusedError."""
    name, at, digest = text.partition("@")
    last = name.rpartition("/")[2]
    plain, tag = (name.rpartition(":")[0], name.rpartition(":")[2]) if ":" in last else (name, "latest")
    return f"{_repository(plain)}@{_digest(digest)}" if at else f"{_repository(plain)}:{_tag(tag)}"


def _tag(text: str) -> str:
    if not _TAG.fullmatch(text):
        raise malformed("tags.name", f"{text[:80]!r} cannot be a tag", "A tag has letters, digits, '_', '.' and '-'.")
    return text


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is there under a name: the image it names now, the record of it, and who is writing it right now.

    ``alone``: nobody but the user who asks has that image, or runs it. ``seen``: she may use this name of it.
    ``pulling``: the writer pulls.
    """

    image: str = ""
    tag: Tag | None = None
    alone: bool = False
    seen: bool = False
    writer: int | None = None
    pulling: bool = False


@dataclass(frozen=True, kw_only=True)
class Write:
    """A wish to write a name. ``image`` is what it will name, when that is known; ``pulled``: a registry decides.

    ``admin``: whoever asks runs the server.
    """

    ref: str
    uid: int
    pulled: bool = False
    image: str = ""
    admin: bool = False


def written_as(wish: Write, there: Standing, has_own: bool, settings: ImageSettings) -> str:
    """The engine's name for what a user writes: the same, or one in her own name space when she has it there already
    (``has_own``), or may not see what it means. Raises RefusedError; whose it is stays unsaid.
    """
    ownable = can_be_own(wish.ref, wish.uid)
    if _fetches_base(wish, there, settings):
        return wish.ref
    if ownable and not wish.pulled and (has_own or not (there.seen or _free(wish, there))):
        _check_names(wish, there, settings)
        return stored_image(wish.ref, wish.uid)
    check_writable(wish, there, settings)
    return wish.ref


def _fetches_base(wish: Write, there: Standing, settings: ImageSettings) -> bool:
    """Whether it is a base of the catalogue that comes from its registry: whoever builds on it first may fetch it, and
    an admin may fetch it again. What it is the registry says, and the admin chose that.
    """
    wanted = wish.pulled and is_base(wish.ref, settings) and not is_protected(wish.ref, settings.protected)
    free = there.writer in (None, wish.uid) or there.pulling
    return wanted and free and (wish.admin or not there.image)


def check_writable(wish: Write, there: Standing, settings: ImageSettings) -> None:
    """May this name be written? Raises RefusedError; whose it is stays unsaid."""
    _check_names(wish, there, settings)
    if not _free(wish, there):
        raise RefusedError("tags.taken", f"The image name {wish.ref} is in use", "Choose another one.", status=409)


def _check_names(wish: Write, there: Standing, settings: ImageSettings) -> None:
    """Names nobody writes, or somebody else only."""
    if is_stored(wish.ref):
        raise _only_ds01s(wish.ref)
    if _wants_absent(wish, there, settings):
        what = f"There is no image {wish.ref} here, and the server's own names are pulled from nowhere"
        raise RefusedError("tags.protected", what, "Which images are here: docker images, or ds01 image list.")
    if is_common(wish.ref, None, settings) or _reaches_common(wish.ref, settings):
        raise not_allowed("tags.protected", f"writing the image {wish.ref}", "Choose a name of your own.")
    own = _OWN.fullmatch(wish.ref)
    if own is not None and int(own[1]) != wish.uid:
        raise not_allowed("tags.others", f"writing the image {wish.ref}", f"Yours begin with ds01-{wish.uid}/.")


def _wants_absent(wish: Write, there: Standing, settings: ImageSettings) -> bool:
    """Whether she pulls one of the server's own images that is not here: a client does so by itself before it runs."""
    one = wish.pulled and not wish.ref.endswith(EVERY_TAG)
    return one and not there.image and is_protected(wish.ref, settings.protected)


def _reaches_common(ref: str, settings: ImageSettings) -> bool:
    """Whether every tag of a repository means one of the server's own as well."""
    own = (*settings.protected, *(short(base.reference) for base in settings.bases))
    return ref.endswith(EVERY_TAG) and any(repository_of(with_tag(each)) == repository_of(ref) for each in own)


def _free(wish: Write, there: Standing) -> bool:
    """A pull waits for nobody: what others write or wrote under the name gives way to it, and a digest is the same
    whoever brought it.
    """
    if there.writer is not None:
        return wish.pulled or there.writer == wish.uid
    if not there.image or (wish.pulled and "@" in wish.ref):
        return True
    tag = there.tag
    if tag is None:
        return False
    if tag.provenance in PULLED:
        return wish.pulled or there.alone or bool(wish.image and wish.image == there.image == tag.image)
    if tag.provenance is not Provenance.USER or tag.owner is None:
        return False
    return tag.owner == wish.uid or (wish.pulled and can_be_own(wish.ref, tag.owner))
