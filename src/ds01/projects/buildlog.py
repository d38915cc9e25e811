"""Turns the engine's build stream into steps: what runs, what it prints, what failed.

The classic builder writes one text stream in which steps, its own bookkeeping and the output of commands are mixed;
here they are told apart again.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from ds01.domain.record import record
from ds01.projects.pulling import Pulling

KEPT_LINES = 200

_STEP = re.compile(r"Step (\d+)/(\d+) : (.*)")
_OWN_WORDS = re.compile(
    r" ---> |Removing intermediate container |Successfully (?:built|tagged) |\[Warning\] One or more build-args|"
    r"Sending build context"
)
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@record
class BuildEvent:
    """Something that happened in a build. ``state`` is begin, log, pull or done.

    ``step`` counts from 1 to ``of``; ``title`` says what the step is for, ``""`` when it takes no time; ``text`` is
    one line of its output, or how far the base is fetched.
    ``cached``: done because it was done before.
    """

    state: str
    step: int = 0
    of: int = 0
    title: str = ""
    text: str = ""
    seconds: float = 0.0
    cached: bool = False


class BuildLog:
    """Reads the messages of one build and tells ``say`` what they mean."""

    def __init__(self, titles: Sequence[str], say: Callable[[BuildEvent], None], clock: Callable[[], float]) -> None:
        self.image_id = ""
        self.error = ""
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self.title = "sending the files"
        self._titles = titles
        self._say = say
        self._clock = clock
        self._step = self._of = 0
        self._began = clock()
        self._cached = False
        self._rest = ""
        self._pulled: dict[str, str] = {}
        self._pulling = Pulling()
        self._far = ""

    def read(self, message: dict[str, Any]) -> None:
        """One message of the stream."""
        if "stream" in message:
            self._text(str(message["stream"]))
        elif "aux" in message and isinstance(message["aux"], dict):
            self.image_id = str(message["aux"].get("ID", self.image_id))
        elif "error" in message:
            self.error = clean(str(message["error"])).strip()
        elif "status" in message:
            self._pull(message)

    def end(self) -> None:
        """No more messages: the last step is over."""
        if self._rest:
            self._line(self._rest)
        if not self.error:
            self._done()

    def _text(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).replace("\r\n", "\n").split("\n")
        for line in lines:
            self._line(line.rpartition("\r")[2])

    def _line(self, line: str) -> None:
        text = clean(line).rstrip()
        step = _STEP.match(text)
        if step is not None:
            self._begin(int(step[1]), int(step[2]), step[3])
        elif text == " ---> Using cache":
            self._cached = True
        elif text and not _OWN_WORDS.match(text):
            self.lines.append(text)
            self._tell("log", text=text)

    def _begin(self, step: int, of: int, instruction: str) -> None:
        self._done()
        self._step, self._of, self._began, self._cached = step, of, self._clock(), False
        self.lines.clear()
        self.title = self._known(step) if self._titles else short(instruction)
        self._tell("begin")

    def _known(self, step: int) -> str:
        """A recipe's own title; after its instructions come the labels, which take no time."""
        return self._titles[step - 1] if step <= len(self._titles) else ""

    def _done(self) -> None:
        if self._step:
            self._tell("done", seconds=self._clock() - self._began, cached=self._cached)

    def _pull(self, message: dict[str, Any]) -> None:
        """A layer of the base that is being fetched: each change of its state is a line, and the bytes are told."""
        layer, status = str(message.get("id", "")), str(message["status"])
        if self._pulled.get(layer) != status:
            self._pulled[layer] = status
            self._tell("log", text=clean(f"{layer}: {status}" if layer else status))
        far = self._pulling.heard(message)
        if far != self._far:
            self._far = far
            self._tell("pull", text=far)

    def _tell(self, state: str, *, text: str = "", seconds: float = 0.0, cached: bool = False) -> None:
        self._say(
            BuildEvent(
                state=state, step=self._step, of=self._of, title=self.title, text=text,
                seconds=round(seconds, 2), cached=cached,
            )
        )  # fmt: skip


def short(instruction: str) -> str:
    """An instruction in one line."""
    one_line = " ".join(instruction.split())
    return one_line if len(one_line) <= 60 else one_line[:57] + "…"


def clean(text: str) -> str:
    """Text without what steers a terminal."""
    return _CONTROL.sub("", _ANSI.sub("", text))
