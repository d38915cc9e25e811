"""Bookings in words: what is booked, when, for whom."""

from __future__ import annotations

from datetime import datetime, tzinfo

from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.quantity import many
from ds01.domain.queue.booking import Booking, Kind


def what(ask: GpuAsk) -> str:
    """``2 GPUs``, ``1g.10gb``, ``30 x 1g.10gb``, ``1 GPU with 20G``."""
    memory = f" with {ask.memory_bytes // 1024**3}G" if ask.memory_bytes else ""
    if ask.profile is None:
        return many(ask.count, "GPU") + memory
    profile = "whole GPU" if ask.profile == "full" else ask.profile
    return (profile if ask.count == 1 else f"{ask.count} x {profile}") + memory


def typed(ask: GpuAsk) -> str:
    """The same as ``ds01 book`` takes it."""
    memory = f" --mem {ask.memory_bytes // 1024**3}G" if ask.memory_bytes else ""
    if ask.profile is None:
        return f"{ask.count}{memory}"
    return ask.profile + (f" --count {ask.count}" if ask.count > 1 else "") + memory


def day(at: datetime, zone: tzinfo) -> str:
    """``Tue 01 Dec``."""
    return f"{at.astimezone(zone):%a %d %b}"


def clock(at: datetime, zone: tzinfo) -> str:
    """``10:00``."""
    return f"{at.astimezone(zone):%H:%M}"


def span(begin: datetime, end: datetime, zone: tzinfo) -> str:
    """``Tue 01 Dec 10:00-12:00``; over midnight with both days."""
    same = begin.astimezone(zone).date() == end.astimezone(zone).date()
    last = clock(end, zone) if same else f"{day(end, zone)} {clock(end, zone)}"
    return f"{day(begin, zone)} {clock(begin, zone)}{'-' if same else ' to '}{last}"


def people(booking: Booking, owner: str) -> str:
    """For whom it is."""
    match booking.kind:
        case Kind.OWN:
            return owner
        case Kind.GROUP:
            return booking.group
        case Kind.CLASS:
            return many(len(booking.uids), "person").replace("persons", "people")
