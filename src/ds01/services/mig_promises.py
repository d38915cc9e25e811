"""Who was promised a kind of slot that would not be there any more: a booking, or a place in the queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo

from ds01.domain.bookings import words
from ds01.domain.gpu import Slot, SlotId
from ds01.domain.gpu_ask import GpuAsk, flags
from ds01.domain.placement import fits
from ds01.domain.queue.booking import Booking
from ds01.domain.queue.seating import seated
from ds01.ports.ledger import Books
from ds01.services.people import names

Planned = Mapping[SlotId, tuple[Slot, ...]]
"""By GPU, the slots it would have."""


def promises(books: Books, planned: Planned, zone: tzinfo) -> dict[SlotId, tuple[str, ...]]:
    """By GPU, whom its division would leave without what she has booked or waits for, each as people read it."""
    before = books.slots(vanished=False)
    gone = {gpu: [slot for slot in before if slot.gpu == gpu] for gpu in planned}
    after = [slot for slot in before if slot.gpu not in planned] + [one for each in planned.values() for one in each]
    lost = [*_bookings(books, before, after, zone), *_requests(books, before, after)]
    return {gpu: tuple(text for text, could in lost if any(map(could, slots))) for gpu, slots in gone.items()}


_Lost = tuple[str, Callable[[Slot], bool]]
"""Who it is, and which slots she could use."""


def _bookings(books: Books, before: Sequence[Slot], after: Sequence[Slot], zone: tzinfo) -> list[_Lost]:
    every, called = books.bookings(), names(books)
    had = {one.id for one in seated(every, before).unseated}
    lost = [one for one in seated(every, after).unseated if one.id not in had]
    return [(f"{called(one.uid)}'s booking {_about(one, zone)}", one.could_use) for one in lost]


def _about(one: Booking, zone: tzinfo) -> str:
    return f"of {words.what(one.ask)} from {one.begins_at.astimezone(zone):%a %d %b %H:%M}"


def _requests(books: Books, before: Sequence[Slot], after: Sequence[Slot]) -> list[_Lost]:
    called = names(books)
    lost = [one for one in books.open_requests() if _enough(before, one.ask) and not _enough(after, one.ask)]
    return [
        (f"{called(one.uid)}'s {one.name} (waits for {flags(one.ask)})", lambda slot, ask=one.ask: fits(slot, ask))  # type: ignore[misc]
        for one in lost
    ]


def _enough(slots: Sequence[Slot], ask: GpuAsk) -> bool:
    return sum(fits(slot, ask) for slot in slots) >= ask.count
