"""What ds01d answered, as values of the wire or as the error it is."""

from __future__ import annotations

import json
from collections.abc import Callable

from ds01.client.http import Response
from ds01.domain.errors import INTERNAL, Ds01Error
from ds01.wire.codec import parse, plain
from ds01.wire.errors import ErrorBody, error

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")


def encoded(value: object) -> bytes:
    """A value of the wire as a request's body."""
    return json.dumps(plain(value)).encode()


def read(kind: type[T], content: bytes) -> T:
    """The value in an answer. Raises Ds01Error."""
    return _understood(lambda: parse(kind, json.loads(content)))


def read_all(kind: type[T], content: bytes) -> tuple[T, ...]:
    """The list of values in an answer. Raises Ds01Error."""
    return _understood(lambda: tuple(parse(kind, item) for item in json.loads(content)))


def _understood(read: Callable[[], T]) -> T:
    try:
        return read()
    except (ValueError, TypeError) as failure:
        raise Ds01Error(
            INTERNAL, "The answer of ds01d cannot be read.", reason=f"{failure}.",
            hint="ds01 and ds01d may be of different versions; see: ds01 doctor",
        ) from failure  # fmt: skip


def refusal(response: Response) -> Ds01Error:
    """What ds01d said when it refused."""
    said = response.read()
    try:
        return error(parse(ErrorBody, json.loads(said)).error)
    except ValueError:
        text = said[:200].decode(errors="replace").strip()
        return Ds01Error(INTERNAL, f"ds01d answered with status {response.status}.", reason=text, hint="ds01 doctor")
