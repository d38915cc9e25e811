"""JSON read in exactly one way, or not at all.

Go's reader merges repeated keys, ignores their case, folds U+017F into ``s`` and replaces broken
UTF-8; Python's keeps the last key and knows NaN. Whatever the two could read differently is refused here, so that
what was judged is what the engine stores.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn

from ds01.domain.dockerpolicy.verdict import RefusedError, malformed

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_INT64 = 2**63
_NUMBER_DIGITS = 20
_NESTING = 40
MOST_VALUES = 20_000
"""Of one request: everything in it is looked at, one by one, while others wait. Commands have the most."""

_BRACKETS = re.compile(rb"[\[{}\]]")
_HALVES = re.compile("[\ud800-\udfff]")


def parse(data: bytes, most: int | None = None) -> Json:
    """The one value in ``data``, which may have ``most`` others in it. Raises RefusedError (400) when it can be read in
    two ways or in none.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        raise malformed("json.encoding", "The body starts with a byte order mark")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise malformed("json.encoding", f"The body is no UTF-8 at byte {error.start}") from error
    _check_structure(data, most)
    try:
        value: Json = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise malformed("json.syntax", "The body is no JSON value, or more than one") from error
    if b"\\ud" in data or b"\\uD" in data:
        _check_surrogates(value)
    return value


def parse_object(data: bytes) -> dict[str, Json]:
    """An object; an empty body is none."""
    if not data.strip():
        raise malformed("json.empty", "The request needs a JSON body and has none")
    value = parse(data, MOST_VALUES)
    if not isinstance(value, dict):
        raise malformed("json.object", "The body is JSON but no object")
    return value


def dump(value: Json) -> bytes:
    """Bytes the engine reads in one way: ASCII, no NaN."""
    return _ENCODER.encode(value).encode("ascii")


def is_zero(value: Json) -> bool:
    """Whether a value says nothing: what a client sends for a field nobody set."""
    if isinstance(value, dict):
        return all(is_zero(item) for item in value.values())
    if isinstance(value, list):
        return all(is_zero(item) for item in value)
    return value is None or value is False or value == 0 or value == ""


def _check_structure(data: bytes, most: int | None) -> None:
    """How many values there are and how deep, before any is made."""
    if _values(data) <= _NESTING:
        return
    plain = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    if most is not None and plain.count(b'"') > 4 * most:
        raise _too_many(most)
    bare = b"".join(plain.split(b'"')[::2])
    if most is not None and _values(bare) > most:
        raise _too_many(most)
    depth = 0
    for bracket in _BRACKETS.findall(bare):
        depth += 1 if bracket in b"[{" else -1
        if depth > _NESTING:
            raise malformed("json.nesting", f"The body is nested more than {_NESTING} levels deep")


def _too_many(most: int) -> RefusedError:
    """A value has two texts at most, its own and its key, each between two quotes."""
    return malformed("json.values", f"The body has more than {most:,} values in it", "Ask for less at once.")


def _values(data: bytes) -> int:
    """Each value is the first of a list or an object, or comes after a comma."""
    return data.count(b",") + data.count(b"[") + data.count(b"{")


def _check_surrogates(value: Json) -> None:
    """Half a surrogate pair is no character: every reader makes something else of it."""
    if isinstance(value, str) and _HALVES.search(value):
        raise malformed("json.surrogate", "The body contains half a surrogate pair")
    if isinstance(value, dict):
        for key, item in value.items():
            _check_surrogates(key)
            _check_surrogates(item)
    if isinstance(value, list):
        for item in value:
            _check_surrogates(item)


def _pairs(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for key, value in pairs:
        if key in found:
            raise malformed("json.duplicate", f"The body says {key!r} twice")
        found[key] = value
    return found


def _integer(text: str) -> int:
    if len(text) > _NUMBER_DIGITS or not -_INT64 <= int(text) < _INT64:
        raise malformed("json.number", "The body contains a number that is too large")
    return int(text)


def _fraction(text: str) -> NoReturn:
    raise malformed("json.number", f"The body contains {text[:20]}, and no field here takes a fraction")


def _constant(text: str) -> NoReturn:
    raise malformed("json.number", f"The body contains {text}, which is no JSON")


_ENCODER = json.JSONEncoder(allow_nan=False, ensure_ascii=True, separators=(",", ":"))
_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_integer, parse_float=_fraction, parse_constant=_constant, strict=True
)
