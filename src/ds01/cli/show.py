"""Values for people: states, sizes, times left. What is unknown is shown as nothing, never as a zero."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from ds01.cli.style import shorten
from ds01.domain.quantity import roughly, show_duration, show_size
from ds01.wire.containers import ContainerView

_COLOURS = {"running": "green", "paused": "yellow", "quarantined": "red", "creating": "yellow"}


def colour(container: ContainerView) -> str:
    """The colour of its state."""
    return _COLOURS.get(container.state, "dim")


def described(container: ContainerView) -> str:
    """The state with the reason for it: ``running``, ``stopped: idle for 30m``, ``stopped by you``."""
    if container.state not in ("stopped", "removed", "quarantined") or not container.reason:
        return container.state
    if container.reason.startswith(container.state):
        return container.reason
    return f"{container.state}: {container.reason}"


def size(value: int | None) -> str:
    """Bytes, or nothing."""
    return "" if value is None else show_size(value)


def percent(value: float | None) -> str:
    """A share of a hundred, or nothing."""
    return "" if value is None else f"{value:.0f}%"


def left(seconds: int | None) -> str:
    """Time left, or nothing when there is no limit."""
    return "" if seconds is None else duration(seconds)


def duration(seconds: float) -> str:
    """A duration as people say it: two units at most, no seconds once it is minutes."""
    whole = int(seconds)
    return show_duration(timedelta(seconds=whole - whole % 60 if whole >= 300 else whole))


def until(at: str | None) -> str:
    """How long until a time on the wire; nothing when there is none."""
    if at is None:
        return ""
    return duration(max(0.0, (datetime.fromisoformat(at) - datetime.now(UTC)).total_seconds()))


def ago(at: str) -> str:
    """How long ago a time on the wire was."""
    return duration(max(0.0, (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds()))


def clock(at: str) -> str:
    """A time on the wire as the clock on the wall shows it: the hour today, the date before."""
    when = datetime.fromisoformat(at).astimezone()
    today = datetime.now(UTC).astimezone().date() == when.date()
    return when.strftime("%H:%M:%S" if today else "%d %b %H:%M")


def gpus(container: ContainerView) -> str:
    """The GPUs it holds, or how many it takes when it starts."""
    if container.gpus:
        held = " (kept)" if container.lease == "held" else ""
        return ", ".join(container.gpus) + held
    return ""


def which_gpus(labels: Sequence[str]) -> str:
    """``GPU 0``, ``GPUs 0, 2``."""
    return f"GPU{'' if len(labels) == 1 else 's'} {', '.join(labels)}"


def names(words: Iterable[str], *, most: int = 3) -> str:
    """A few names, and how many more there are."""
    listed = list(words)
    shown = ", ".join(listed[:most])
    return shown if len(listed) <= most else f"{shown} and {len(listed) - most} more"


def command(text: str, width: int = 48) -> str:
    """A command line on one line; a program that was handed over as an argument is not shown whole."""
    return shorten(" ".join(text.split()), width)


def count(number: int, thing: str, things: str = "") -> str:
    """``1 file``, ``2 files``."""
    return f"{number} {thing if number == 1 else things or thing + 's'}"


def hours(value: float) -> str:
    """Hours, to a tenth; small ones to a hundredth; nothing for next to none."""
    return "" if value < 0.005 else f"{value:.1f}h" if value >= 1 else f"{value:.2f}h"


def energy(watt_hours: float) -> str:
    """Watt-hours, or kilowatt-hours where they are many."""
    return amount(watt_hours / 1000, "kWh") if watt_hours >= 1000 else amount(watt_hours, "Wh")


def co2(grams: float | None) -> str:
    """Grams, or kilograms where they are many; nothing when nobody knows."""
    if grams is None:
        return ""
    return amount(grams / 1000, "kg") if grams >= 1000 else amount(grams, "g")


def amount(value: float, unit: str) -> str:
    """To a tenth, with its unit; nothing for next to none."""
    return "" if value < 0.05 else f"{value:.1f}{unit}"


def likely(earliest: str | None, latest: str | None) -> str:
    """``in 20m to 2h``; empty when nobody knows."""
    if not earliest:
        return ""
    soon, late = _left(earliest), _left(latest) if latest else ""
    if not late:
        return f"in {soon} or more"
    return f"in about {late}" if soon == late else f"in {soon} to {late}"


def _left(at: str) -> str:
    return roughly(datetime.fromisoformat(at) - datetime.now(UTC))
