"""The engine's complaints as sentences of DS01.

The engine answers with a status and English prose; which of our errors it is follows from both. Nothing of the
engine's own wording is shown as the message, only as the reason, so that a new engine version changes no promise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from aiodocker.exceptions import DockerError

from ds01.domain.binds import shown
from ds01.domain.errors import (
    DISK_FULL,
    ENGINE_DOWN,
    ENGINE_ERROR,
    IMAGE_IN_USE,
    NAME_TAKEN,
    NO_ADDRESSES,
    NO_CONTAINER,
    NO_IMAGE,
    NO_VOLUME,
    SILENT,
    START_FAILED,
    WRONG_STATE,
    Ds01Error,
    ErrorKind,
)

UNREACHABLE = 900
"""The status aiodocker gives an engine that cannot be connected to."""

_SENTENCES: tuple[tuple[str, ErrorKind, str, str], ...] = (
    (r"no space left on device|disk quota exceeded", DISK_FULL, "The server's disk is full.", "ds01 doctor"),
    (r"no such image|(image|reference).* (not found|does not exist)", NO_IMAGE, "The image is not on this server.",
     "ds01 image list"),
    (r"no such volume", NO_VOLUME, "The volume is gone from the engine.", "docker volume ls"),
    (r"pool overlaps|non-overlapping IPv4", NO_ADDRESSES, "The address range is in use.", "Choose another range"),
    (r"no such container", NO_CONTAINER, "The container is gone from the engine.", "ds01 list"),
    (r"is already in use by container", NAME_TAKEN, "A container of this name exists already.", "ds01 list"),
    (r"image is being used by|is using its referenced image|dependent child images", IMAGE_IN_USE,
     "Containers still use the image.", "ds01 list"),
    (r"is not running|already paused|is not paused|is paused|cannot remove a running|is restarting|is already stopped",
     WRONG_STATE, "The container is in another state.", "ds01 list"),
)  # fmt: skip


def unreachable(reason: str) -> Ds01Error:
    """The engine does not answer."""
    return Ds01Error(
        ENGINE_DOWN,
        "The Docker engine does not answer; running containers are not affected by DS01 waiting for it.",
        reason=reason,
        hint="systemctl status docker",
    )


def silent() -> Ds01Error:
    """The engine answers, and nothing about one container."""
    return Ds01Error(
        SILENT,
        "The container does not answer.",
        reason="The engine waits for something that is going on with it: its files are copied, or it starts or ends.",
        hint="Try again when that is over",
    )


def not_copied() -> Ds01Error:
    """The engine keeps files where DS01 cannot read them, and must not be asked for them itself."""
    return Ds01Error(
        ENGINE_ERROR,
        "This version of Docker does not copy files of a container that stands still.",
        reason="A folder that is mounted in it could be exchanged for a link meanwhile.",
        hint="Start it and use ds01 cp",
    )


def unreadable(path: str, error: OSError) -> Ds01Error:
    """A file of a container's own layer."""
    return Ds01Error(
        ENGINE_ERROR,
        f"{shown(path)} of the container cannot be read.",
        reason=f"{error.strerror or error}.",
        hint="Start the container and use ds01 cp",
    )


def translated(error: DockerError, *, starting: bool = False) -> Ds01Error:
    """One complaint of the engine. ``starting``: what is not recognised is a failed start."""
    text = " ".join(str(error.message).split())
    if error.status == UNREACHABLE:
        return unreachable(text)
    for pattern, kind, message, hint in _SENTENCES:
        if re.search(pattern, text, re.IGNORECASE):
            return Ds01Error(kind, message, reason=text, hint=hint)
    if starting:
        return Ds01Error(START_FAILED, "The container does not start.", reason=_start_reason(text), hint="ds01 doctor")
    return Ds01Error(ENGINE_ERROR, "The Docker engine refused.", reason=text, hint="ds01 doctor")


@contextmanager
def engine_errors(*, starting: bool = False) -> Iterator[None]:
    """Foreign errors stop here."""
    try:
        yield
    except DockerError as error:
        raise translated(error, starting=starting) from error
    except TimeoutError as error:
        raise unreachable("It took too long to answer.") from error
    except (aiohttp.ClientError, OSError) as error:
        raise unreachable(str(error) or type(error).__name__) from error


def _start_reason(text: str) -> str:
    """The part of an OCI runtime's chain of complaints that says something."""
    return re.sub(r"^.*?OCI runtime create failed: (?:[\w./]+\.go:\d+: )?", "", text)
