"""One sentence for every type of event, and what its details hold.

An event says what happened with stable words for programs; this registry says it to people. The page of events
is generated from here. ``name`` in the details is what people call the subject; when it is missing the subject
itself is shown, and a detail that is missing leaves its part of the sentence out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ds01.domain.events import Event, EventType, Unknown
from ds01.domain.telling import (
    acted,
    activated,
    announced,
    denied,
    door,
    glass,
    granted,
    happened,
    held,
    job_ended,
    kept,
    released,
    started,
    stopped,
    turn,
    unknown,
)


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
    told = (unknown(event) if isinstance(event.type, Unknown) else SENTENCES[event.type].tell(event, who)).rstrip(".")
    return told if told.endswith(("?", "!")) else told + "."


def who_did(event: Event, names: Callable[[int], str], viewer: int | None = None) -> str:
    """``DS01`` for itself, ``you`` for the viewer, else a login."""
    if event.actor is None:
        return "DS01"
    return "you" if event.actor == viewer else names(event.actor)


_CONTAINER = "the container's full id"
_LEASE = "the lease"
_REQUEST = "the request's id"
_JOB = "the job's id"
_BOOKING = "the booking's id"

_ALL = (
    Sentence(
        type=EventType.CONTAINER_CREATED, when="A container was created.", subject=_CONTAINER,
        details=("name", "image", "project", "door", "gpus"),
        tell=acted("created", ("image", " from image {}"), ("door", " through {}")),
    ),
    Sentence(
        type=EventType.CONTAINER_STARTED, when="A container started.", subject=_CONTAINER,
        details=("name", "slots", "why"), tell=started,
    ),
    Sentence(
        type=EventType.CONTAINER_STOPPED, when="A container stopped, for whatever reason.", subject=_CONTAINER,
        details=("name", "reason", "detail", "why", "killed", "on_stop"), tell=stopped,
    ),
    Sentence(
        type=EventType.CONTAINER_OUT_OF_MEMORY,
        when="A program in a container was ended because the container's memory was full; the container may go on.",
        subject=_CONTAINER, details=("name", "limit", "peak"),
        tell=happened(
            "a program in {name} was ended, its memory was full", ("limit", ": the limit is {}"),
            ("peak", ", it had {}"),
        ),
    ),
    Sentence(
        type=EventType.CONTAINER_PAUSED, when="A container was paused.", subject=_CONTAINER,
        details=("name", "why"), tell=acted("paused", ("why", ": {}")),
    ),
    Sentence(
        type=EventType.CONTAINER_UNPAUSED, when="A paused container goes on.", subject=_CONTAINER,
        details=("name", "why"), tell=acted("unpaused", ("why", ": {}")),
    ),
    Sentence(
        type=EventType.CONTAINER_RENAMED, when="A container got another name.", subject=_CONTAINER,
        details=("name", "before"), tell=happened("container {name} got its name", ("before", ", before it was {}")),
    ),
    Sentence(
        type=EventType.CONTAINER_REMOVED, when="A container was removed; its workspace stays.", subject=_CONTAINER,
        details=("name", "reason"), tell=acted("removed", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.CONTAINER_CORRECTED,
        when="Settings of a container were changed on the engine's own socket, and were put back.", subject=_CONTAINER,
        details=("name", "reason"), tell=happened("the settings of {name} were put back", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.CONTAINER_OUTSIDE, when="A container runs that root made beside DS01.", subject=_CONTAINER,
        details=("name", "reason"), tell=happened("{name} runs, and DS01 did not make it", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.CONTAINER_QUARANTINED, when="A container broke a rule and was set aside.", subject=_CONTAINER,
        details=("name", "reason"), tell=happened("{name} was set aside", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.CONTAINER_SILENT,
        when="A running container did not answer, so that DS01 could not see to it yet; it tries again until it can.",
        subject=_CONTAINER, details=("name", "reason"),
        tell=happened("{name} does not answer", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.CONTAINER_GPU_FAILED, when="A GPU failed, or vanished, while a container had it.",
        subject=_CONTAINER, details=("name", "slots", "reason"),
        tell=happened("the GPU of {name} failed", ("slots", " (GPU {})"), ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.CONTAINER_RECOVERED, when="A container was found again after the ledger was lost.",
        subject=_CONTAINER, details=("name",), tell=happened("{name} was found again from its labels"),
    ),
    Sentence(
        type=EventType.CONTAINER_KEPT, when="A container was kept from being stopped for idling, until a time.",
        subject=_CONTAINER, details=("name", "until", "how", "why"), tell=kept,
    ),
    Sentence(
        type=EventType.CONTAINER_EXTENDED, when="A container got more running time.", subject=_CONTAINER,
        details=("name", "by", "total", "why"),
        tell=acted("extended", ("by", " by {}"), ("total", ", {} added in all"), ("why", ": {}")),
    ),
    Sentence(
        type=EventType.CONTAINER_UNDONE, when="A container that idling or its runtime had stopped was started again.",
        subject=_CONTAINER, details=("name", "reason"),
        tell=acted("took the stop of", ("reason", " back ({})")),
    ),
    Sentence(
        type=EventType.NOTICE_DELIVERED, when="A notice reached its reader.",
        subject="the full id of the container, or of the request whose turn came",
        details=("name", "rule", "level", "title", "by", "until"),
        tell=happened("a word about {name} arrived", ("by", " by {}"), ("title", ": {}")),
    ),
    Sentence(
        type=EventType.NOTICE_UNDELIVERED,
        when="A warning reached nobody: what it warned of waits one more lead, and it is tried again.",
        subject=_CONTAINER, details=("name", "rule", "level", "title", "why"),
        tell=happened("nobody could be told about {name}, so it waits longer", ("title", ": {}"), ("why", " ({})")),
    ),
    Sentence(
        type=EventType.EXEMPTION_GRANTED, when="An admin lifted limits of a user for a while.", subject="the exemption",
        details=("name", "keys", "until", "reason"),
        tell=acted("lifted limits of", ("keys", " ({})"), ("until", " until {}"), ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.EXEMPTION_ENDED, when="An admin ended an exemption before its time.", subject="the exemption",
        details=("name", "keys"), tell=acted("ended the exemption of", ("keys", " from {}")),
    ),
    Sentence(
        type=EventType.ANNOUNCEMENT_MADE, when="An admin told everybody something.", subject="the announcement",
        details=("text", "until"), tell=announced,
    ),
    Sentence(
        type=EventType.ANNOUNCEMENT_ENDED, when="What an admin told everybody stands no more.",
        subject="the announcement", details=(), tell=lambda _, who: f"{who} ended the announcement",
    ),
    Sentence(
        type=EventType.LEASE_GRANTED, when="GPUs were reserved for a container about to start.", subject=_LEASE,
        details=("name", "container", "slots", "gpueq", "why"), tell=granted,
    ),
    Sentence(
        type=EventType.LEASE_ACTIVATED, when="A container took its GPUs into use.", subject=_LEASE,
        details=("name", "container", "slots"), tell=activated,
    ),
    Sentence(
        type=EventType.LEASE_HELD, when="A container stopped and its GPUs are kept for it for a while.",
        subject=_LEASE, details=("name", "container", "slots", "until"), tell=held,
    ),
    Sentence(
        type=EventType.LEASE_RELEASED, when="GPUs went back to everybody.", subject=_LEASE,
        details=("name", "container", "slots", "reason"), tell=released,
    ),
    Sentence(
        type=EventType.LEASE_REVOKED, when="A lease was taken away.", subject=_LEASE,
        details=("name", "container", "slots", "reason"),
        tell=happened("the GPU of {name} was taken back", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.LEASE_RECOVERED, when="A lease was found again after the ledger was lost.", subject=_LEASE,
        details=("name", "container", "slots"), tell=happened("the GPU of {name} was found again from its labels"),
    ),
    Sentence(
        type=EventType.QUEUE_JOINED, when="Somebody waits for GPUs.", subject=_REQUEST,
        details=("name", "asked", "planned"),
        tell=happened("{name} waits for its turn", ("asked", " with {}")),
    ),
    Sentence(
        type=EventType.QUEUE_TURN, when="A request's turn came; its GPUs are kept for a while.", subject=_REQUEST,
        details=("name", "slots", "until", "lease", "waited"), tell=turn,
    ),
    Sentence(
        type=EventType.QUEUE_RETURNED, when="GPUs that were kept for a request fell ill; it waits again.",
        subject=_REQUEST, details=("name", "reason"),
        tell=happened("{name} waits again, in its former place", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.QUEUE_CLAIMED, when="A request got what it waited for.", subject=_REQUEST,
        details=("name", "lease", "waited"), tell=happened("{name} took its turn", ("waited", " after {}")),
    ),
    Sentence(
        type=EventType.QUEUE_EXPIRED, when="A request ended by itself: not claimed in time, or waited long enough.",
        subject=_REQUEST, details=("name", "reason"), tell=happened("{name} waits no more", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.QUEUE_CANCELLED, when="A request was given up.", subject=_REQUEST,
        details=("name", "reason"), tell=acted("gave up waiting for", ("reason", " ({})")),
    ),
    Sentence(
        type=EventType.JOB_SUBMITTED, when="A job, or an array of them, was submitted.",
        subject="the job's id; of an array that of its first task", details=("name", "command", "tasks"),
        tell=acted("submitted job", ("tasks", " with {} tasks"), ("command", ": {}")),
    ),
    Sentence(
        type=EventType.JOB_STARTED, when="A job's command runs.", subject=_JOB,
        details=("name", "container", "attempt"),
        tell=happened("job {name} started", ("attempt", ", attempt {}")),
    ),
    Sentence(
        type=EventType.JOB_RETRIED, when="A job was lost by no fault of its own, or could not start; it waits again.",
        subject=_JOB, details=("name", "reason"),
        tell=happened("job {name} waits again", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.JOB_ENDED, when="A job ended: by itself, or because of something else.", subject=_JOB,
        details=("name", "end", "detail", "code", "container"), tell=job_ended,
    ),
    Sentence(
        type=EventType.BOOKING_MADE, when="Somebody booked GPUs; of a weekly booking once for all its dates.",
        subject=_BOOKING, details=("name", "asked", "begins", "ends", "dates", "people"),
        tell=acted("booked", ("asked", ": {}"), ("begins", ", {}"), ("ends", " to {}"), ("dates", ", {} dates")),
    ),
    Sentence(
        type=EventType.BOOKING_CANCELLED, when="A booking was given up.", subject=_BOOKING,
        details=("name", "begins", "dates", "reason"),
        tell=acted("cancelled booking", ("begins", " of {}"), ("dates", ", {} dates"), ("reason", " ({})")),
    ),
    Sentence(
        type=EventType.BOOKING_BEGAN, when="The time of a booking has come.", subject=_BOOKING,
        details=("name", "asked", "until"), tell=happened("booking {name} began", ("until", ", until {}")),
    ),
    Sentence(
        type=EventType.BOOKING_CLAIMED, when="Somebody uses GPUs of a booking.", subject=_BOOKING,
        details=("name", "container", "slots", "lease"),
        tell=happened("booking {name} is used", ("slots", ": GPU {}"), ("container", " by {}")),
    ),
    Sentence(
        type=EventType.BOOKING_RELEASED, when="Booked GPUs nobody came for went back to everybody.", subject=_BOOKING,
        details=("name", "given_back", "kept"),
        tell=happened("nobody came for all of booking {name}", ("given_back", ": {} of its GPUs went back")),
    ),
    Sentence(
        type=EventType.BOOKING_ENDING, when="What runs in a booking was warned that the booking ends.",
        subject=_BOOKING, details=("name", "container", "until"),
        tell=happened("booking {name} ends soon", ("container", ", and {} with it"), ("until", ", at {}")),
    ),
    Sentence(
        type=EventType.BOOKING_ENDED, when="A booking is over.", subject=_BOOKING,
        details=("name", "stopped"), tell=happened("booking {name} is over", ("stopped", ", and {} with it")),
    ),
    Sentence(
        type=EventType.REQUEST_DENIED, when="A request could not be given: quota, no free GPU, limits.",
        subject="the container it was asked for", details=("name", "code", "message"), tell=denied,
    ),
    Sentence(
        type=EventType.DOOR_DENIED, when="The gateway refused a request to the engine.",
        subject="the object or path asked for", details=("method", "path", "rule", "reason", "advice", "login_uid"),
        tell=door("refused"),
    ),
    Sentence(
        type=EventType.DOOR_ALLOWED, when="The gateway let a changing request to the engine through.",
        subject="the object or path asked for", details=("method", "path", "rule", "changes", "login_uid"),
        tell=door("allowed"),
    ),
    Sentence(
        type=EventType.FENCE_TAKEN_DOWN, when="An admin took the fence around users' networks down.", subject="fence",
        details=(), tell=lambda _, who: f"{who} took the fence around users' networks down",
    ),
    Sentence(
        type=EventType.FENCE_PUT_UP, when="An admin put the fence around users' networks up again.", subject="fence",
        details=(), tell=lambda _, who: f"{who} put the fence around users' networks up again",
    ),
    Sentence(
        type=EventType.DOOR_OBSERVED,
        when="The gateway only watches, and let a request through that it would refuse.",
        subject="the object or path asked for", details=("method", "path", "rule", "reason", "advice", "login_uid"),
        tell=door("would have refused"),
    ),
    Sentence(
        type=EventType.DOOR_IN_FORCE,
        when="The gateway only watched until now. What was made past DS01 to last is still there: ds01 doctor.",
        subject="gateway", details=("left", "names"),
        tell=happened("the gateway is in force", ("left", "; made past DS01 and still there: {}"), ("names", " ({})")),
    ),
    Sentence(
        type=EventType.DOOR_CLOSED, when="The gateway has no place for the socket of a user's containers.",
        subject="the place", details=("path", "rule", "reason"),
        tell=happened("there is no place for your containers' socket", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.DOOR_GLASS,
        when="An admin opened the way past the gateway, closed it, or sent a request that way.",
        subject="the engine, or the path asked for",
        details=("method", "path", "reason", "until", "what", "login_uid"), tell=glass,
    ),
    Sentence(
        type=EventType.GUARD_REFUSED, when="ds01-runc did not let a container start, or a step of a build.",
        subject="the container", details=("name", "container", "reason"),
        tell=happened("{name} was not started", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.IMAGE_BUILT, when="An image was built.", subject="the image's reference",
        details=("image",), tell=acted("built image"),
    ),
    Sentence(
        type=EventType.IMAGE_TAGGED, when="An image was given a name.", subject="the image's reference",
        details=("image",), tell=acted("tagged image"),
    ),
    Sentence(
        type=EventType.IMAGE_PULLED, when="An image was pulled from a registry.", subject="the image's reference",
        details=("image",), tell=acted("pulled image"),
    ),
    Sentence(
        type=EventType.IMAGE_LOADED, when="An image came from an archive.", subject="the image's reference",
        details=("image",), tell=acted("loaded image"),
    ),
    Sentence(
        type=EventType.IMAGE_IMPORTED, when="An image was made from an archive of files.",
        subject="the image's reference", details=("image",), tell=acted("imported image"),
    ),
    Sentence(
        type=EventType.IMAGE_COMMITTED, when="A container's files were kept as an image.",
        subject="the image's reference", details=("image",), tell=acted("committed image"),
    ),
    Sentence(
        type=EventType.IMAGE_REMOVED, when="An image was removed; workspaces stay.", subject="the image's reference",
        details=(), tell=acted("removed image"),
    ),
    *(
        Sentence(type=type_, when=f"A Docker {kind} was {verb}.", subject=f"the engine's name of the {kind}",
                 details=("name",), tell=happened(f"{kind} {{name}} was {verb}"))
        for type_, kind, verb in (
            (EventType.VOLUME_CREATED, "volume", "created"), (EventType.VOLUME_REMOVED, "volume", "removed"),
            (EventType.NETWORK_CREATED, "network", "created"), (EventType.NETWORK_REMOVED, "network", "removed"),
        )
    ),
    Sentence(
        type=EventType.PACKAGES_SUGGESTED, when="Packages added by hand were noted for the project file.",
        subject=_CONTAINER, details=("name", "packages", "file", "problem"),
        tell=happened(
            "packages added in {name} were noted for its project", ("packages", ": {}"), ("file", ", in {}"),
            ("problem", " ({})"),
        ),
    ),
    Sentence(
        type=EventType.FILES_RESCUED, when="Changed files outside the workspace were copied into it.",
        subject=_CONTAINER, details=("name", "folder", "files"),
        tell=happened("files of {name} were rescued", ("folder", " into {}")),
    ),
    Sentence(
        type=EventType.POLICY_RELOADED, when="The limits file changed and is in force.", subject="the limits file",
        details=(), tell=happened("the limits file was read again and is in force"),
    ),
    Sentence(
        type=EventType.POLICY_REJECTED, when="The limits file changed and has a mistake; the last good one stays.",
        subject="the limits file", details=("problem",),
        tell=happened("the limits file has a mistake, the last good one stays in force", ("problem", ": {}")),
    ),
    Sentence(
        type=EventType.SLOT_QUARANTINED, when="A GPU or MIG instance was taken out of service.",
        subject="the slot's UUID", details=("name", "reason"),
        tell=happened("GPU {name} was taken out of service", ("reason", ": {}")),
    ),
    Sentence(
        type=EventType.SLOT_RETURNED, when="An admin ended that a GPU or MIG instance is drained.",
        subject="the slot's UUID", details=("name",), tell=acted("lets new work onto GPU"),
    ),
    Sentence(
        type=EventType.GPU_DIVIDED, when="A GPU was divided by MIG, or made whole.", subject="the GPU's UUID",
        details=("name", "before", "after"),
        tell=happened("GPU {name} was divided anew", ("before", ", from {}"), ("after", " to {}")),
    ),
    Sentence(
        type=EventType.SLOT_VANISHED, when="A GPU or MIG instance is not there any more.", subject="the slot's UUID",
        details=("name",), tell=happened("GPU {name} is not there any more"),
    ),
    Sentence(
        type=EventType.ACCOUNT_CHANGED, when="A uid belongs to somebody else now; nothing is inherited.",
        subject="the uid", details=("login", "before"),
        tell=happened("a uid changed hands", ("before", ", from {}"), ("login", " to {}")),
    ),
    Sentence(
        type=EventType.LEDGER_BACKED_UP, when="An admin had the ledger copied.", subject="the file of the copy",
        details=("events",), tell=acted("backed the ledger up into", ("events", ", with {} events")),
    ),
    Sentence(
        type=EventType.DAEMON_STARTED, when="ds01d started.", subject="ds01d", details=("version",),
        tell=happened("ds01d started", ("version", ", version {}")),
    ),
    Sentence(
        type=EventType.DAEMON_STOPPED, when="ds01d stopped in good order.", subject="ds01d", details=(),
        tell=happened("ds01d stopped"),
    ),
)  # fmt: skip

SENTENCES: dict[EventType, Sentence] = {sentence.type: sentence for sentence in _ALL}
