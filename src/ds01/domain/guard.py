"""What the guard behind the engine is told: which containers may start, and with what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ds01.domain.container import Container, ContainerId
from ds01.domain.errors import NOT_ALLOWED, Ds01Error
from ds01.domain.names import plain_volume

RUNTIME = "ds01"
"""What an engine behind the guard calls its default runtime."""


@dataclass(frozen=True, kw_only=True)
class StartGrant:
    """What one container may have when it starts.

    ``as_owner``: everything in it runs as ``uid:gid``; else it may have root, and no folder of the host. ``binds`` are
    sources of bind mounts, ``volumes`` names, ``nodes`` device nodes of the host, ``gpus`` the UUIDs of its lease. A
    grant with GPUs is good for one start, and for none once it is ``used``.
    """

    container: ContainerId
    uid: int
    gid: int
    as_owner: bool
    binds: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    gpus: tuple[str, ...] = ()
    used: bool = False


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """What the guard did not let start. ``container`` is the engine's id, or BuildKit's of a step."""

    at: datetime
    container: str
    message: str


def as_owner(container: Container) -> bool:
    """Whether everything in it runs as its owner. What DS01 makes itself always does."""
    return container.forced_user or not container.door.docker


ITSELF = "it was asked for"


def judge_kind(
    joined: Sequence[Container], *, folder: str, unsafe: str, reached: str, itself: bool, root: bool, guarded: bool
) -> str:  # fmt: skip
    """Why everything in a container runs as its owner; empty when it may have root.

    ``joined`` are containers it shares something with, ``folder`` a folder of the host in it, ``unsafe`` one whose file
    system honours setuid, ``reached`` a volume that was in a container in which everything runs as its owner,
    ``itself`` that its owner was asked for, ``root`` that root is allowed at all. Open files can be handed from one
    container to another that shares anything with it, so both are of the same kind, or the container is refused.
    """
    why = ""
    if not root:
        why = "root in a container can become root on this server"
    elif unsafe:
        why = f"{unsafe} is on a file system that honours setuid files"
    elif folder and guarded:
        why = f"through {folder} root in it could be handed the rest of the server"
    elif reached and guarded:
        why = f"the volume {reached} was in a container that ran as you"
    bound = next((other for other in joined if as_owner(other)), None)
    free = next((other for other in joined if not as_owner(other)), None)
    if free is not None and (why or bound is not None):
        raise Ds01Error(
            NOT_ALLOWED,
            f"A container that must run as you cannot join '{free.name}', which may run as root.",
            reason=f"{why[:1].upper()}{why[1:]}." if why else f"'{bound.name if bound else ''}' runs as you.",
            hint="Mount a folder of yours in all of them, or in none",
        )
    if bound is not None:
        return why or f"it joins '{bound.name}', in which everything does"
    return why or (ITSELF if itself and free is None else "")


def check_options(name: str, options: Mapping[str, str] | None) -> None:
    """Refuse a volume that is no plain folder of the engine: its options would mount whatever they name.

    One in memory is fine. None: the engine has no such volume, or another driver has it.
    """
    if options is None or (options and options.get("type") != "tmpfs"):
        raise Ds01Error(
            NOT_ALLOWED, f"The volume {name} is not a plain one.", reason="Its options mount something of the server."
        )


def check_volumes(grant: StartGrant, running: Sequence[StartGrant]) -> None:
    """Refuse a volume that a running container of another kind has, or any of somebody else.

    Through a socket in a shared volume one that runs as its owner, whom she reaches from her shell, would hand open
    folders of the host to root in the other.
    """
    for other in running:
        common = set(grant.volumes) & set(other.volumes)
        if other.container == grant.container or not common:
            continue
        if other.uid != grant.uid:
            raise Ds01Error(NOT_ALLOWED, f"The volume {min(common)} is in use by somebody else.")
        if other.as_owner != grant.as_owner:
            raise in_use(min(common), grant.uid)


def in_use(volume: str, uid: int) -> Ds01Error:
    """Why a container of this user does not start beside one that has the same volume."""
    return Ds01Error(
        NOT_ALLOWED,
        f"The volume {plain_volume(volume, uid)} is in use by a container of yours of another kind.",
        reason="Everything in one of them runs as you, and the other may have root: they must not meet.",
        hint="Stop the other one, or mount a folder of yours in both or in neither",
    )


def reached(volume: str, uid: int) -> Ds01Error:
    """Why a container of this user with root does not start any more with a volume it was made with."""
    return Ds01Error(
        NOT_ALLOWED,
        f"The volume {plain_volume(volume, uid)} was in a container of yours that runs as you: not in one with root.",
        reason="Your shell may have a folder of it open, through which root could be handed the rest of the server.",
        hint="Make the container anew, and it runs as you; or with a new volume",
    )


def unknown(volume: str, uid: int) -> Ds01Error:
    """Why a container of this user with root does not start with a volume of which nobody knows where it was."""
    return Ds01Error(
        NOT_ALLOWED,
        f"DS01 does not know the volume {plain_volume(volume, uid)}, so no container with root has it.",
        reason="One that was in a container which runs as you must not be in one with root.",
        hint="Make the container anew, with a volume that 'docker volume create' makes",
    )


def common(grant: StartGrant, others: Iterable[StartGrant], *, as_owner: bool) -> Iterator[tuple[StartGrant, str]]:
    """The other containers of this kind that were granted a volume of this one, each with the first such volume."""
    for other in others:
        both = set(grant.volumes) & set(other.volumes)
        if both and other.container != grant.container and other.as_owner is as_owner:
            yield other, min(both)
