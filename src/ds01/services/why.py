"""A container's story, also after it is gone: what happened to it and its GPU, in order, and what to do next.

A container that was recreated with other GPUs is two in the engine and the ledger and one for its owner, so the
story goes on over the change.
"""

from __future__ import annotations

from datetime import UTC, datetime

from ds01.domain.container import Container, ContainerState, StopReason
from ds01.domain.errors import NO_CONTAINER, Ds01Error
from ds01.domain.events import Event, EventType, meant
from ds01.domain.lease import Lease, LeaseState
from ds01.domain.lifecycle.case import Level
from ds01.domain.names import nearest
from ds01.domain.people import Uid
from ds01.domain.reasons import advice, by_somebody, words
from ds01.domain.sentences import tell, who_did
from ds01.ports.ledger import Books, Ledger
from ds01.services.people import Names, names
from ds01.wire.containers import WhyEntry, WhyView

_LEASES = tuple(kind for kind in EventType if kind.value.startswith("lease."))
_QUEUE = meant("queue")
_MOST = 2000


async def why(ledger: Ledger, *, uid: Uid, epoch: int, name: str, viewer: Uid) -> WhyView:
    """The story of the container ``name`` of this account; of several with this name the latest.

    Raises Ds01Error (``container.unknown``) with the name that may be meant.
    """
    return await ledger.read(lambda books: _why(books, uid, epoch, name, viewer))


def _why(books: Books, uid: Uid, epoch: int, name: str, viewer: Uid) -> WhyView:
    called = names(books)
    owner = "you" if viewer == uid else called(uid)
    lives = _lives(books, uid, epoch, name, "You" if viewer == uid else owner)
    container = lives[-1]
    entries = tuple(
        WhyEntry(at=event.at.isoformat(), what=_told(event, lives, called, viewer), detail=_detail(event))
        for event in story(books, lives)
    )
    return WhyView(
        name=name,
        state=container.state.value,
        reason=_reason(container, owner),
        summary=_summary(books, container, owner),
        entries=entries,
        door=container.door.value,
        project=container.project,
    )


def _lives(books: Books, uid: Uid, epoch: int, name: str, who: str) -> list[Container]:
    """The latest container of this name, after those it replaced, oldest first. ``who`` had it, to whoever asks."""
    named = [container for container in books.containers_ever(uid, name=name) if container.epoch == epoch]
    if not named:
        mine = [container for container in books.containers_ever(uid) if container.epoch == epoch]
        raise _unknown(name, [container.name for container in mine], who)
    named.sort(key=lambda container: (container.state is not ContainerState.REMOVED, container.created_at))
    lives = [named.pop()]
    while named and not books.events(subject=named[-1].id, types=(EventType.CONTAINER_REMOVED,), limit=1):
        lives.insert(0, named.pop())
    return lives


def _unknown(name: str, known: list[str], who: str) -> Ds01Error:
    meant = nearest(name, known)
    return Ds01Error(
        NO_CONTAINER,
        f"{who} never had a container '{name}'." + (f" Did you mean '{meant}'?" if meant else ""),
        hint=f"ds01 why {meant}" if meant else "ds01 list",
    )


def story(books: Books, lives: list[Container]) -> list[Event]:
    """What happened to the containers, their leases, and requests that were turned down for them.

    What the gateway let through is for ``events``: every shell is two of it, and what came of it is told here anyway.
    """
    ids = {container.id for container in lives}
    known = [event for container in lives for event in books.events(subject=container.id, limit=_MOST)]
    own = [event for event in known if event.type is not EventType.DOOR_ALLOWED and not _repeats(event)]
    begin = min([lives[0].created_at, *(event.at for event in own)])
    leases = books.events(uid=lives[0].uid, types=(*_LEASES, EventType.REQUEST_DENIED), limit=_MOST)
    theirs = {event.subject for event in leases if event.details.get("container") in ids}
    theirs |= {str(container.lease) for container in lives if container.lease}
    about = [event for event in leases if event.subject in theirs or _turned_down(event, lives, begin)]
    return sorted([*own, *about, *_waited(books, lives, theirs)], key=lambda event: event.seq)


def _repeats(event: Event) -> bool:
    """Whether it only says that somebody was told what the story tells anyway."""
    return event.type is EventType.NOTICE_DELIVERED and event.details.get("level") == Level.NOTICE.value


