"""Runs a program in an image and reads what it prints, leaving nothing: no container, no image, no layer.

It is a build whose last step prints and then fails on purpose, so the engine keeps nothing of it. A build needs no
container of the user's (she may have as many as she may have) and passes the door that her images pass.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing

from ds01.client.docker import Docker
from ds01.client.http import BadAnswerError
from ds01.domain.errors import BUILD_FAILED, Ds01Error
from ds01.domain.record import made, record
from ds01.projects import context
from ds01.projects.buildlog import BuildEvent, BuildLog
from ds01.projects.recipe import Recipe

_BEGIN, _END = "ds01-begins", "ds01-ends"
_CODE = 97


@record
class Probe:
    """What to run: the instructions before, then a shell line. ``files`` are what the instructions copy."""

    instructions: tuple[str, ...]
    script: str
    files: Mapping[str, bytes] = made(factory=dict)
    environment: Mapping[str, str] = made(factory=dict)


def printed(socket: str, probe: Probe) -> tuple[str, ...]:
    """The lines it printed. Raises Ds01Error (``image.build``) when it never came to run, or did not end."""
    heard = _Ear()
    error = ""
    try:
        error = _run(socket, probe, heard)
    except (OSError, BadAnswerError) as failure:
        raise _failed(str(failure)) from failure
    if not heard.ended:
        raise _failed(error or "it said nothing")
    return tuple(heard.lines)


def _run(socket: str, probe: Probe, heard: _Ear) -> str:
    """One build; returns the engine's word on why it failed."""
    import json

    log = BuildLog((), heard, time.monotonic)
    asked = {"rm": "1", "forcerm": "1", "buildargs": json.dumps(dict(probe.environment))}
    with closing(Docker(socket).build(_context(probe), asked)) as messages:
        for message in messages:
            log.read(message)
    log.end()
    return log.error


def _context(probe: Probe) -> Iterator[bytes]:
    last = f"RUN echo {_BEGIN}; {{ {probe.script}; }} 2>&1; echo {_END}; exit {_CODE}"
    text = "\n".join([*probe.instructions, last, ""])
    return context.pieces(Recipe(dockerfile=text, spec="", context=probe.files), "")


class _Ear:
    """Hears what the last step prints."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ended = False
        self._on = False

    def __call__(self, event: BuildEvent) -> None:
        if event.state != "log":
            return
        if event.text == _BEGIN:
            self._on = True
        elif event.text == _END:
            self._on, self.ended = False, True
        elif self._on:
            self.lines.append(event.text)


def _failed(why: str) -> Ds01Error:
    return Ds01Error(BUILD_FAILED, "The image could not be looked into.", reason=why)
