"""Waiting for one's turn, as it looks: the place and when it is likely, above it the reason and what would start now.

A ds01d that restarts meanwhile is waited for: it finds the place in its ledger, and the wait goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from ds01.cli.call import Call
from ds01.cli.progress import Line
from ds01.cli.show import likely
from ds01.domain.errors import DAEMON_DOWN, GPU_FULL, INTERNAL, Ds01Error, Problem
from ds01.domain.quantity import ordinal
from ds01.wire.launches import LaunchEvent
from ds01.wire.queue import PlaceView

RESTART_SECONDS = 60.0
"""How long a ds01d that went away is waited for."""


def wants_to_wait(call: Call, error: Ds01Error) -> bool:
    """Whether somebody who cannot have a GPU now will wait for it: asked only where somebody is there.

    ``--yes`` is no yes to hours of waiting: a program that means it says ``--wait``.
    """
    if error.kind != GPU_FULL or call.talk.yes or not call.talk.somebody_there:
        return False
    show_full(call, error.problem)
    return call.talk.confirm("Wait for your turn?", default=True, flag="--wait, or --no-wait")


def show_full(call: Call, problem: Problem) -> None:
    """There is no GPU now, and what one could do."""
    call.talk.warn(problem.message)
    when = likely(problem.details.get("earliest"), problem.details.get("latest"))
    if when:
        call.talk.say(f"Your turn is likely {when}.")
    if fits := problem.details.get("fits_now"):
        call.talk.say(f"This would start now: ds01 launch {call.wanted} {fits}")


def follow(call: Call, name: str, launch: Callable[[], Iterator[LaunchEvent]], *, stays: bool) -> LaunchEvent:
    """Show a launch as it goes on, waiting included; the last event, which has the container or a plan."""
    coming = f"{name} may still come up: ds01 list shows it, ds01 retire {name} ends it."
    kept = f"Your place in the queue stays: ds01 queue shows it, ds01 cancel {name} gives it up."
    call.standing = coming
    line = Line(call.talk)
    told, last = Told(call, line), None
    try:
        for event in going_on(call, launch):
            if event.place is not None:
                call.standing = kept if stays else "You gave your place in the queue up; nothing was launched."
                told.show(event.place)
                continue
            told.came()
            call.standing = coming
            if event.state == "begin":
                line.show(event.text or event.step)
            elif event.container is None and event.plan is None:
                call.talk.detail(f"{event.text or event.step} {event.seconds:.2f} s")
            last = event
    finally:
        line.clear()
    if last is None or (last.container is None and last.plan is None):
        raise Ds01Error(INTERNAL, "ds01d ended the launch without a result.", hint=f"ds01 why {name}")
    if last.container is not None:
        call.standing = f"{last.container.name} runs; ds01 attach {last.container.name} enters it."
    return last


def going_on(call: Call, launch: Callable[[], Iterator[LaunchEvent]]) -> Iterator[LaunchEvent]:
    """The events of a launch. While it waits, a ds01d that went away is asked again when it is back."""
    waits, until = False, 0.0
    while True:
        try:
            for event in launch():
                waits, until = event.place is not None, 0.0
                yield event
        except Ds01Error as error:
            until = until or time.monotonic() + RESTART_SECONDS
            if error.kind != DAEMON_DOWN or not waits or time.monotonic() > until:
                raise
            call.talk.detail("ds01d went away; the place in the queue stays.")
            time.sleep(1)
        else:
            return


class Told:
    """Shows a place while it changes: the line moves on, a new reason is said once."""

    def __init__(self, call: Call, line: Line) -> None:
        self._call = call
        self._line = line
        self._last: PlaceView | None = None

    def show(self, place: PlaceView) -> None:
        """The place as it is now."""
        if self._last is None or place.reason != self._last.reason:
            self._line.above(f"{place.name} waits: {place.text}.")
            for other in place.instead:
                self._line.above(f"  Would start now, with {other.what}: ds01 launch {place.name} {other.flags}")
        shown = line(place)
        if self._last is None:
            self._line.show(shown)
        elif shown != line(self._last):
            self._line.keep(shown)
        if not self._call.talk.watched and (self._last is None or place.place != self._last.place):
            self._call.talk.say(f"{shown}.")
        self._last = place

    def came(self) -> None:
        """The turn has come."""
        if self._last is not None:
            self._line.above(f"It is the turn of {self._last.name}.")
            if self._call.talk.watched:
                self._call.talk.stderr.write("\a")
            self._last = None


def line(place: PlaceView) -> str:
    """``Waiting for --gpus 1: 3rd of 5 in the queue, likely in 20m to 2h``."""
    when = likely(place.earliest, place.latest)
    return f"Waiting for {place.asked}: {ordinal(place.place)} of {place.of} in the queue" + (
        f", likely {when}" if when else ""
    )
