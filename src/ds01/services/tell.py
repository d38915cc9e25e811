"""Writing the story of containers: events with the details that ``domain.sentences`` reads."""

from __future__ import annotations

from datetime import datetime

from ds01.domain.container import Container
from ds01.domain.events import Event, EventType
from ds01.domain.people import Uid
from ds01.ports.ledger import Books


def tell(
    books: Books, type_: EventType, container: Container, *, at: datetime, actor: Uid | None, **details: str
) -> None:
    """Record what happened to a container. ``actor`` None is DS01 itself; empty details are left out."""
    books.record(
        Event(
            at=at,
            type=type_,
            actor=actor,
            uid=whose(books, container.uid, container.epoch),
            subject=container.id,
            details={"name": container.name, **{key: value for key, value in details.items() if value}},
        )
    )


def whose(books: Books, uid: Uid, epoch: int) -> Uid | None:
    """Whose affair it is: nobody's, where the uid is somebody else's by now."""
    account = books.account(uid)
    return uid if account is None or account.epoch == epoch else None
