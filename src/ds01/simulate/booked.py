"""Bookings beside a trace: which GPUs are kept for whom and when. Read whole, or refused with every bad line.

CSV with a heading: ``booking_id,users,begin_s,duration_s,gpus`` and, if wanted, ``keep_s`` (how long it waits for
somebody to come; 15 minutes) and ``weeks`` (on how many weeks it is; 1). ``users`` are names with spaces between them,
``begin_s`` counts from where ``submit_s`` of the trace does, ``gpus`` are whole ones.

Which GPUs each has, and whether all can be had together, says ``seating``, as it does for ds01d.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.domain.gpu import Gpu, Slot, SlotId, slots_of
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.people import Uid
from ds01.domain.quantity import many, show_duration
from ds01.domain.queue.booking import Booking, BookingId
from ds01.domain.queue.seating import clashes, seated
from ds01.simulate.rows import MOST_GPUS, Table, filled, more_than_nothing, seconds

_WEEK = 7 * 86400.0
_MOST_WEEKS = 520
_ORIGIN = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Booked:
    """One date: ``gpus`` GPUs are kept for these users from one time up to another.

    ``keep`` is how many seconds it waits for somebody to come; None is as the rules say.
    """

    id: str
    gpus: int
    begin: float
    end: float
    users: frozenset[str]
    keep: float | None = None


def load(path: Path) -> list[Booked]:
    """The dates of a file (``-``: of the standard input). Raises Ds01Error (``trace.invalid``)."""
    return [date for dates in TABLE.load(path) for date in dates]


def read(lines: Iterable[str], name: str = "bookings") -> list[Booked]:
    """The dates of these lines. Raises Ds01Error with every bad line, or the first ten of them."""
    return [date for dates in TABLE.read(lines, name) for date in dates]


def write(dates: Iterable[Booked], file: Path) -> None:
    """As a bookings file."""
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(TABLE.needed)
        for one in dates:
            rows.writerow((one.id, " ".join(sorted(one.users)), f"{one.begin:g}", f"{one.end - one.begin:g}", one.gpus))


def places(dates: Sequence[Booked], gpus: int) -> list[tuple[int, ...]]:
    """Which GPUs each date has. Raises Ds01Error when they cannot all be had together."""
    slots = [_slot(number, gpus) for number in range(gpus)]
    number_of = {slot.id: number for number, slot in enumerate(slots)}
    bookings = [_booking(number, date) for number, date in enumerate(dates)]
    found = seated(bookings, slots)
    if found.unseated:
        late = found.unseated[0]
        raise _too_many(late, clashes(late, bookings, slots), gpus)
    return [tuple(number_of[slot] for slot in found.slots[one.id]) for one in bookings]


def _dates(row: Mapping[str, str]) -> tuple[Booked, ...]:
    filled(row, "booking_id", "users")
    begin, length = seconds("begin_s", row["begin_s"]), more_than_nothing("duration_s", row["duration_s"])
    keep = seconds("keep_s", row["keep_s"]) if row.get("keep_s") else None
    gpus, users = _whole("gpus", row["gpus"], MOST_GPUS), frozenset(row["users"].split())
    weeks = _whole("weeks", row.get("weeks") or "1", _MOST_WEEKS)
    starts = (begin + week * _WEEK for week in range(weeks))
    return tuple(
        Booked(id=row["booking_id"], gpus=gpus, begin=at, end=at + length, users=users, keep=keep) for at in starts
    )


def _whole(column: str, text: str, most: int) -> int:
    if not text.isdecimal() or len(text) > len(str(most)) or not 1 <= int(text) <= most:
        raise ValueError(f"{column} is {text}; it must be a whole number from 1 to {most}")
    return int(text)


def _slot(number: int, of: int) -> Slot:
    uuid = SlotId(f"GPU-{number:0{len(str(of))}}")
    (slot,) = slots_of(Gpu(uuid=uuid, index=number, model="", memory_bytes=0, minor=number))
    return slot


def _booking(number: int, date: Booked) -> Booking:
    return Booking(
        id=BookingId(str(number)), uid=Uid(0), epoch=0, name=date.id, ask=GpuAsk(count=date.gpus),
        begins_at=_ORIGIN + timedelta(seconds=date.begin), ends_at=_ORIGIN + timedelta(seconds=date.end),
    )  # fmt: skip


def _too_many(late: Booking, others: Sequence[Booking], gpus: int) -> Ds01Error:
    beside = ", ".join(sorted({one.name for one in others if one.name != late.name})) or late.name
    clash = f", and {beside} has others then" if others else ""
    begin = show_duration(late.begins_at - _ORIGIN)
    return Ds01Error(
        BAD_REQUEST, f"The bookings cannot all be had on {many(gpus, 'GPU')}.",
        reason=f"{late.name} needs {late.count}, {begin} from the begin{clash}",
        hint="Move one of them, book fewer GPUs, or simulate more: --gpus N",
    )  # fmt: skip


TABLE = Table(
    what="bookings file", one="booking", option="--bookings",
    needed=("booking_id", "users", "begin_s", "duration_s", "gpus"), known=("keep_s", "weeks"), row=_dates,
    name=lambda dates: dates[0].id,
)  # fmt: skip
