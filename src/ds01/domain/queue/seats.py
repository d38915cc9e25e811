"""Who may still have which slots of the bookings that have begun: one person has no more of one than her part."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ds01.domain.queue.booking import Booking, BookingId
from ds01.domain.queue.floor import Floor


@dataclass(slots=True, eq=False)
class _Begun:
    id: BookingId
    numbers: frozenset[int]
    left: dict[int, int]


@dataclass(slots=True, eq=False)
class Seats:
    """The seats of one pass; slots are numbered as on its floor."""

    floor: Floor
    _begun: list[_Begun] = field(default_factory=list)

    def begin(self, booking: Booking, numbers: Iterable[int]) -> None:
        """A booking has begun, and these slots are kept for it."""
        self._begun.append(_Begun(booking.id, frozenset(numbers), dict.fromkeys(map(int, booking.uids), booking.share)))

    def of(self, uid: int, count: int, numbers: Iterable[int]) -> list[int]:
        """Those of the slots that are booked for her, where she may have as many as she asks for."""
        mine = [one.numbers for one in self._begun if one.left.get(uid, 0) >= count]
        return [number for number in numbers if any(number in kept for kept in mine)]

    def sit(self, uid: int, chosen: Iterable[int]) -> str:
        """She gets these; the booking they are all of, if there is one. Who has her part has no right to more."""
        chosen, used = frozenset(chosen), ""
        for one in self._begun:
            if uid in one.left and chosen & one.numbers:
                used = one.id if chosen <= one.numbers else used
                one.left[uid] -= len(chosen & one.numbers)
                if one.left[uid] <= 0:
                    del one.left[uid]
                    self.floor.withdraw(uid, one.numbers)
        return used
