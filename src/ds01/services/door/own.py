"""A container by its id, as Docker's clients name it: whether it is hers, in the words that they know."""

from __future__ import annotations

from ds01.domain.container import Container, ContainerId, ContainerState
from ds01.domain.errors import BUSY, NAME_TAKEN, NO_CONTAINER, Ds01Error
from ds01.domain.launch import out_of_service
from ds01.ports.ledger import Books
from ds01.services.caller import Caller


def hers(books: Books, caller: Caller, container_id: str, *, admins: bool = False) -> Container:
    """The caller's own; ``admins``: to an admin everybody's. Raises Ds01Error (``container.unknown``)."""
    found = books.container(ContainerId(container_id))
    if found is None or not (caller.owns(found) or (admins and caller.admin)):
        raise unknown(container_id)
    return found


def in_service(books: Books, caller: Caller, container_id: str) -> Container:
    """The caller's own, which was not taken out of service. Raises Ds01Error."""
    found = hers(books, caller, container_id)
    if found.state is ContainerState.QUARANTINED:
        raise out_of_service(found)
    return found


def still(books: Books, caller: Caller, before: Container) -> Container:
    """The same, as it is now that its lock is held. Raises Ds01Error where that is another name's lock by now."""
    current = in_service(books, caller, before.id)
    if current.name != before.name:
        raise Ds01Error(BUSY, f"'{before.name}' was given another name at the same moment.", hint="Try again")
    return current


def unknown(container_id: str) -> Ds01Error:
    """There is none of hers with this id."""
    return Ds01Error(NO_CONTAINER, f"No such container: {container_id}")


def name_taken(other: Container) -> Ds01Error:
    """``other`` has the name that was asked for."""
    return Ds01Error(
        NAME_TAKEN,
        f'Conflict. The container name "/{other.name}" is already in use by container "{other.id}".',
        reason="You have to remove (or rename) that container to be able to reuse that name.",
    )
