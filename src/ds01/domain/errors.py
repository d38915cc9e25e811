"""Every way DS01 can say no, in one place.

An error is part of the interface: a stable code, the HTTP status ds01d answers with, the exit code the
command line ends with, one sentence, and the command that helps. The docs page is generated from here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every ``ds01`` command (``run``, ``exec`` and ``attach`` pass the command's own)."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NO_RESOURCE = 3
    NOT_FOUND = 4
    NOT_ALLOWED = 5
    UNREACHABLE = 6
    INTERRUPTED = 130


@dataclass(frozen=True, kw_only=True)
class ErrorKind:
    """What is the same for every error of one code. ``title`` is for the docs page."""

    code: str
    status: int
    exit: Exit
    title: str


_KINDS: dict[str, ErrorKind] = {}


def _kind(code: str, status: int, exit_: Exit, title: str) -> ErrorKind:
    kind = ErrorKind(code=code, status=status, exit=exit_, title=title)
    _KINDS[code] = kind
    return kind


# Bad input ------------------------------------------------------------------------------------------
BAD_REQUEST = _kind("request.invalid", 400, Exit.USAGE, "A request that cannot be read")
BAD_NAME = _kind("name.invalid", 400, Exit.USAGE, "A name DS01 cannot use")
BAD_PROJECT_FILE = _kind("project.file", 400, Exit.USAGE, "A project file with a mistake in it")
BAD_LIMITS_FILE = _kind("limits.file", 400, Exit.USAGE, "A limits file with a mistake in it")
BAD_PACKAGE = _kind("package.invalid", 400, Exit.USAGE, "A package name or version that cannot be read")
NEEDS_ANSWER = _kind("input.needed", 400, Exit.USAGE, "A question with nobody to answer it")

# Not there ------------------------------------------------------------------------------------------
NO_PROJECT = _kind("project.unknown", 404, Exit.NOT_FOUND, "A project that does not exist")
NO_CONTAINER = _kind("container.unknown", 404, Exit.NOT_FOUND, "A container that does not exist")
NO_IMAGE = _kind("image.unknown", 404, Exit.NOT_FOUND, "An image that does not exist")
NO_USER = _kind("user.unknown", 404, Exit.NOT_FOUND, "A user this server does not know")
NO_LEASE = _kind("lease.unknown", 404, Exit.NOT_FOUND, "A lease that does not exist")
NO_KEY = _kind("limits.unknown", 404, Exit.NOT_FOUND, "A limit that does not exist")
NO_FILE = _kind("file.unknown", 404, Exit.NOT_FOUND, "A file that does not exist")
NO_TOPIC = _kind("help.unknown", 404, Exit.NOT_FOUND, "A help page that does not exist")
NO_ROUTE = _kind("route.unknown", 404, Exit.FAILED, "An address the API does not have")

# No resource now ------------------------------------------------------------------------------------
GPU_FULL = _kind("gpu.full", 409, Exit.NO_RESOURCE, "No GPU is free right now")
GPU_QUOTA = _kind("gpu.quota", 409, Exit.NO_RESOURCE, "More GPU than you may use at once")
GPU_IMPOSSIBLE = _kind("gpu.impossible", 409, Exit.NO_RESOURCE, "More GPU than this server has")
CONTAINER_QUOTA = _kind("container.quota", 409, Exit.NO_RESOURCE, "More containers than you may have")
DISK_FULL = _kind("disk.full", 507, Exit.NO_RESOURCE, "The disk is full")

# Not allowed ----------------------------------------------------------------------------------------
NOT_ALLOWED = _kind("door.denied", 403, Exit.NOT_ALLOWED, "Something DS01 does not allow")
ADMIN_ONLY = _kind("admin.only", 403, Exit.NOT_ALLOWED, "Something only admins may do")
BAD_BIND = _kind("mount.denied", 403, Exit.NOT_ALLOWED, "A folder that cannot be mounted")
BAD_WORKSPACE = _kind("workspace.denied", 403, Exit.NOT_ALLOWED, "A workspace that cannot be used")

# State ----------------------------------------------------------------------------------------------
WRONG_STATE = _kind("container.state", 409, Exit.FAILED, "A container in another state")
LEASE_ENDED = _kind("lease.ended", 409, Exit.FAILED, "A GPU that was already given back")
NAME_TAKEN = _kind("name.taken", 409, Exit.FAILED, "A name that is in use")
IMAGE_IN_USE = _kind("image.in_use", 409, Exit.FAILED, "An image that containers still use")
BUSY = _kind("container.busy", 409, Exit.FAILED, "Somebody is working on the same container")

# The world ------------------------------------------------------------------------------------------
BUILD_FAILED = _kind("image.build", 422, Exit.FAILED, "An image that does not build")
START_FAILED = _kind("container.start", 502, Exit.FAILED, "A container that does not start")
COPY_FAILED = _kind("copy.failed", 500, Exit.FAILED, "Files that were not copied")
ENGINE_DOWN = _kind("engine.unreachable", 503, Exit.FAILED, "The Docker engine does not answer")
ENGINE_ERROR = _kind("engine.error", 502, Exit.FAILED, "The Docker engine refused")
DAEMON_DOWN = _kind("daemon.unreachable", 503, Exit.UNREACHABLE, "ds01d does not answer")
DAEMON_SECOND = _kind("daemon.second", 409, Exit.FAILED, "A ds01d is already running")
LEDGER_ERROR = _kind("ledger.error", 503, Exit.FAILED, "The ledger cannot be written")
INTERNAL = _kind("internal", 500, Exit.FAILED, "A mistake in DS01")


def kinds() -> tuple[ErrorKind, ...]:
    """All kinds, in the order of this file."""
    return tuple(_KINDS.values())


def kind(code: str) -> ErrorKind:
    """The kind with this code; an unknown code (a newer daemon) counts as an internal error."""
    return _KINDS.get(code, INTERNAL)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """An error as data: what happened, why, and what to type next."""

    kind: ErrorKind
    message: str
    reason: str = ""
    hint: str = ""
    details: dict[str, str] = field(default_factory=dict)


class Ds01Error(Exception):
    """The one exception of the rules and services; adapters turn foreign errors into it."""

    def __init__(self, kind: ErrorKind, message: str, *, reason: str = "", hint: str = "", **details: str) -> None:
        super().__init__(message)
        self.problem = Problem(kind=kind, message=message, reason=reason, hint=hint, details=details)

    @property
    def kind(self) -> ErrorKind:
        """The kind of the problem, for ``except`` blocks that look at it."""
        return self.problem.kind
