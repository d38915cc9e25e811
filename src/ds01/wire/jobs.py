"""Jobs on the wire: what to run, and how it is with it. Times are ISO 8601 in UTC."""

from __future__ import annotations

from ds01.domain.record import made, record
from ds01.wire.queue import PlaceView


@record
class JobRequest:
    """A job, as the command line resolved it from the project file and its options.

    ``image`` is a reference, ``""`` for the project's own image; ``spec`` and ``base`` are as for a launch. ``folder``
    is where to run below the workspace. ``gpus`` is what ``--gpus`` takes, None for the default (1 if the user may).
    ``name`` is ``""`` for the project's with a number. ``array`` is as typed (``0-9%2``). ``after`` are names, each
    perhaps with ``:any``. ``retries`` is how often it is tried again when the server failed it.
    """

    command: tuple[str, ...]
    project: str
    workspace: str
    name: str = ""
    image: str = ""
    spec: str = ""
    base: str = ""
    folder: str = ""
    gpus: str | None = None
    memory_bytes: int = 0
    data: tuple[str, ...] = ()
    environment: dict[str, str] = made(factory=dict)
    time_seconds: int | None = None
    array: str = ""
    after: tuple[str, ...] = ()
    retries: int = 2
    commit: str = ""
    on_stop: str = ""


@record
class JobPlan:
    """What would be submitted. ``build`` is why the project's image must be built first, ``""`` when it need not;
    ``missing`` that there is none.
    """

    name: str
    image: str
    build: str
    gpus: str
    planned_seconds: int | None
    tasks: int
    missing: bool = False


@record
class JobView:
    """One job, or one task of an array."""

    name: str
    number: int
    owner: str
    state: str
    """``waiting`` (it may not run yet), ``queued`` (for a GPU, or about to start), ``running``, ``ended``."""
    text: str
    """How it is, or how it ended, in words."""
    told: str
    """How it ended as a sentence; ``""`` while it goes on."""
    command: tuple[str, ...]
    project: str
    workspace: str
    log: str
    """Where its log is on the server."""
    submitted_at: str
    asked: str
    image: str
    image_id: str
    end: str = ""
    """How it ended, as a stable word: exit, oom, cancelled, runtime, dependency, start, engine, …"""
    detail: str = ""
    exit_code: int | None = None
    """The exit code of its command, when that ended by itself."""
    code: int | None = None
    """The exit code of a ``ds01`` command that waited for it; None while it goes on."""
    array: str = ""
    index: int | None = None
    after: tuple[str, ...] = ()
    folder: str = ""
    commit: str = ""
    environment: dict[str, str] = made(factory=dict)
    data: tuple[str, ...] = ()
    planned_seconds: int | None = None
    attempt: int = 0
    retries: int = 0
    started_at: str | None = None
    ended_at: str | None = None
    gpus: tuple[str, ...] = ()
    place: PlaceView | None = None
    ran: bool = False
    """Whether its command ever ran, so that there is a log."""


@record
class JobsView:
    """What one name stands for: a job, or all tasks of an array in order."""

    name: str
    jobs: tuple[JobView, ...]
