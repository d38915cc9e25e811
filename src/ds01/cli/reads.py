"""How options are read: one function per kind of value. Each raises ValueError, or Ds01Error, with a sentence.

What only the rules of projects know is imported when it is asked for: most commands take nothing of it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from ds01.domain import gpu_ask, names, quantity
from ds01.domain.errors import Ds01Error

_HOUR = re.compile(r"([01]?\d|2[0-3]):[0-5]\d")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*")
_BUILD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]*")
_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+")


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
    except (ValueError, OverflowError):
        when = _written(text)
    return when.isoformat(timespec="seconds")


def _written(text: str) -> datetime:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("It is a duration like 10m or 2h, or a time like 2026-01-31T10:00") from None
    return when if when.tzinfo else when.astimezone()


def line(text: str) -> str:
    """One line of text that can be shown."""
    if text.isprintable():
        return text
    raise ValueError("It must be one line of text, without control characters")


def kind(text: str) -> str:
    """A type of project."""
    from ds01.projects import scaffold

    return scaffold.kind(text).name


def base(text: str) -> str:
    """A base of the server, or the reference of an image."""
    if _REFERENCE.fullmatch(text):
        return text
    raise ValueError("It is a base of this server, or a reference such as python:3.12-slim")


def build(text: str) -> str:
    """A build, as ``ds01 image history`` shows them, or an image."""
    if _BUILD.fullmatch(text):
        return text
    raise ValueError("It is a build as 'ds01 image history' lists them, or NAME:BUILD")


def package(text: str) -> str:
    """A line of a package list."""
    from ds01.projects import packages

    packages.entry(text)
    return text


def apt(text: str) -> str:
    """A Debian package."""
    from ds01.projects import packages

    return packages.apt_package(text)


def address(text: str) -> str:
    """Where git clones from."""
    from ds01.projects import origin

    if origin.is_address(text):
        return text
    raise ValueError("It is the address of a git repository, like https://github.com/you/thesis.git")


def login(text: str) -> str:
    """What an account is called, also one that only the directory knows."""
    if text and text.isprintable() and not set(text) & set(" /:"):
        return text
    raise ValueError("It is a login: one word")


def mail(text: str) -> str:
    """An address, or ``none``."""
    if text == "none" or _MAIL.fullmatch(text):
        return text
    raise ValueError("It is an address like me@example.org, or none")


def port(text: str) -> str:
    """A port, or the name that a project file gives one."""
    if (0 < int(text) < 65536) if text.isdecimal() else _VARIABLE.fullmatch(text.replace("-", "_")) is not None:
        return text
    raise ValueError("It is a port from 1 to 65535, or the name that the project file gives one")


def month(text: str) -> str:
    """``2026-11``."""
    if _MONTH.fullmatch(text):
        return text
    raise ValueError("Write a month as 2026-11")


def path(text: str) -> str:
    """A path here, or ``NAME:PATH`` in a container."""
    if text.isprintable() and text not in ("", ":"):
        return text
    raise ValueError("It is a path here, or NAME:PATH in a container")
