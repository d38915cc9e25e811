"""Turns BuildKit's stream into the same steps: what runs, what it prints, what failed.

BuildKit tells of the parts of a build as they begin, print and end, in protocol buffers. Of these the numbered ones are
steps of the Dockerfile; the rest is its own work. What ends a failed build is said in the words of the engine's own
builder, so that a cause is found by the same rules.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from typing import Any

from ds01.domain.dockerpolicy.protobuf import Field, fields, one, text
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.record import record
from ds01.projects.buildlog import BuildEvent, BuildLog, clean, short

_TRACE = "moby.buildkit.trace"
_PARTS, _PRINTED = 1, 3
_DIGEST, _NAME, _CACHED, _STARTED, _COMPLETED, _ERROR = 1, 3, 4, 5, 6, 7
_OF, _TEXT = 1, 4
_STEP = re.compile(r"\[(?:\S+ )?\s*(\d{1,4})/(\d{1,4})\] (.*)", re.DOTALL)
_EXIT = re.compile(
    r"(?:executor failed running \[(?P<old>.*)\]|process \"(?P<new>.*)\" did not complete successfully): "
    r"exit code: (?P<code>\d+)",
    re.DOTALL,
)


@record
class _Part:
    """A numbered part of a build. Its times are seconds, None before they come."""

    digest: str
    step: int
    of: int
    instruction: str
    cached: bool
    started: float | None
    completed: float | None
    failed: bool


class KitLog(BuildLog):
    """Reads the messages of one build. ``titles`` are those of the steps that BuildKit counts."""

    def __init__(self, titles: Sequence[str], say: Callable[[BuildEvent], None], clock: Callable[[], float]) -> None:
        super().__init__(titles, say, clock)
        self._begun: set[str] = set()
        self._over: set[str] = set()
        self._now = ""
        """The part that was the last to begin: what is printed belongs to it."""

    def read(self, message: dict[str, Any]) -> None:
        """One message of the stream."""
        if message.get("id") == _TRACE:
            self._trace(str(message.get("aux", "")))
        elif "stream" not in message:
            super().read(message)
            self.error = _as_known(self.error)

    def end(self) -> None:
        """No more messages: what was printed without an end of line is a line."""
        self._printed("\n" if self._rest else "")

    def _trace(self, aux: str) -> None:
        """What cannot be read has nothing in it that could be shown."""
        try:
            found = fields(base64.b64decode(aux, validate=True))
            parts = [part for each in found if each.number == _PARTS and (part := _part(each)) is not None]
            printed = [_said(each) for each in found if each.number == _PRINTED]
        except (ValueError, RefusedError):
            return
        said = {digest: "".join(each for of, each in printed if of == digest) for digest, _ in printed}
        self._printed(said.pop(self._now, ""))
        for part in parts:
            self._begins(part)
            self._printed(said.pop(self._now, ""))
            self._ends(part)

    def _begins(self, part: _Part) -> None:
        if part.started is None or part.digest in self._begun:
            return
        self.end()
        self._begun.add(part.digest)
        self._now, self._step, self._of = part.digest, part.step, part.of
        self.lines.clear()
        known = self._titles if len(self._titles) == part.of else ()
        self.title = known[part.step - 1] if 0 < part.step <= len(known) else short(part.instruction)
        self._tell("begin")

    def _ends(self, part: _Part) -> None:
        if part.completed is None or part.failed or part.digest in self._over or part.digest != self._now:
            return
        self.end()
        self._over.add(part.digest)
        self._tell("done", seconds=max(0.0, part.completed - (part.started or part.completed)), cached=part.cached)

    def _printed(self, said: str) -> None:
        *lines, self._rest = (self._rest + said).replace("\r\n", "\n").split("\n")
        for line in lines:
            shown = clean(line.rpartition("\r")[2]).rstrip()
            if shown:
                self.lines.append(shown)
                self._tell("log", text=shown)


def _part(field: Field) -> _Part | None:
    """A step of the Dockerfile; None for what BuildKit does besides. Raises RefusedError."""
    found = fields(field.data)
    match = _STEP.match(text(found, _NAME))
    if match is None:
        return None
    cached = one(found, _CACHED)
    return _Part(
        digest=text(found, _DIGEST), step=int(match[1]), of=int(match[2]), instruction=match[3],
        cached=cached is not None and cached.count != 0, started=_seconds(one(found, _STARTED)),
        completed=_seconds(one(found, _COMPLETED)), failed=bool(text(found, _ERROR)),
    )  # fmt: skip


def _seconds(field: Field | None) -> float | None:
    """A time as seconds."""
    if field is None:
        return None
    found = fields(field.data)
    whole, rest = one(found, 1), one(found, 2)
    return (whole.count if whole else 0) + (rest.count if rest else 0) / 1e9


def _said(field: Field) -> tuple[str, str]:
    """Which part printed something, and what."""
    found = fields(field.data)
    said = one(found, _TEXT)
    return text(found, _OF), said.data.decode("utf-8", "replace") if said else ""


def _as_known(error: str) -> str:
    """A step that failed, in the words of the engine's own builder."""
    match = _EXIT.search(error)
    if match is None:
        return error
    return f"The command '{match['old'] or match['new']}' returned a non-zero code: {match['code']}"
