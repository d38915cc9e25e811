"""Quantities as people write them: ``30m 24h 7d``, ``512M 32G``, ``5%``, ``2.5``; and back."""

from __future__ import annotations

import re
from datetime import timedelta

TYPE_CHECKING = False  # fractions is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from fractions import Fraction

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SIZES = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)


def duration(text: str) -> timedelta:
    """``90s``, ``30m``, ``1h30m``, ``7d``. Raises ValueError."""
    if not _DURATION.fullmatch(text):
        raise ValueError(f"'{text}' is no duration; write it like 30m, 24h, 1h30m or 7d")
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhdw])", text)
    try:
        return timedelta(microseconds=sum(_times(number, _UNITS[unit] * 1_000_000) for number, unit in parts))
    except OverflowError as error:
        raise ValueError(f"'{text}' is longer than time can be counted") from error


def size(text: str) -> int:
    """Bytes of ``512M``, ``32G``, ``1.5T`` or a plain number of bytes; units are powers of 1024."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text}' is no size; write it like 512M or 32G")
    return _times(match[1], _SIZES[match[2].upper()])


def _times(number: str, unit: int) -> int:
    """A decimal number of units, exact, rounded down."""
    whole, _, part = number.partition(".")
    shift: int = 10 ** len(part)
    return int(whole + part) * unit // shift


def show_duration(value: timedelta | None) -> str:
    """The shortest exact form with at most two units (``1h30m``); None is ``no limit``."""
    if value is None:
        return "no limit"
    seconds = int(value.total_seconds())
    if seconds < 1:
        return "0s"
    shown = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        if count:
            shown.append(f"{count}{unit}")
    return "".join(shown[:2])


def show_hours(value: timedelta) -> str:
    """GPU time as people count it: ``60h``, ``1h30m``; days would be read as days of the calendar."""
    whole, rest = divmod(int(value.total_seconds()), 3600)
    minutes = rest // 60
    if not whole:
        return f"{minutes}m" if minutes else "0h"
    return f"{whole}h" + (f"{minutes}m" if minutes else "")


def show_size(value: int | None) -> str:
    """``32G``, ``1.5G``, ``512M``; None is ``no limit``."""
    if value is None:
        return "no limit"
    for unit, length in (("T", 1024**4), ("G", 1024**3), ("M", 1024**2), ("K", 1024)):
        if value >= length:
            return f"{value / length:.1f}".removesuffix(".0") + unit
    return f"{value}B"


def show_gpueq(value: Fraction | None) -> str:
    """GPU-equivalents with at most two decimals: ``1``, ``0.43``; None is ``no limit``."""
    if value is None:
        return "no limit"
    return f"{float(value):.2f}".rstrip("0").rstrip(".")


def many(number: int, noun: str) -> str:
    """``1 user``, ``3 users``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def roughly(value: timedelta) -> str:
    """A duration as somebody would guess it: ``5m``, ``40m``, ``2h``, ``3d``."""
    minutes = max(0.0, value.total_seconds()) / 60
    if minutes < 10:
        return f"{max(1, round(minutes))}m"
    if minutes < 120:
        return f"{round(minutes / 5) * 5}m"
    return f"{round(minutes / 60)}h" if minutes < 2880 else f"{round(minutes / 1440)}d"


def ordinal(number: int) -> str:
    """``1st``, ``2nd``, ``3rd``, ``11th``."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
