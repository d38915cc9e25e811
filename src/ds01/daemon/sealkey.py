"""The key of the seal on labels, kept in a file beside the ledger: with it, labels tell who wrote them after the ledger
was lost.
"""

from __future__ import annotations

import re
from pathlib import Path

FILE = "seal.key"
_KEY = re.compile("[0-9a-f]{64}")


def kept(state: Path) -> str | None:
    """The key, when there is a whole one."""
    try:
        found = (state / FILE).read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return found if _KEY.fullmatch(found) else None


def keep(state: Path, key: str) -> None:
    """Write it down, readable by root alone, or leave what is the same."""
    if kept(state) == key:
        return
    part = state / f".{FILE}.part"
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    part.write_text(f"{key}\n", encoding="ascii")
    part.replace(state / FILE)
