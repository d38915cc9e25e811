"""The log of a build as its user wrote it: our own steps are left out, the rest is numbered again."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence

from ds01.domain.dockerpolicy.buildstatus import plain_status

_TRACE = "moby.buildkit.trace"
_STEP = re.compile(r"Step (\d+)/(\d+) : ")
_TAGGED = "Successfully tagged "
_OF_A_STEP = re.compile(r" ---> |Removing intermediate container |\n$")


def kit_line(line: bytes, plain: Callable[[str], str]) -> bytes:
    """One message of a build of BuildKit's, with the names of images its user knows."""
    try:
        message = json.loads(line)
    except ValueError:
        return b""
    if isinstance(message, dict) and message.get("id") == _TRACE and isinstance(message.get("aux"), str):
        message["aux"] = base64.b64encode(plain_status(base64.b64decode(message["aux"]), plain)).decode()
    elif isinstance(message, dict) and isinstance(message.get("stream"), str):
        message["stream"] = plain(message["stream"])
    return json.dumps(message, separators=(",", ":")).encode() + b"\r\n"


class BuildLines:
    """Rewrites the lines of one build. ``shown`` has the text of every step of the engine's; None hides one.

    ``plain`` turns names of images into those its user knows.
    """

    def __init__(self, plain: Callable[[str], str] = str) -> None:
        self._plain = plain
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
        if text.startswith(_TAGGED):
            return self._plain(text)
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
