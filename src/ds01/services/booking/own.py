"""Which of her bookings, or of the classes she opened, somebody means by a name."""

from __future__ import annotations

from ds01.domain.errors import BAD_REQUEST, NO_BOOKING, Ds01Error
from ds01.domain.names import nearest
from ds01.domain.queue.booking import Booking, Kind
from ds01.ports.ledger import Books
from ds01.services.caller import Caller
from ds01.services.find import whose


def booked(books: Books, caller: Caller, name: str) -> list[Booking]:
    """All dates of her booking of this name that stand. Raises Ds01Error with the name she may mean."""
    mine = _mine(books, caller)
    found = [one for one in mine if one.name == name]
    if any(one.kind is Kind.CLASS for one in found):
        raise Ds01Error(
            BAD_REQUEST, f"'{name}' is a class.", reason="Closing it looks after those who are in, too.",
            hint=f"ds01 class close {name}",
        )  # fmt: skip
    if not found:
        used = any(one.name == name and caller.uid in one.uids for one in books.bookings())
        reason = "Somebody else made it for you." if used else ""
        raise _unknown(caller, f"no booking named '{name}'.", name, mine, reason, "ds01 bookings")
    return found


def opened(books: Books, caller: Caller, name: str) -> list[Booking]:
    """All dates of her class of this name. Raises Ds01Error with the name she may mean."""
    mine = [one for one in _mine(books, caller) if one.kind is Kind.CLASS]
    found = [one for one in mine if one.name == name]
    if not found:
        member = any(one.kind is Kind.CLASS and one.name == name and caller.uid in one.uids for one in books.bookings())
        reason = "You are in it; its instructor sees and closes it." if member else ""
        hint = f"ds01 launch {name}" if member else "ds01 class list"
        raise _unknown(caller, f"opened no class named '{name}'.", name, mine, reason, hint)
    return found


def _mine(books: Books, caller: Caller) -> list[Booking]:
    return [one for one in books.bookings() if (one.uid, one.epoch) == (caller.uid, caller.epoch)]


def _unknown(caller: Caller, what: str, name: str, mine: list[Booking], reason: str, hint: str) -> Ds01Error:
    """``You have no booking named …``: ``reason`` says why there is none of this ``name``, else which are hers."""
    known = sorted({one.name for one in mine})
    meant = nearest(name, known)
    return Ds01Error(
        NO_BOOKING, f"{whose(caller)} {what}" + (f" Did you mean '{meant}'?" if meant else ""),
        reason=reason or (f"{whose(caller)}: {', '.join(known)}." if known else ""), hint=hint,
    )  # fmt: skip
