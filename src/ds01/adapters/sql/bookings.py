"""The part of the books about bookings: those that stand are kept at hand, because every grant asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from ds01.adapters.sql import statements, tables
from ds01.adapters.sql.prepared import Found
from ds01.adapters.sql.said import Said
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.queue.booking import Booking, BookingId, BookingState

_DERIVED = ("ask", "slots", "claimed")
"""What a booking has besides its columns: nobody books slots by name, and leases say which of it are in use."""


class BookingBooks(Said):
    """Bookings, within a transaction."""

    def booking(self, booking: BookingId) -> Booking | None:
        if found := self._standing().get(booking):
            return found
        row = self._one(statements.BOOKING, {"id": booking})
        return None if row is None else _booking(row)

    def bookings(self, *, after: datetime | None = None) -> tuple[Booking, ...]:
        if after is not None:
            return tuple(_booking(row) for row in self._all(statements.BOOKINGS_AFTER, {"after": after}))
        return tuple(sorted(self._standing().values(), key=lambda one: (one.begins_at, one.id)))

    def put_booking(self, booking: Booking) -> None:
        self._put(tables.bookings, _row(booking))
        others = {key: value for key, value in self._standing().items() if key != booking.id}
        mine = {booking.id: booking} if booking.state is BookingState.BOOKED else {}
        self.hot = replace(self.hot, bookings=others | mine)

    def _standing(self) -> Mapping[BookingId, Booking]:
        if self.hot.bookings is None:
            found = [_booking(row) for row in self._all(statements.BOOKINGS)]
            self.hot = replace(self.hot, bookings={booking.id: booking for booking in found})
        return self.hot.bookings or {}


def _booking(row: Found) -> Booking:
    values = dict(row)
    ask = GpuAsk(count=values.pop("count"), profile=values.pop("profile"), memory_bytes=values.pop("memory_bytes"))
    return Booking(**values, ask=ask)


def _row(booking: Booking) -> dict[str, Any]:
    values = {key: value for key, value in vars(booking).items() if key not in _DERIVED}
    ask = booking.ask
    return {**values, "gpus": ask.count, "gpu_profile": ask.profile, "gpu_memory_bytes": ask.memory_bytes}
