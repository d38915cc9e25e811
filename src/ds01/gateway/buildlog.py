"""The log of a build as its user wrote it: our own steps are left out, the rest is numbered again."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_STEP = re.compile(r"Step (\d+)/(\d+) : ")
_OF_A_STEP = re.compile(r" ---> |Removing intermediate container |\n$")


class BuildLines:
    """Rewrites the lines of one build. ``shown`` has the text of every step of the engine's; None hides one."""

    def __init__(self) -> None:
        self.shown: Sequence[str | None] = ()
        self._hidden = False

    def line(self, line: bytes) -> bytes:
        """What becomes of one message."""
        try:
            message = json.loads(line)
        except ValueError:
            return b""
        text = message.get("stream") if isinstance(message, dict) else None
        if isinstance(text, str):
            kept = self._text(text)
            if kept is None:
                return b""
            message["stream"] = kept
        return json.dumps(message, separators=(",", ":")).encode() + b"\r\n"

    def _text(self, text: str) -> str | None:
        match = _STEP.match(text)
        if match is None or int(match[2]) != len(self.shown) or not 0 < int(match[1]) <= len(self.shown):
            return None if self._hidden and _OF_A_STEP.match(text) else text
        index = int(match[1]) - 1
        wanted = self.shown[index]
        self._hidden = wanted is None
        if wanted is None:
            return None
        before = sum(1 for step in self.shown[: index + 1] if step is not None)
        total = sum(1 for step in self.shown if step is not None)
        return f"Step {before}/{total} : {wanted}"
