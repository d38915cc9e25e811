"""Finding the container somebody means, among her own."""

from __future__ import annotations

from ds01.domain.container import Container
from ds01.domain.errors import NO_CONTAINER, Ds01Error
from ds01.domain.names import nearest
from ds01.ports.ledger import Books
from ds01.services.caller import Caller


def find(books: Books, caller: Caller, name: str, *, removed: bool = False) -> Container:
    """The caller's container of this name. Raises Ds01Error (``container.unknown``) with the name she may mean."""
    found = books.named(caller.uid, name, removed=removed)
    if found is None or found.epoch != caller.epoch:
        raise unknown(name, [container.name for container in mine(books, caller)], whose(caller))
    return found


def mine(books: Books, caller: Caller) -> tuple[Container, ...]:
    """The caller's containers: a uid that changed hands inherits none."""
    return tuple(c for c in books.containers(caller.uid) if c.epoch == caller.epoch)


def whose(caller: Caller) -> str:
    """How what she has is told to whoever asks: ``You have``, ``alice has``."""
    return f"{caller.user.login} has" if caller.for_another else "You have"


def hers(caller: Caller) -> str:
    """Whose something is, as it is told to whoever asks: ``yours``, ``alice's``."""
    return f"{caller.user.login}'s" if caller.for_another else "yours"


def unknown(name: str, known: list[str], whose: str = "You have") -> Ds01Error:
    """There is no such container."""
    meant = nearest(name, known)
    return Ds01Error(
        NO_CONTAINER,
        f"{whose} no container '{name}'." + (f" Did you mean '{meant}'?" if meant else ""),
        reason=f"{whose}: {', '.join(sorted(known))}." if known else f"{whose} no containers.",
        hint="ds01 launch" if whose == "You have" and not known else "ds01 list",
    )
