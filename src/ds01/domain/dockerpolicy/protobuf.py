"""Protocol buffers on the wire, read strictly and written anew: numbers, bytes, and nothing else.

The few messages that are judged have a dozen fields each; a generated library would read a message leniently, keep
what it does not know, and send it on. Here a message is what its rules name, or refused. Encodings that two readers
could take for different things (a number longer than it must be, groups, a length past the end) are refused as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ds01.domain.dockerpolicy.verdict import RefusedError, malformed

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
FIELDS = 4096
"""Fields that one message may have."""

ENTRY_FIELDS = 8
"""Fields of an entry of a map, of which two say something."""

_MOST = 1 << 64
_NUMBERS = 1 << 29


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field as it came: ``value`` is a number, or the bytes of a text, of bytes or of a message."""

    number: int
    kind: int
    value: int | bytes

    @property
    def data(self) -> bytes:
        """Its bytes. Raises RefusedError for a number."""
        if not isinstance(self.value, bytes):
            raise broken(f"field {self.number} is a number")
        return self.value

    @property
    def text(self) -> str:
        """Its text. Raises RefusedError when it is no UTF-8."""
        try:
            return self.data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise broken(f"field {self.number} is no text") from error

    @property
    def count(self) -> int:
        """Its number. Raises RefusedError for bytes."""
        if not isinstance(self.value, int):
            raise broken(f"field {self.number} is no number")
        return self.value


def broken(what: str) -> RefusedError:
    """A message that cannot be read in exactly one way."""
    return malformed("grpc.message", f"A message of BuildKit's cannot be read: {what}")


def fields(data: bytes, most: int = FIELDS) -> list[Field]:
    """The fields of a message, in order, ``most`` at most. Raises RefusedError."""
    found: list[Field] = []
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if not 0 < number < _NUMBERS:
            raise broken("a field has no number")
        value, at = _value(data, at, kind)
        found.append(Field(number=number, kind=kind, value=value))
        if len(found) > most:
            raise broken("it has too many fields")
    return found


def _value(data: bytes, at: int, kind: int) -> tuple[int | bytes, int]:
    if kind == VARINT:
        return _varint(data, at)
    if kind == BYTES:
        length, at = _varint(data, at)
    elif kind in (FIXED64, FIXED32):
        length = 8 if kind == FIXED64 else 4
    else:
        raise broken(f"there is no kind {kind}")
    if length > len(data) - at:
        raise broken("a field is longer than its message")
    value = data[at : at + length]
    return (value if kind == BYTES else int.from_bytes(value, "little")), at + length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            if value >= _MOST or (byte == 0 and shift > 7):
                raise broken("a number is longer than it must be")
            return value, at
    raise broken("a number does not end")


def render(found: Iterable[Field]) -> bytes:
    """A message of these fields."""
    return b"".join(_rendered(field) for field in found)


def _rendered(field: Field) -> bytes:
    tag = _number(field.number << 3 | field.kind)
    if isinstance(field.value, bytes):
        return tag + _number(len(field.value)) + field.value
    if field.kind == VARINT:
        return tag + _number(field.value)
    return tag + field.value.to_bytes(8 if field.kind == FIXED64 else 4, "little")


def _number(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def of(number: int, value: int | bytes | str) -> Field:
    """A field of ours."""
    if isinstance(value, int):
        return Field(number=number, kind=VARINT, value=value)
    return Field(number=number, kind=BYTES, value=value.encode() if isinstance(value, str) else value)


def one(found: Iterable[Field], number: int) -> Field | None:
    """The only field of this number; None when there is none. Raises RefusedError for two: readers merge them."""
    matching = [field for field in found if field.number == number]
    if len(matching) > 1:
        raise broken(f"field {number} is there twice")
    return matching[0] if matching else None


def text(found: Iterable[Field], number: int) -> str:
    """A text, empty when it is not there."""
    field = one(found, number)
    return field.text if field is not None else ""


def mapping(found: Iterable[Field], number: int) -> dict[str, str]:
    """A map of texts. Raises RefusedError when a key is there twice."""
    entries: dict[str, str] = {}
    for key, value in pairs(found, number):
        if key in entries:
            raise broken(f"field {number} has a key twice")
        entries[key] = _text(value, number)
    return entries


def _text(value: bytes, number: int) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise broken(f"field {number} is no text") from error


def pairs(found: Iterable[Field], number: int) -> Iterator[tuple[str, bytes]]:
    """The entries of a map, with their values' bytes."""
    for field in found:
        if field.number == number:
            entry = fields(field.data, ENTRY_FIELDS)
            value = one(entry, 2)
            yield text(entry, 1), value.data if value is not None else b""


def of_mapping(number: int, entries: dict[str, str]) -> list[Field]:
    """A map of texts as fields."""
    return [of(number, render([of(1, key), of(2, value)])) for key, value in sorted(entries.items())]
