"""docs/reference/limits.md: every key of the limits file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from importlib import resources
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dev.docs import table
from ds01.config import shape
from ds01.config.rules import RULES
from ds01.domain.container import Door
from ds01.domain.limit_keys import AGGREGATE_KEYS, KEYS, Key, expected, show

NAME = "limits.md"
_NOTE = "Written by `make docs` from `src/ds01/domain/limit_keys.py` and `src/ds01/config/`."

_HEAD = """\
One file, `/etc/ds01/limits.yaml`, says who may have what. It is checked as a whole: a file with a mistake is not in
force, the last good one stays, and every mistake is told at once as `file:line:column key: what was expected`. ds01d
reads it again by itself when it changes. Without a file the built-in values hold.

Later wins, key by key: built-in → `defaults` → `groups.<group>` → `users.<login>` → `doors.<door>` (limits of time) →
a valid exemption. `ds01 limits` shows what is in force for you, `ds01 limits explain KEY` one limit with the line it
comes from and the values it overruled.

A user is in the first group that names her login in `members`; else in the first that has one of her Unix groups in
`unix_groups`; else in the one with `"*"`.

Sizes are powers of 1024: `512M`, `32G`, `1T`. Durations: `90s`, `30m`, `24h`, `1h30m`, `7d`. Percentages: `5%`. `null`
is 'no limit' where the table says so. What asks for more than the server has means all the server has; `ds01 doctor`
tells where.
"""

_SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("exemptions", shape.Exemption),
    ("gpus", shape.Gpus),
    ("images", shape.Images),
    ("images.bases.<name>", shape.Base),
    ("docker", shape.Docker),
)


def page() -> str:
    """The page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield from ("# Limits", "", _NOTE, "", _HEAD, "## Sections", "")
    sections = ((f"`{name}`", field.description or "") for name, field in shape.File.model_fields.items())
    yield from table(("section", "what stands there"), sections)
    yield from ("", "## Limits", "", "Below `defaults`, `groups.<group>` and `users.<login>`.", "")
    yield from _keys(KEYS.values())
    doors = ", ".join(f"`{door.value}`" for door in Door)
    lifecycle = ", ".join(f"`{key.name}`" for key in KEYS.values() if key.lifecycle)
    liftable = ", ".join(f"`{key.name}`" for key in KEYS.values() if key.nullable)
    together = ", ".join(f"`{name}`" for name in AGGREGATE_KEYS)
    yield from (
        "",
        "`admin` may stand below `groups` and `users` only, `group_shares` below `defaults` and `groups` only. Below"
        " `groups.<group>` stand also:",
        "",
        *_fields(shape.GroupExtras.model_fields),
        "",
        f"Below `doors.<door>` ({doors}) may stand: {lifecycle}.",
        "",
        f"Below `aggregate.<group>`, for all containers of one user together: {together}.",
        "",
        f"An exemption can lift: {liftable}.",
        "",
        "## policy",
        "",
        *_keys(RULES.values()),
        "",
    )
    for name, model in _SECTIONS:
        yield from (f"## {name}", "", *_fields(model.model_fields), "")
    yield from ("## Example", "", "```yaml", _example().rstrip(), "```", "")


def _keys(keys: Iterable[Key]) -> list[str]:
    rows = ((f"`{key.name}`", key.meaning, expected(key), f"`{show(key, key.default)}`") for key in keys)
    return table(("key", "meaning", "takes", "default"), rows)


def _fields(given: dict[str, FieldInfo]) -> list[str]:
    rows = ((f"`{field.alias or name}`", field.description or "", _default(field)) for name, field in given.items())
    return table(("key", "meaning", "default"), rows)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value: Any = field.default
    if value in ("", 0) or (not value and get_origin(field.annotation) in (list, dict)):
        return "none"
    return f"`{json.dumps(value)}`" if get_args(field.annotation) else f"`{value}`"


def _example() -> str:
    return (resources.files("ds01.config") / "limits.example.yaml").read_text(encoding="utf-8")
