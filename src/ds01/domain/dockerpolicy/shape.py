"""Values of the types the engine's structs have, and structs by their fields.

A struct's keys are matched as Go matches them, without case, but only in ASCII and only once. A map's keys (labels,
ports) are the user's own and are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ds01.domain.dockerpolicy import entries
from ds01.domain.dockerpolicy.strictjson import Json, is_zero
from ds01.domain.dockerpolicy.verdict import RefusedError, malformed

TEXT_LENGTH = 65536
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def wrong(field: str, expected: str) -> RefusedError:
    """A value of another type than the engine's."""
    return malformed("json.type", f"{field} must be {expected}")


def flag(field: str, value: Json) -> bool:
    """A bool; null is false."""
    if value is None:
        return False
    if not isinstance(value, bool):
        raise wrong(field, "true or false")
    return value


def integer(field: str, value: Json) -> int:
    """An int; null is 0."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong(field, "a whole number")
    return value


def text(field: str, value: Json, *, multiline: bool = False) -> str:
    """A string without control characters; null is empty. ``multiline`` lets all but NUL pass."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise wrong(field, "a text")
    if len(value) > TEXT_LENGTH:
        raise malformed("text.length", f"{field} is longer than {TEXT_LENGTH} characters")
    if "\0" in value or (not multiline and _CONTROL.search(value)):
        raise malformed("text.control", f"{field} contains a control character")
    return value


def texts(field: str, value: Json, *, multiline: bool = False) -> list[str]:
    """A list of strings; null is empty."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise wrong(field, "a list of texts")
    entries.check(field, value)
    return [text(field, item, multiline=multiline) for item in value]


def words(field: str, value: Json) -> list[str] | None:
    """A command: a list of strings, or one string that counts as such a list; null stays null."""
    if value is None:
        return None
    if isinstance(value, str):
        return [text(field, value, multiline=True)]
    return texts(field, value, multiline=True)


def mapping(field: str, value: Json) -> dict[str, Json]:
    """A map with the user's own keys; null is empty."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise wrong(field, "an object")
    entries.check(field, value)
    for key in value:
        text(f"a key of {field}", key)
    return value


def text_map(field: str, value: Json, *, multiline: bool = False) -> dict[str, str]:
    """A map of texts; null is empty."""
    return {key: text(f"{field}[{key}]", item, multiline=multiline) for key, item in mapping(field, value).items()}


def items(field: str, value: Json) -> list[Json]:
    """A list of anything; null is empty."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise wrong(field, "a list")
    entries.check(field, value)
    return value


@dataclass(frozen=True, kw_only=True)
class Struct:
    """A struct's values under their canonical names; what nobody knows and says nothing is left out."""

    name: str
    values: Mapping[str, Json]

    def get(self, field: str) -> Json:
        """The field's value, None when it was not sent."""
        return self.values.get(field)


def struct(name: str, value: Json, fields: Mapping[str, str]) -> Struct:
    """Read a struct. ``fields`` maps casefolded to canonical names. Null is a struct without values."""
    if value is None:
        return Struct(name=name, values={})
    if not isinstance(value, dict):
        raise wrong(name or "The body", "an object")
    entries.check(name, value)
    found: dict[str, Json] = {}
    folded: set[str] = set()
    for key, item in value.items():
        if not key.isascii():
            raise malformed("json.key", f"{key!a} is no field: field names are ASCII")
        fold = key.casefold()
        if fold in folded:
            raise malformed("json.duplicate", f"{_at(name, key)} is there twice, in different case")
        folded.add(fold)
        if fold in fields:
            found[fields[fold]] = item
        elif not is_zero(item):
            raise unknown(name, key)
    return Struct(name=name, values=found)


def names(*fields: str) -> dict[str, str]:
    """The table ``struct`` takes, from canonical names."""
    return {field.casefold(): field for field in fields}


def unknown(struct_name: str, key: str) -> RefusedError:
    """A field with a value and no rule."""
    return malformed(
        "field.unknown",
        f"{_at(struct_name, key)} is set, and DS01 has no rule for it",
        "Leave it out, or ask your admin to have it looked at.",
    )


def _at(struct_name: str, key: str) -> str:
    return f"{struct_name}.{key}" if struct_name else key


Reader = Callable[[str, Json], Json]
