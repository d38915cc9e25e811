"""Readers of single values: text in, a checked value out, or one sentence that says what was expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from ipaddress import IPv4Network
from typing import Annotated, TypeVar

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from ds01.domain import limit_keys, names
from ds01.domain.limit_keys import KEYS, Key, Value
from ds01.domain.limits import LIFTABLE_KEYS
from ds01.sim import partition

T = TypeVar("T")

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?")
_REFERENCE = re.compile(r"[a-z0-9][\w./:-]*(@sha256:[0-9a-f]{64})?", re.ASCII)
_PRIVATE = ("/", "/home", "/root", "/etc", "/proc", "/sys", "/dev", "/run", "/var", "/var/run", "/boot")


def refusal(text: str) -> PydanticCustomError:
    """The error of a value that is not what was expected."""
    return PydanticCustomError("expected", "{text}", {"text": text})


def _kind(value: object) -> str:
    return {type(None): "null", list: "a list"}.get(type(value), "keys and values")


def reader(read: Callable[[str], T]) -> BeforeValidator:
    """A validator from a function that reads text or raises ValueError with what it expected."""

    def validate(value: object) -> T:
        if not isinstance(value, str):
            raise refusal(f"expected text, not {_kind(value)}")
        try:
            return read(value)
        except ValueError as error:
            raise refusal(str(error)) from error

    return BeforeValidator(validate)


def limit(key: Key) -> BeforeValidator:
    """The validator of one key of a registry."""

    def validate(value: object) -> Value:
        if value is None and key.nullable:
            return None
        if not isinstance(value, str):
            raise refusal(f"expected {limit_keys.expected(key)}, not {_kind(value)}")
        try:
            return limit_keys.read(key, value)
        except ValueError as error:
            raise refusal(str(error)) from error

    return BeforeValidator(validate)


def text(value: str) -> str:
    """Any text that is not empty."""
    if not value.strip():
        raise ValueError("expected some text")
    return value.strip()


def line(value: str) -> str:
    """One line of text, possibly empty."""
    if "\n" in value or "\0" in value:
        raise ValueError("expected one line of text")
    return value


def folder(value: str) -> str:
    """An absolute path."""
    if not re.fullmatch(r"(/[^/\0\n]+)+", value) or re.search(r"/\.\.?(/|$)", value):
        raise ValueError("expected an absolute path without '..', like /data/imagenet")
    return value


def share(value: str) -> str:
    """A folder of shared data: never the system's own, never everybody's homes."""
    path = folder(value) if value != "/" else value
    if path in _PRIVATE or path.startswith(("/proc/", "/sys/", "/dev/", "/run/", "/etc/", "/root/")):
        raise ValueError(f"{path} is no folder of shared data; name the folder with the data, like /data")
    return path


def pool(value: str) -> IPv4Network:
    """A pool of addresses for networks."""
    try:
        found = IPv4Network(value)
    except ValueError:
        found = None
    if found is None or not 8 <= found.prefixlen <= 24:
        raise ValueError(f"expected a range like 198.18.0.0/15, from /8 to /24, not {value!r}")
    return found


def port(value: str) -> int:
    """A port."""
    if not re.fullmatch(r"[0-9]{1,5}", value) or not 0 < int(value) < 65536:
        raise ValueError(f"expected a port from 1 to 65535, not {value!r}")
    return int(value)


def host(value: str) -> str:
    """A registry."""
    if not _HOST.fullmatch(value):
        raise ValueError(f"expected a registry's host name like docker.io or registry.lab:5000, not {value!r}")
    return value


def reference(value: str) -> str:
    """An image."""
    if not _REFERENCE.fullmatch(value):
        raise ValueError(f"expected an image like docker.io/library/python:3.12-slim, not {value!r}")
    return value


def simulated(value: object) -> object:
    """A GPU that can be simulated. ``a100-40gb: 3g.20gb`` without quotes is a mapping for YAML; it means the same."""
    if isinstance(value, dict) and len(value) == 1:
        (model, profiles), = value.items()  # fmt: skip
        value = f"{model}: {profiles or ''}".rstrip()
    if not isinstance(value, str):
        raise refusal('expected a GPU like a100-40gb, or with MIG instances like "a100-40gb: 3g.20gb 2g.10gb"')
    try:
        partition.gpu(value, 0)
    except ValueError as error:
        raise refusal(str(error)) from error
    return value


def until(value: str) -> datetime:
    """A moment with its zone."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"expected a time with its zone like 2026-12-20T18:00Z, not {value!r}")
    return moment


def lifted(value: str) -> str:
    """A limit that an exemption can lift."""
    key, guess = limit_keys.find(value, LIFTABLE_KEYS)
    if key is None or value != key.name:
        better = f"; did you mean {guess}?" if guess else ""
        raise ValueError(f"{value!r} cannot be lifted, only {', '.join(k for k in KEYS if k in LIFTABLE_KEYS)}{better}")
    return key.name


def choice(*allowed: str) -> Callable[[str], str]:
    """One of these words."""

    def read(value: str) -> str:
        if value not in allowed:
            guess = names.nearest(value, allowed)
            raise ValueError(
                f"expected one of {', '.join(allowed)}, not {value!r}" + (f"; did you mean {guess}?" if guess else "")
            )
        return value

    return read


def digest(value: str) -> str:
    """The content hash of an image."""
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", value):
        raise ValueError(f"expected sha256: and 64 hex digits, not {value!r}")
    return value


Text = Annotated[str, reader(text)]
Line = Annotated[str, reader(line)]
