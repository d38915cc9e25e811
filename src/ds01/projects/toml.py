"""TOML to tables. Loading Python's reader of TOML takes longer than reading a project file with it, and longer than
ds01d takes to answer, so the tables of a text that was read before are taken from the user's cache.
"""

from __future__ import annotations

import json
import os
import re

from ds01.domain.digest import sha256_hex
from ds01.domain.errors import BAD_PROJECT_FILE, Ds01Error
from ds01.projects import cache

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from typing import Any

_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def kept(path: str, text: str) -> dict[str, Any]:
    """The tables of the file at ``path``, which says ``text``. Raises Ds01Error like ``parse``."""
    before = cache.kept(_place(path)) or ()
    tables = _read(*before[1:]) if before[:1] == (_digest(text),) else None
    return parse(path, text) if tables is None else tables


def keep(path: str, text: str) -> None:
    """Keep the tables of this file, for the next time."""
    digest, before = _digest(text), cache.kept(_place(path)) or ()
    if before[:1] != (digest,) and (written := _written(parse(path, text))) is not None:
        cache.keep(_place(path), (digest, written))


def _place(path: str) -> str:
    return os.path.join(cache.folder(os.path.expanduser("~")), "toml", f"{_digest(path)[:32]}.json")


def _digest(text: str) -> str:
    return sha256_hex(text.encode())


def parse(path: str, text: str) -> dict[str, Any]:
    """TOML to tables. Raises Ds01Error (``project.file``) with line and column."""
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Ds01Error(
            BAD_PROJECT_FILE,
            _syntax(path, text, str(error)),
            hint="Correct the file and repeat the command.",
        ) from error
    except RecursionError as error:
        raise Ds01Error(BAD_PROJECT_FILE, f"{path} cannot be read: its lists are nested too deeply.") from error


def _read(written: str = "", *_: str) -> dict[str, Any] | None:
    """The tables that were kept; None where these are none."""
    try:
        found = json.loads(written)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _written(tables: dict[str, Any]) -> str | None:
    """These tables as JSON; None where that would say something else, as of dates."""
    try:
        text = json.dumps(tables)
        return text if json.loads(text) == tables else None
    except (TypeError, ValueError, RecursionError):
        return None


def _syntax(path: str, text: str, message: str) -> str:
    match = _WHERE.search(message)
    if match is not None and match[1]:
        line, column = match[1], match[2]
    else:
        line, column = str(text.count("\n") + 1), str(len(text) - (text.rfind("\n") + 1) + 1)
    said = _WHERE.sub("", message)
    return f"{path}:{line}:{column}: this is not TOML: {said[0].lower()}{said[1:]}."
