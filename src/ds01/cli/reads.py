"""How options are read: one function per kind of value. Each raises ValueError with a sentence."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from ds01.domain import gpu_ask, names, quantity
from ds01.domain.errors import Ds01Error

_HOUR = re.compile(r"([01]?\d|2[0-3]):[0-5]\d")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def seconds(text: str) -> int:
    """``30s``, ``5m`` or a plain number, in seconds."""
    return int(text) if text.isdecimal() else int(quantity.duration(text).total_seconds())


def size(text: str) -> int:
    """``20G`` in bytes."""
    return quantity.size(text)


def gpus(text: str) -> str:
    """``2``, ``full`` or a MIG profile, checked."""
    gpu_ask.ask(text)
    return text


def name(text: str) -> str:
    """A name a project or container can have."""
    try:
        return names.checked(text)
    except Ds01Error as error:
        raise ValueError(f"{error.problem.reason} {error.problem.hint}") from error


def count(text: str) -> int:
    """A whole number from 1."""
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise ValueError("It is a whole number from 1")


def number(text: str) -> int:
    """A whole number from 0."""
    if text.isdecimal():
        return int(text)
    raise ValueError("It is a whole number from 0")


def shell(text: str) -> str:
    """A shell there is a completion script for."""
    if text in ("bash", "zsh", "fish"):
        return text
    raise ValueError("There are bash, zsh and fish")


def lines(text: str) -> str:
    """A number of lines, or ``all``."""
    if text == "all" or text.isdecimal():
        return text
    raise ValueError("It is a number of lines, or all")


def variable(text: str) -> tuple[str, str]:
    """``NAME=VALUE`` as a pair."""
    key, equals, value = text.partition("=")
    if not equals or not _VARIABLE.fullmatch(key):
        raise ValueError("It is written NAME=VALUE")
    return key, value


def moment(text: str) -> str:
    """A time of the past, as ISO 8601: written so, or as a duration from now (``2h``)."""
    try:
        when = datetime.now(UTC) - quantity.duration(text)
    except ValueError:
        when = _written(text)
    return when.isoformat(timespec="seconds")


def later(text: str) -> str:
    """A time to come, as ISO 8601 with its zone: a duration from now (``2h``), an hour (``18:00``), or a whole date."""
    now = datetime.now().astimezone()
    if _HOUR.fullmatch(text):
        hour, _, minute = text.partition(":")
        when = now.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
        return (when if when > now else when + timedelta(days=1)).isoformat(timespec="seconds")
    try:
        when = now + quantity.duration(text)
    except ValueError:
        when = _written(text)
    return when.isoformat(timespec="seconds")


def _written(text: str) -> datetime:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("It is a duration like 10m or 2h, or a time like 2026-01-31T10:00") from None
    return when if when.tzinfo else when.astimezone()
