"""JSON of the engine and for its users, read and written in C: two hundred containers are a third of a megabyte.

What users send is read by ``domain/dockerpolicy/strictjson`` alone, and what goes to the engine is written by it.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from ds01.domain.dockerpolicy.strictjson import Json, dump


def load(data: bytes) -> Json:
    """As Python reads it, also where the library is stricter (NaN, half a surrogate). Raises ValueError."""
    found: Json
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        found = json.loads(data)
    return found


def load_object(line: bytes) -> dict[str, Any] | None:
    """A line of an answer; None when it is no object."""
    try:
        found = load(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def write(value: Json) -> bytes:
    """As short as it can be. What the library cannot write (half a surrogate, an endless number), Python does."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return dump(value)
