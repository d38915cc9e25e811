"""One sentence for every type of event, and what its details hold.

An event says what happened with stable words for programs; this registry says it to people. The page of events
is generated from here. ``name`` in the details is what people call the subject; when it is missing the subject
itself is shown, and a detail that is missing leaves its part of the sentence out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from ds01.domain.container import StopReason
from ds01.domain.events import Event, EventType
from ds01.domain.reasons import by_somebody, words


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """How one type of event reads. ``subject`` and ``details`` are for the page of events and for who records it.

    ``tell`` takes the event and who did it (``you``, a login, ``DS01``).
    """

    type: EventType
    when: str
    subject: str
    details: tuple[str, ...]
    tell: Callable[[Event, str], str]


def tell(event: Event, who: str) -> str:
    """The event as a sentence, with its mark at the end."""
    told = SENTENCES[event.type].tell(event, who).rstrip(".")
    return told if told.endswith(("?", "!")) else told + "."


def who_did(event: Event, names: Callable[[int], str], viewer: int | None = None) -> str:
    """``DS01`` for itself, ``you`` for the viewer, else a login."""
    if event.actor is None:
        return "DS01"
    return "you" if event.actor == viewer else names(event.actor)


_ID = re.compile(r"[0-9a-f]{64}")


def _name(event: Event) -> str:
    """What people call the subject; of a bare container id the part that Docker shows."""
    short = event.subject[:12] if _ID.fullmatch(event.subject) else event.subject
    return event.details.get("name") or short


def _opt(event: Event, key: str, text: str) -> str:
    """``text`` with the detail in it, or nothing."""
    value = event.details.get(key, "")
    return text.format(value) if value else ""


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


def _acted(verb: str, *parts: tuple[str, str]) -> Callable[[Event, str], str]:
    """``<who> <verb> <name>`` and the parts whose detail is there."""
    return lambda event, who: f"{who} {verb} {_name(event)}" + "".join(_opt(event, *part) for part in parts)


def _happened(text: str, *parts: tuple[str, str]) -> Callable[[Event, str], str]:
    """``text`` with ``{name}`` in it, and the parts whose detail is there."""
    return lambda event, _: text.format(name=_name(event)) + "".join(_opt(event, *part) for part in parts)


def _stopped(event: Event, who: str) -> str:
    name, reason, detail = _name(event), event.details.get("reason", ""), event.details.get("detail", "")
    if reason not in _REASONS:
        return f"{name} stopped{_opt(event, 'reason', ': {}')}"
    told = words(StopReason(reason), detail, owner=who)
    return f"{name} was {told}" if by_somebody(StopReason(reason)) else f"{name} stopped: {told}"


_REASONS = frozenset(reason.value for reason in StopReason)


def _granted(event: Event, _: str) -> str:
    gpus = _gpus(event)
    verb = "were" if gpus.startswith("GPUs") else "was"
    return f"{gpus} {verb} reserved for {_name(event)}{_opt(event, 'why', ': {}')}"


def _started(event: Event, who: str) -> str:
    return f"{who} started {_name(event)}" + (f" with {_gpus(event)}" if event.details.get("slots") else "")


def _activated(event: Event, _: str) -> str:
    return f"{_name(event)} took {_gpus(event)} into use"


def _held(event: Event, _: str) -> str:
    until = f" until {_moment(event, 'until')}" if event.details.get("until") else ""
    gpus = _gpus(event)
    verb = "are" if gpus.startswith("GPUs") else "is"
    return f"{gpus} of {_name(event)} {verb} kept for it{until}"


def _released(event: Event, _: str) -> str:
    return f"{_gpus(event)} of {_name(event)} went back{_opt(event, 'reason', ' ({})')}"


def _turn(event: Event, _: str) -> str:
    until = f" until {_moment(event, 'until')}" if event.details.get("until") else ""
    gpus = _gpus(event)
    verb = "are" if gpus.startswith("GPUs") else "is"
    return f"it is the turn of {_name(event)}: {gpus} {verb} kept for it{until}"


def _denied(event: Event, who: str) -> str:
    return f"{who} asked for something that could not be given{_opt(event, 'message', ': {}')}"


def _door(verb: str) -> Callable[[Event, str], str]:
    def told(event: Event, who: str) -> str:
        request = " ".join(filter(None, (event.details.get("method"), event.details.get("path"))))
        tail = _opt(event, "reason", ": {}") + _opt(event, "changes", ", changed: {}")
        return f"the gateway {verb} {request or _name(event)} of {who}{_opt(event, 'rule', ' (rule {})')}{tail}"

    return told


_CONTAINER = "the container's full id"
_LEASE = "the lease"
_REQUEST = "the request's id"

_ALL = (
    Sentence(
        type=EventType.CONTAINER_CREATED, when="A container was created.", subject=_CONTAINER,
        details=("name", "image", "project", "door", "gpus"),
        tell=_acted("created", ("image", " from image {}"), ("door", " through {}")),
    ),
    Sentence(
        type=EventType.CONTAINER_STARTED, when="A container started.", subject=_CONTAINER,
        details=("name", "slots"), tell=_started,
    ),
    Sentence(
        type=EventType.CONTAINER_STOPPED, when="A container stopped, for whatever reason.", subject=_CONTAINER,
        details=("name", "reason", "detail"), tell=_stopped,
    ),
    Sentence(
        type=EventType.CONTAINER_OUT_OF_MEMORY,
        when="A program in a container was ended because the container's memory was full; the container may go on.",
        subject=_CONTAINER, details=("name", "limit"),
        tell=_happened("a program in {name} was ended, its memory was full", ("limit", ": the limit is {}")),
    ),
    Sentence(
        type=EventType.CONTAINER_PAUSED, when="A container was paused.", subject=_CONTAINER, details=("name",),
        tell=_acted("paused"),
    ),
    Sentence(
        type=EventType.CONTAINER_UNPAUSED, when="A paused container goes on.", subject=_CONTAINER, details=("name",),
        tell=_acted("unpaused"),
    ),
    Sentence(
        type=EventType.CONTAINER_RENAMED, when="A container got another name.", subject=_CONTAINER,
        details=("name", "before"), tell=_happened("container {name} got its name", ("before", ", before it was {}")),
    ),
    Sentence(
        type=EventType.CONTAINER_REMOVED, when="A container was removed; its workspace stays.", subject=_CONTAINER,
        details=("name", "reason"), tell=_acted("removed", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.CONTAINER_QUARANTINED, when="A container broke a rule and was set aside.", subject=_CONTAINER,
        details=("name", "reason"), tell=_happened("{name} was set aside", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.CONTAINER_RECOVERED, when="A container was found again after the ledger was lost.",
        subject=_CONTAINER, details=("name",), tell=_happened("{name} was found again from its labels"),
    ),
    Sentence(
        type=EventType.LEASE_GRANTED, when="GPUs were reserved for a container about to start.", subject=_LEASE,
        details=("name", "container", "slots", "gpueq", "why"), tell=_granted,
    ),
    Sentence(
        type=EventType.LEASE_ACTIVATED, when="A container took its GPUs into use.", subject=_LEASE,
        details=("name", "container", "slots"), tell=_activated,
    ),
    Sentence(
        type=EventType.LEASE_HELD, when="A container stopped and its GPUs are kept for it for a while.",
        subject=_LEASE, details=("name", "container", "slots", "until"), tell=_held,
    ),
    Sentence(
        type=EventType.LEASE_RELEASED, when="GPUs went back to everybody.", subject=_LEASE,
        details=("name", "container", "slots", "reason"), tell=_released,
    ),
    Sentence(
        type=EventType.LEASE_REVOKED, when="A lease was taken away.", subject=_LEASE,
        details=("name", "container", "slots", "reason"),
        tell=_happened("the GPU of {name} was taken back", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.LEASE_RECOVERED, when="A lease was found again after the ledger was lost.", subject=_LEASE,
        details=("name", "container", "slots"), tell=_happened("the GPU of {name} was found again from its labels"),
    ),
    Sentence(
        type=EventType.QUEUE_JOINED, when="Somebody waits for GPUs.", subject=_REQUEST,
        details=("name", "asked", "planned"),
        tell=_happened("{name} waits for its turn", ("asked", " with {}")),
    ),
    Sentence(
        type=EventType.QUEUE_TURN, when="A request's turn came; its GPUs are kept for a while.", subject=_REQUEST,
        details=("name", "slots", "until", "lease", "waited"), tell=_turn,
    ),
    Sentence(
        type=EventType.QUEUE_RETURNED, when="GPUs that were kept for a request fell ill; it waits again.",
        subject=_REQUEST, details=("name", "reason"),
        tell=_happened("{name} waits again, in its former place", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.QUEUE_CLAIMED, when="A request got what it waited for.", subject=_REQUEST,
        details=("name", "lease", "waited"), tell=_happened("{name} took its turn", ("waited", " after {}")),
    ),
    Sentence(
        type=EventType.QUEUE_EXPIRED, when="A request ended by itself: not claimed in time, or waited long enough.",
        subject=_REQUEST, details=("name", "reason"), tell=_happened("{name} waits no more", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.QUEUE_CANCELLED, when="A request was given up.", subject=_REQUEST,
        details=("name", "reason"), tell=_acted("gave up waiting for", ("reason", " ({})")),
    ),
    Sentence(
        type=EventType.REQUEST_DENIED, when="A request could not be given: quota, no free GPU, limits.",
        subject="the container it was asked for", details=("name", "code", "message"), tell=_denied,
    ),
    Sentence(
        type=EventType.DOOR_DENIED, when="The gateway refused a request to the engine.",
        subject="the object or path asked for", details=("method", "path", "rule", "reason"), tell=_door("refused"),
    ),
    Sentence(
        type=EventType.DOOR_ALLOWED, when="The gateway let a changing request to the engine through.",
        subject="the object or path asked for", details=("method", "path", "rule", "changes"), tell=_door("allowed"),
    ),
    Sentence(
        type=EventType.GUARD_REFUSED, when="ds01-runc did not let a container start, or a step of a build.",
        subject="the container", details=("name", "container", "reason"),
        tell=_happened("{name} was not started", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.IMAGE_BUILT, when="An image was built.", subject="the image's reference",
        details=("image",), tell=_acted("built image"),
    ),
    Sentence(
        type=EventType.IMAGE_TAGGED, when="An image was given a name.", subject="the image's reference",
        details=("image",), tell=_acted("tagged image"),
    ),
    Sentence(
        type=EventType.IMAGE_PULLED, when="An image was pulled from a registry.", subject="the image's reference",
        details=("image",), tell=_acted("pulled image"),
    ),
    Sentence(
        type=EventType.IMAGE_LOADED, when="An image came from an archive.", subject="the image's reference",
        details=("image",), tell=_acted("loaded image"),
    ),
    Sentence(
        type=EventType.IMAGE_IMPORTED, when="An image was made from an archive of files.",
        subject="the image's reference", details=("image",), tell=_acted("imported image"),
    ),
    Sentence(
        type=EventType.IMAGE_COMMITTED, when="A container's files were kept as an image.",
        subject="the image's reference", details=("image",), tell=_acted("committed image"),
    ),
    Sentence(
        type=EventType.IMAGE_REMOVED, when="An image was removed; workspaces stay.", subject="the image's reference",
        details=(), tell=_acted("removed image"),
    ),
    *(
        Sentence(type=type_, when=f"A Docker {kind} was {verb}.", subject=f"the engine's name of the {kind}",
                 details=("name",), tell=_happened(f"{kind} {{name}} was {verb}"))
        for type_, kind, verb in (
            (EventType.VOLUME_CREATED, "volume", "created"), (EventType.VOLUME_REMOVED, "volume", "removed"),
            (EventType.NETWORK_CREATED, "network", "created"), (EventType.NETWORK_REMOVED, "network", "removed"),
        )
    ),
    Sentence(
        type=EventType.PACKAGES_SUGGESTED, when="Packages added by hand were noted for the project file.",
        subject=_CONTAINER, details=("name", "packages"),
        tell=_happened("packages added in {name} were noted for its project", ("packages", ": {}")),
    ),
    Sentence(
        type=EventType.FILES_RESCUED, when="Changed files outside the workspace were copied into it.",
        subject=_CONTAINER, details=("name", "folder", "files"),
        tell=_happened("files of {name} were rescued", ("folder", " into {}")),
    ),
    Sentence(
        type=EventType.POLICY_RELOADED, when="The limits file changed and is in force.", subject="the limits file",
        details=(), tell=_happened("the limits file was read again and is in force"),
    ),
    Sentence(
        type=EventType.POLICY_REJECTED, when="The limits file changed and has a mistake; the last good one stays.",
        subject="the limits file", details=("problem",),
        tell=_happened("the limits file has a mistake, the last good one stays in force", ("problem", ": {}")),
    ),
    Sentence(
        type=EventType.SLOT_QUARANTINED, when="A GPU or MIG instance was taken out of service.",
        subject="the slot's UUID", details=("name", "reason"),
        tell=_happened("GPU {name} was taken out of service", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.SLOT_VANISHED, when="A GPU or MIG instance is not there any more.", subject="the slot's UUID",
        details=("name",), tell=_happened("GPU {name} is not there any more"),
    ),
    Sentence(
        type=EventType.ACCOUNT_CHANGED, when="A uid belongs to somebody else now; nothing is inherited.",
        subject="the uid", details=("login", "before"),
        tell=_happened("a uid changed hands", ("before", ", from {}"), ("login", " to {}")),
    ),
    Sentence(
        type=EventType.DAEMON_STARTED, when="ds01d started.", subject="ds01d", details=("version",),
        tell=_happened("ds01d started", ("version", ", version {}")),
    ),
    Sentence(
        type=EventType.DAEMON_STOPPED, when="ds01d stopped in good order.", subject="ds01d", details=(),
        tell=_happened("ds01d stopped"),
    ),
)  # fmt: skip

SENTENCES: dict[EventType, Sentence] = {sentence.type: sentence for sentence in _ALL}
