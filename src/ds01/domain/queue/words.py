"""What whoever waited is told when her turn comes, and when she missed it."""

from __future__ import annotations

from datetime import timedelta

from ds01.domain.headline import UNTIL
from ds01.domain.lifecycle.words import ways
from ds01.domain.quantity import show_duration
from ds01.domain.queue.request import Request, RequestState


def turn_title(request: Request) -> str:
    """``Your turn: 1 GPU is kept for thesis {until}``."""
    return f"Your turn: {_gpus(request)} kept for {request.name} {UNTIL}"


def turn_text(request: Request, slots: str, waited: timedelta) -> str:
    """What is kept, what happens if nobody comes, and what to type."""
    after = f"after a wait of {show_duration(timedelta(seconds=round(waited.total_seconds())))}"
    said = f"{slots or 'It'}, {after}. Whoever is next gets it if it is not claimed by then."
    listed = [
        (f"ds01 claim {request.name}", "take it: launches what you asked for"),
        (f"ds01 cancel {request.name}", "let it go, for whoever is next"),
    ]
    return "\n".join([said, "", *ways(listed)])


def passed_title(request: Request) -> str:
    """One line about a turn that is over and was not taken."""
    if request.state is RequestState.WAITING:
        return f"{request.name} waits again, in its former place: what was kept for it is out of service"
    return f"{request.name} does not wait any more: its turn came, and nobody claimed it in time"


def passed_text(request: Request) -> str:
    """How to go on."""
    if request.state is RequestState.WAITING:
        return "\n".join(ways([("ds01 queue", "when its turn comes")]))
    return "\n".join(ways([(f"ds01 launch {request.name} --wait", "wait again, and take it when the turn comes")]))


def _gpus(request: Request) -> str:
    count = request.ask.count
    return "1 GPU is" if count == 1 else f"{count} GPUs are"
