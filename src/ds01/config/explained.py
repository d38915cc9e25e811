"""pydantic's errors as mistakes with a place, in our words, each with the nearest key that is valid there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ds01.config import shape
from ds01.config.faults import Fault
from ds01.config.located import Located, Path
from ds01.domain import limit_keys, names
from ds01.domain.limit_keys import KEYS
from ds01.domain.limits import LIFECYCLE_KEYS

_WORDS = {
    "model_type": "expected keys with values, like {key: value}",
    "dict_type": "expected names with keys below them, like {name: {key: value}}",
    "list_type": "expected a list, like [one, two]",
}


def explained(error: ValidationError, found: Located) -> Iterator[Fault]:
    """Every mistake pydantic found."""
    for details in error.errors(include_url=False):
        yield _fault(details, found)


def _fault(details: ErrorDetails, found: Located) -> Fault:
    path: Path = details["loc"]
    kind = details["type"]
    if kind == "extra_forbidden":
        return found.fault(path, unknown(path), at_key=True)
    if kind == "missing":
        return found.fault(path[:-1], f"needs the key '{path[-1]}'", at_key=True)
    return found.fault(path, _WORDS.get(kind, details["msg"]))


def unknown(path: Path) -> str:
    """What to say of a key that does not exist at ``path``, with the nearest one that does."""
    word = str(path[-1])
    if path == ("defaults", "admin"):
        return "is for groups and users only: here it would make everybody an admin"
    valid = fields(path[:-1])
    guess = _former(word, path[:-1]) or names.nearest(word, valid)
    if guess:
        return f"no such key here; did you mean {guess}?"
    if len(path) == 1 and word in KEYS:
        return f"belongs under defaults, groups.<group> or users.<login>; {_list(valid)}"
    if path[0] == "doors" and len(path) > 2 and limit_keys.find(word)[1]:
        return f"a door changes lifecycle limits only: {', '.join(key for key in KEYS if key in LIFECYCLE_KEYS)}"
    return f"no such key here; {_list(valid)}"


def _former(word: str, where: Path) -> str:
    """The limit that an older file called ``word``, if limits stand at ``where``."""
    if not where or where[0] not in ("defaults", "groups", "users", "doors") or len(where) > 2:
        return ""
    key, name = limit_keys.find(word, LIFECYCLE_KEYS if where[0] == "doors" else KEYS)
    return name if key is not None else ""


def _list(valid: list[str]) -> str:
    return f"valid are {', '.join(valid)}"


def fields(path: Path) -> list[str]:
    """The keys that may stand below ``path``."""
    model: Any = shape.File
    for part in path:
        model = _below(model, part)
    if not _is_model(model):
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _below(kind: Any, part: str | int) -> Any:
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if _is_model(kind):
        names_ = {field.alias or name: field for name, field in kind.model_fields.items()}
        return names_[str(part)].annotation if part in names_ else None
    arguments = get_args(kind)
    return arguments[-1] if arguments else None


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
