"""How much somebody wants explained: asked once, remembered, and never in the way.

The answer is a word in the user's state folder. Where it cannot be kept she is asked again; nothing else depends on it.
"""

from __future__ import annotations

import contextlib
import os

from ds01.cli.talk import Talk

NEW, USED = "new", "used"
WORDS = ((NEW, "explain each step"), (USED, "only the questions"))


def level(talk: Talk) -> str:
    """What she said, or says now."""
    found = known()
    if found is None:
        found = talk.choose("Are you new here, or used to it?", WORDS, flag="--answers FILE", default=NEW)
        remember(found)
    return found


def known() -> str | None:
    """What she said once; None when she was never asked."""
    try:
        with open(_path(), encoding="utf-8") as file:
            said = file.read().strip()
    except (OSError, UnicodeDecodeError):
        return None
    return said if said in (NEW, USED) else None


def remember(said: str) -> None:
    """Keep it for the next time."""
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(_path()), mode=0o700, exist_ok=True)
        with open(_path(), "w", encoding="utf-8") as file:
            file.write(f"{said}\n")


def _path() -> str:
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.path.join(state, "ds01", "level")
