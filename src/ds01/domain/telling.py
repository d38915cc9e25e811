"""The forms that sentences about events have: who did what, what happened, and the few that need more than that.

A detail that is missing leaves its part of the sentence out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from ds01.domain.container import StopReason
from ds01.domain.events import Event
from ds01.domain.jobs.job import JobEnd
from ds01.domain.jobs.words import sentence
from ds01.domain.reasons import by_somebody, words

_ID = re.compile(r"[0-9a-f]{64}")


def _name(event: Event) -> str:
    """What people call the subject; of a bare container id the part that Docker shows."""
    short = event.subject[:12] if _ID.fullmatch(event.subject) else event.subject
    return event.details.get("name") or short


def _opt(event: Event, key: str, text: str) -> str:
    """``text`` with the detail in it, or nothing."""
    value = event.details.get(key, "")
    return text.format(_moment(event, key) if key == "until" else value) if value else ""


def _gpus(event: Event) -> str:
    """``GPU 2``, ``GPUs 2, 3``, or ``the GPU`` when the event does not say which."""
    slots = event.details.get("slots", "")
    return f"GPUs {slots}" if "," in slots else f"GPU {slots}" if slots else "the GPU"


def _moment(event: Event, key: str) -> str:
    """A time of the details, as people read it; what is no time is shown as it is."""
    try:
        return f"{datetime.fromisoformat(event.details[key]).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return event.details[key]


def unknown(event: Event) -> str:
    """What a newer DS01 wrote down, as it stands there: this one has no sentence for it."""
    said = ", ".join(f"{key} {value}" for key, value in event.details.items() if key != "name" and value)
    return f"{event.type.value} of {_name(event)}, as a newer DS01 wrote it down" + (f": {said}" if said else "")


def acted(verb: str, *parts: tuple[str, str]) -> Callable[[Event, str], str]:
    """``<who> <verb> <name>`` and the parts whose detail is there."""
    return lambda event, who: f"{who} {verb} {_name(event)}" + "".join(_opt(event, *part) for part in parts)


def happened(text: str, *parts: tuple[str, str]) -> Callable[[Event, str], str]:
    """``text`` with ``{name}`` in it, and the parts whose detail is there."""
    return lambda event, _: text.format(name=_name(event)) + "".join(_opt(event, *part) for part in parts)


def announced(event: Event, who: str) -> str:
    """Everybody was told something."""
    return f"{who} told everybody{_opt(event, 'until', ', until {}')}{_opt(event, 'text', ': {}')}"


def kept(event: Event, who: str) -> str:
    """Somebody's word, or a file she touched, keeps a container from being stopped for idling."""
    until = f" until {_moment(event, 'until')}" if event.details.get("until") else ""
    how = _opt(event, "how", " by {}")
    said = _opt(event, "why", ": {}")
    return f"{_name(event)} is kept from being stopped for idling{until}{how or f' by {who}'}{said}"


def stopped(event: Event, who: str) -> str:
    """A container stopped, and why."""
    name, reason, detail = _name(event), event.details.get("reason", ""), event.details.get("detail", "")
    if reason not in _REASONS:
        return f"{name} stopped{_opt(event, 'reason', ': {}')}"
    told = words(StopReason(reason), detail, owner=who)
    more = (
        _opt(event, "why", ": {}")
        + _opt(event, "on_stop", "; {}")
        + _opt(event, "killed", "; killed, because it did not end within {}")
    )
    return f"{name} was {told}{more}" if by_somebody(StopReason(reason)) else f"{name} stopped: {told}{more}"


_REASONS = frozenset(reason.value for reason in StopReason)


def granted(event: Event, _: str) -> str:
    """Slots were reserved."""
    gpus = _gpus(event)
    verb = "were" if gpus.startswith("GPUs") else "was"
    return f"{gpus} {verb} reserved for {_name(event)}{_opt(event, 'why', ': {}')}"


def started(event: Event, who: str) -> str:
    """Somebody started a container."""
    gpus = f" with {_gpus(event)}" if event.details.get("slots") else ""
    return f"{who} started {_name(event)}{gpus}{_opt(event, 'why', ': {}')}"


def activated(event: Event, _: str) -> str:
    """A container took its slots into use."""
    return f"{_name(event)} took {_gpus(event)} into use"


def held(event: Event, _: str) -> str:
    """Slots are kept for a stopped container."""
    until = f" until {_moment(event, 'until')}" if event.details.get("until") else ""
    gpus = _gpus(event)
    verb = "are" if gpus.startswith("GPUs") else "is"
    return f"{gpus} of {_name(event)} {verb} kept for it{until}"


def released(event: Event, _: str) -> str:
    """Slots went back."""
    return f"{_gpus(event)} of {_name(event)} went back{_opt(event, 'reason', ' ({})')}"


def turn(event: Event, _: str) -> str:
    """It is the turn of a request."""
    until = f" until {_moment(event, 'until')}" if event.details.get("until") else ""
    gpus = _gpus(event)
    verb = "are" if gpus.startswith("GPUs") else "is"
    return f"it is the turn of {_name(event)}: {gpus} {verb} kept for it{until}"


def job_ended(event: Event, _: str) -> str:
    """A job is over, and how it ended."""
    end, detail = event.details.get("end", ""), event.details.get("detail", "")
    return f"job {sentence(_name(event), JobEnd(end), detail)}" if end in _JOB_ENDS else f"job {_name(event)} ended"


_JOB_ENDS = frozenset(end.value for end in JobEnd)


def denied(event: Event, who: str) -> str:
    """Somebody was refused."""
    return f"{who} asked for something that could not be given{_opt(event, 'message', ': {}')}"


def door(verb: str) -> Callable[[Event, str], str]:
    """The gateway let a request through, or did not."""

    def told(event: Event, who: str) -> str:
        request = " ".join(filter(None, (event.details.get("method"), event.details.get("path"))))
        tail = _opt(event, "reason", ": {}") + _changes(event.details.get("changes", ""))
        return f"the gateway {verb} {request or _name(event)} of {who}{_opt(event, 'rule', ' (rule {})')}{tail}"

    return told


_COUNTED = re.compile(r"\d+ (?:times|(?:refusals|records) before it)")
"""What the record says of how many there were, beside what was changed."""


def _changes(recorded: str) -> str:
    parts = recorded.split("; ") if recorded else []
    changed = "; ".join(part for part in parts if not _COUNTED.fullmatch(part))
    counted = "".join(f", {part}" for part in parts if _COUNTED.fullmatch(part))
    return (f", changed: {changed}" if changed else "") + counted


def glass(event: Event, who: str) -> str:
    """An admin went past the gateway."""
    why = _opt(event, "reason", ": {}")
    if event.details.get("path"):
        return f"{who} sent {event.details.get('method', '')} {event.details['path']} past the gateway{why}"
    if event.details.get("what") == "closed":
        return f"{who} closed the way past the gateway"
    until = f" until {_moment(event, 'until')}" if event.details.get("until") else ""
    return f"{who} opened the way past the gateway{until}{why}"