def _waited(books: Books, lives: list[Container], leases: set[str]) -> list[Event]:
    """How it waited in the queue for these leases."""
    waits = books.events(uid=lives[0].uid, types=_QUEUE, limit=_MOST)
    requests = {event.subject for event in waits if event.details.get("lease") in leases}
    return [event for event in waits if event.subject in requests]


def _turned_down(event: Event, lives: list[Container], begin: datetime) -> bool:
    mine = event.details.get("name") == lives[-1].name
    return event.type is EventType.REQUEST_DENIED and mine and event.at >= begin


def _told(event: Event, lives: list[Container], called: Names, viewer: Uid) -> str:
    if event.type is EventType.CONTAINER_CREATED and event.subject != lives[0].id:
        return f"{lives[-1].name} was recreated with other GPUs, with everything that was in it."
    return tell(event, who_did(event, called, viewer))


def _detail(event: Event) -> str:
    """The stable word of a stop, for programs: ``idle``, ``exit:137``, ``admin:carol``."""
    if event.type is not EventType.CONTAINER_STOPPED:
        return ""
    return ":".join(filter(None, (event.details.get("reason"), event.details.get("detail"))))


def _reason(container: Container, owner: str) -> str:
    if container.reason is None or container.state in (ContainerState.RUNNING, ContainerState.PAUSED):
        return ""
    return words(container.reason, container.reason_detail, owner=owner)


def _summary(books: Books, container: Container, owner: str) -> str:
    """The present in one to three sentences, the last one what to do next."""
    name, reason = container.name, _reason(container, owner)
    match container.state:
        case ContainerState.RUNNING:
            since = f"{name} has been running since {_time(container.started_at or container.created_at)}."
            return " ".join([since, *(f"{line}." for line in _warnings(books, container))])
        case ContainerState.PAUSED:
            return f"{name} is paused: its processes stand still and keep their memory. Go on with: ds01 unpause {name}"
        case ContainerState.CREATING:
            return f"{name} was created at {_time(container.created_at)} and has not started yet."
        case ContainerState.QUARANTINED:
            return f"{name} was set aside by DS01; ask an admin. Nothing in your workspace was touched."
        case ContainerState.REMOVED:
            stopped = f" It {_ended(container, reason)}." if reason else ""
            return f"{name} was removed at {_time(container.removed_at)}.{stopped} {_stays(container)}".rstrip()
        case ContainerState.STOPPED:
            parts = [f"{name} {_ended(container, reason)}.", _gpu(books, container)]
            if container.reason is not None:
                told = advice(container.reason, container.reason_detail, name)
                parts.append(_said(books, container) or told)
            return " ".join(filter(None, parts))


def _said(books: Books, container: Container) -> str:
    """Why the admin who stopped it did, in her words; ``""`` when nobody gave a reason."""
    stops = books.events(subject=container.id, types=(EventType.CONTAINER_STOPPED,), limit=1)
    why = next((event.details.get("why", "") for event in stops), "")
    return f"The reason given: {why.rstrip('.')}." if why and container.reason is StopReason.ADMIN else ""


def _warnings(books: Books, container: Container) -> list[str]:
    """What it is warned of now."""
    return [notice.subject_line(UTC) for notice in books.notices(container.uid) if notice.subject == container.id]


def _ended(container: Container, reason: str) -> str:
    """``was stopped by you at …`` or ``stopped at …: out of memory``."""
    at = _time(container.stopped_at)
    if container.reason is not None and by_somebody(container.reason):
        return f"was {reason} at {at}"
    return f"stopped at {at}" + (f": {reason}" if reason else "")


def _gpu(books: Books, container: Container) -> str:
    """What became of the GPU of a stopped container."""
    if not container.gpus:
        return ""
    lease: Lease | None = books.lease(container.lease) if container.lease else None
    if lease is not None and lease.state is LeaseState.HELD and lease.expires_at is not None:
        return f"Its GPU is kept for it until {_time(lease.expires_at)}."
    return "Its GPU went back; a free one is leased when it starts again."


def _stays(container: Container) -> str:
    return f"Your files in {container.workspace} stay." if container.workspace else ""


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment is not None else "an unknown time"
