"""Import an older limits file from disk: with the ``*.members`` files and the exceptions beside it, into a new file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ds01.config.legacy import OVERRIDES, Conversion, convert
from ds01.domain.errors import BAD_LIMITS_FILE, NAME_TAKEN, Ds01Error


def import_file(old: Path, new: Path, *, replace: bool = False) -> Conversion:
    """Convert ``old`` and write ``new``.

    Raises Ds01Error when ``old`` cannot be read, or ``new`` exists and must not be replaced.
    """
    if new.exists() and not replace:
        raise Ds01Error(NAME_TAKEN, f"There is already a file {new}.", hint="Give the new limits file another name.")
    try:
        found = convert(_text(old), old.name, members=members_beside(old), overrides=_text(old.parent / OVERRIDES, ""))
        new.write_text(found.text, encoding="utf-8")
    except OSError as error:
        reason = f"{error.filename}: {(error.strerror or str(error)).lower()}."
        raise Ds01Error(BAD_LIMITS_FILE, f"{old} could not be imported.", reason=reason) from error
    except UnicodeDecodeError as error:
        raise Ds01Error(BAD_LIMITS_FILE, f"{old} could not be imported.", reason="It is no UTF-8 text.") from error
    return found


def members_beside(old: Path) -> dict[str, tuple[str, ...]]:
    """Logins by group, from ``<group>.members`` beside the file or in its ``groups`` folder. ``#`` begins a comment."""
    files = sorted([*old.parent.glob("*.members"), *(old.parent / "groups").glob("*.members")])
    return {file.stem: tuple(_logins(_text(file))) for file in files}


def _text(path: Path, missing: str | None = None) -> str:
    if missing is not None and not path.exists():
        return missing
    return path.read_text(encoding="utf-8")


def _logins(text: str) -> Iterator[str]:
    for line in text.splitlines():
        login = line.split("#")[0].strip()
        if login:
            yield login
