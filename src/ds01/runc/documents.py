"""Reading and writing JSON by Python's own C code alone.

The package ``json`` around it reads its configuration with regular expressions, and loading those takes longer than
everything else the guard does for a start. What its documents say has no NaN and no infinity.
"""

from __future__ import annotations

import os
from _json import encode_basestring_ascii, make_encoder, make_scanner

from ds01.runc.refusal import RefusedError

TYPE_CHECKING = False  # typing is slow to import, and this runs at every start of a container
if TYPE_CHECKING:
    from typing import Any, NoReturn

_SPACE = " \t\n\r"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _refuse_value(value: object) -> NoReturn:
    raise TypeError(f"{type(value).__name__} is not written as JSON")


class _Strict:
    """What the scanner wants to know."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_refuse_constant)


_scan = make_scanner(_Strict)  # type: ignore[arg-type]  # whatever has these attributes
_encode = make_encoder(None, _refuse_value, encode_basestring_ascii, None, ": ", ", ", False, False, False)


def parse(text: str) -> Any:
    """What a JSON document says. Raises ValueError when it is none."""
    text = text.strip(_SPACE)
    try:
        found, end = _scan(text, 0)
    except StopIteration as stopped:
        raise ValueError(f"no JSON at character {stopped.value}") from None
    if end != len(text):
        raise ValueError(f"more than one JSON document, from character {end}")
    return found


def written(data: object) -> str:
    """A JSON document on one line."""
    return "".join(_encode(data, 0))


def read_json(path: str) -> dict[str, Any]:
    """A JSON object."""
    with open(path, encoding="utf-8") as file:
        data = parse(file.read())
    if not isinstance(data, dict):
        raise RefusedError(f"what {path} says, which is no object")
    return data


def write_json(path: str, data: dict[str, Any]) -> None:
    """Replace a file in one step: whoever reads it sees all of before or all of now."""
    part = f"{path}.part"
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(written(data))
    os.replace(part, path)
