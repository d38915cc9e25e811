"""Every way DS01 can say no, in one place.

An error is part of the interface: a stable code, the HTTP status ds01d answers with, the exit code the
command line ends with, one sentence, and the command that helps. The docs page is generated from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from ds01.domain.record import made, record


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


@record
class ErrorKind:
    """What is the same for every error of one code. ``title`` and ``remedy`` are for the docs page."""

    code: str
    status: int
    exit: Exit
    title: str
    remedy: str


_KINDS: dict[str, ErrorKind] = {}


def _kind(code: str, status: int, exit_: Exit, title: str, remedy: str) -> ErrorKind:
    kind = ErrorKind(code=code, status=status, exit=exit_, title=title, remedy=remedy)
    _KINDS[code] = kind
    return kind


# Bad input ------------------------------------------------------------------------------------------
BAD_REQUEST = _kind(
    "request.invalid", 400, Exit.USAGE, "A request that cannot be read",
    "Correct what the message names; `--help` shows what the command takes.",
)  # fmt: skip
BAD_NAME = _kind(
    "name.invalid", 400, Exit.USAGE, "A name DS01 cannot use",
    "Use 1 to 40 lower-case letters, digits and hyphens, starting with a letter or digit.",
)  # fmt: skip
BAD_PROJECT_FILE = _kind(
    "project.file", 400, Exit.USAGE, "A project file with a mistake in it",
    "Correct ds01.toml at the line and column the message gives.",
)  # fmt: skip
BAD_LIMITS_FILE = _kind(
    "limits.file", 400, Exit.USAGE, "A limits file with a mistake in it",
    "An admin corrects limits.yaml at the lines given; every key is in [limits.md](limits.md).",
)  # fmt: skip
BAD_ROSTER = _kind(
    "roster.invalid", 400, Exit.USAGE, "A roster that cannot be used",
    "Correct the lines the message names; `ds01 class open --info` says what a roster looks like.",
)  # fmt: skip
BAD_TRACE = _kind(
    "trace.invalid", 400, Exit.USAGE, "A trace that cannot be simulated",
    "Correct the lines the message names; `ds01 simulate --info` says what a trace and bookings look like.",
)  # fmt: skip
BAD_PACKAGE = _kind(
    "package.invalid", 400, Exit.USAGE, "A package name or version that cannot be read",
    "Write packages as pip does: `numpy`, `pandas>=2,<3`, `uvicorn[standard]`.",
)  # fmt: skip
NEEDS_ANSWER = _kind(
    "input.needed", 400, Exit.USAGE, "A question with nobody to answer it",
    "Give the flag the message names, or answer on a terminal.",
)  # fmt: skip

# Not there ------------------------------------------------------------------------------------------
NO_PROJECT = _kind(
    "project.unknown", 404, Exit.NOT_FOUND, "A project that does not exist",
    "`ds01 project list` shows your projects; `ds01 init NAME` makes one.",
)  # fmt: skip
NO_CONTAINER = _kind(
    "container.unknown", 404, Exit.NOT_FOUND, "A container that does not exist",
    "`ds01 list` shows your containers; `ds01 launch NAME` makes one.",
)  # fmt: skip
NO_IMAGE = _kind(
    "image.unknown", 404, Exit.NOT_FOUND, "An image that does not exist",
    "`ds01 image list` shows your images; `ds01 image create NAME` builds one.",
)  # fmt: skip
NO_VOLUME = _kind(
    "volume.unknown", 404, Exit.NOT_FOUND, "A volume that does not exist",
    "`docker volume ls` shows your volumes.",
)  # fmt: skip
NO_NETWORK = _kind(
    "network.unknown", 404, Exit.NOT_FOUND, "A network that does not exist",
    "`docker network ls` shows your networks.",
)  # fmt: skip
NO_USER = _kind(
    "user.unknown", 404, Exit.NOT_FOUND, "A user this server does not know",
    "`getent passwd` shows the accounts of the server.",
)  # fmt: skip
NO_PROGRAM = _kind(
    "program.missing", 404, Exit.NOT_FOUND, "A program that is not in the container",
    "`ds01 image update NAME --add PACKAGE` puts it into the image; then `ds01 launch NAME --recreate`.",
)  # fmt: skip
NO_JOB = _kind(
    "job.unknown", 404, Exit.NOT_FOUND, "A job that does not exist",
    "`ds01 runs` shows yours.",
)  # fmt: skip
NO_LEASE = _kind(
    "lease.unknown", 404, Exit.NOT_FOUND, "A lease that does not exist",
    "`ds01 status` shows the GPUs you hold.",
)  # fmt: skip
NO_REQUEST = _kind(
    "request.unknown", 404, Exit.NOT_FOUND, "A request that is not in the queue",
    "`ds01 queue` shows yours.",
)  # fmt: skip
NO_BOOKING = _kind(
    "booking.unknown", 404, Exit.NOT_FOUND, "A booking or class that does not exist",
    "`ds01 bookings` shows yours, `ds01 class list` your classes.",
)  # fmt: skip
NO_GPU = _kind(
    "gpu.missing", 404, Exit.NOT_FOUND, "No such GPU",
    "See ds01 gpus; a GPU is named by its number, an instance by its label or UUID.",
)  # fmt: skip
NO_KEY = _kind(
    "limits.unknown", 404, Exit.NOT_FOUND, "A limit that does not exist",
    "`ds01 limits` shows all limits.",
)  # fmt: skip
NO_EXEMPTION = _kind(
    "exemption.unknown", 404, Exit.NOT_FOUND, "An exemption that does not exist",
    "`ds01 admin exemptions` shows those that are in force.",
)  # fmt: skip
NO_FILE = _kind(
    "file.unknown", 404, Exit.NOT_FOUND, "A file that does not exist",
    "Check the path; in a container it begins at /.",
)  # fmt: skip
NO_TOPIC = _kind(
    "help.unknown", 404, Exit.NOT_FOUND, "A help page that does not exist",
    "`ds01 help` lists the pages.",
)  # fmt: skip
NO_ROUTE = _kind(
    "route.unknown", 404, Exit.FAILED, "An address the API does not have",
    "Client and ds01d may be of different versions: install the same on both sides.",
)  # fmt: skip

# No resource now ------------------------------------------------------------------------------------
GPU_FULL = _kind(
    "gpu.full", 409, Exit.NO_RESOURCE, "No GPU is free right now",
    "Wait and try again, ask for less (`--gpus 1`, a MIG profile), or work without a GPU (`--gpus 0`).",
)  # fmt: skip
BOOKING_CLASH = _kind(
    "booking.clash", 409, Exit.NO_RESOURCE, "A booking that others are in the way of",
    "The message names the nearest booking that is possible; `ds01 bookings --all` shows an admin what is booked.",
)  # fmt: skip
BOOKING_QUOTA = _kind(
    "booking.quota", 409, Exit.NO_RESOURCE, "More than you may book",
    "Book fewer or for a shorter time; `ds01 limits explain bookings.per_week` says whose limit it is.",
)  # fmt: skip
GPU_QUOTA = _kind(
    "gpu.quota", 409, Exit.NO_RESOURCE, "More GPU than you may use at once",
    "Retire a container that holds a GPU, or ask for less; `ds01 limits explain gpus.max` says whose limit it is.",
)  # fmt: skip
GPU_IMPOSSIBLE = _kind(
    "gpu.impossible", 409, Exit.NO_RESOURCE, "More GPU than this server has",
    "Ask for what the server has: `ds01 gpus` shows it.",
)  # fmt: skip
GPU_USED = _kind(
    "gpu.used", 409, Exit.FAILED, "The GPU is in use",
    "A GPU is divided when nobody uses it: ds01 admin drain keeps new work away, and says who is still on it.",
)  # fmt: skip
GPU_DIVIDE = _kind(
    "gpu.divide", 409, Exit.FAILED, "The GPU cannot be divided so",
    "See what the card offers with ds01 admin mig show; what the driver refused is in the message.",
)  # fmt: skip
CONTAINER_QUOTA = _kind(
    "container.quota", 409, Exit.NO_RESOURCE, "More containers than you may have",
    "Retire a container you do not need: `ds01 list`, `ds01 retire NAME`.",
)  # fmt: skip
EXTEND_QUOTA = _kind(
    "extend.quota", 409, Exit.NO_RESOURCE, "More time than you may add",
    "Add less, or ask an admin for an exemption; the most is in `policy` of the limits file.",
)  # fmt: skip
DISK_QUOTA = _kind(
    "disk.quota", 507, Exit.NO_RESOURCE, "More disk than you may use",
    "Remove images and containers you do not need: `docker image prune -a`, `docker container prune`; "
    "`ds01 status` shows what they use.",
)  # fmt: skip
IMAGE_QUOTA = _kind(
    "image.quota", 409, Exit.NO_RESOURCE, "More images than you may have",
    "Remove images you do not need: `docker images`, `docker rmi NAME`, `docker image prune -a`.",
)  # fmt: skip
VOLUME_QUOTA = _kind(
    "volume.quota", 409, Exit.NO_RESOURCE, "More volumes than you may have",
    "Remove volumes you do not need: `docker volume ls`, `docker volume rm NAME`, `docker volume prune`.",
)  # fmt: skip
PORT_QUOTA = _kind(
    "port.quota", 409, Exit.NO_RESOURCE, "More published ports than you may have",
    "Remove containers you do not need: `docker ps -a`, `docker rm NAME`; or publish fewer ports.",
)  # fmt: skip
NETWORK_QUOTA = _kind(
    "network.quota", 409, Exit.NO_RESOURCE, "More networks than you may have",
    "Remove networks you do not need: `docker network ls`, `docker network rm NAME`, `docker network prune`.",
)  # fmt: skip
NO_ADDRESSES = _kind(
    "network.addresses", 409, Exit.NO_RESOURCE, "An address range a network cannot have",
    "Leave the range out: DS01 chooses a free one. An admin sets the pool with `docker.networks` in limits.yaml.",
)  # fmt: skip
DISK_FULL = _kind(
    "disk.full", 507, Exit.NO_RESOURCE, "The disk is full",
    "Remove files or images you do not need; an admin sees what fills the disk with `ds01 doctor`.",
)  # fmt: skip

# Not allowed ----------------------------------------------------------------------------------------
NOT_ALLOWED = _kind(
    "door.denied", 403, Exit.NOT_ALLOWED, "Something DS01 does not allow",
    "Do it the way the message offers; what the gateway refuses could leave the container or reach others.",
)  # fmt: skip
KNOWN_HOLE = _kind(
    "program.hole", 403, Exit.NOT_ALLOWED, "A program below DS01 has a known hole",
    "An admin makes it newer; `ds01 doctor` says which one. Where the distribution mended it without a new number, she"
    " sets `docker.known_holes: told`.",
)  # fmt: skip
BOOKING_DENIED = _kind(
    "booking.denied", 403, Exit.NOT_ALLOWED, "A booking you may not make",
    "`ds01 limits` shows for whom, how far ahead and with how much notice you may book.",
)  # fmt: skip
ADMIN_ONLY = _kind(
    "admin.only", 403, Exit.NOT_ALLOWED, "Something only admins may do",
    "Ask an admin.",
)  # fmt: skip
BAD_BIND = _kind(
    "mount.denied", 403, Exit.NOT_ALLOWED, "A folder that cannot be mounted",
    "Mount a folder of your own, or one of the shared data folders.",
)  # fmt: skip
BAD_WORKSPACE = _kind(
    "workspace.denied", 403, Exit.NOT_ALLOWED, "A workspace that cannot be used",
    "Use a folder of your own below your home, without links that lead out of it.",
)  # fmt: skip

# State ----------------------------------------------------------------------------------------------
WRONG_STATE = _kind(
    "container.state", 409, Exit.FAILED, "A container in another state",
    "`ds01 list` shows the state; the message says which command goes on from there.",
)  # fmt: skip
LEASE_ENDED = _kind(
    "lease.ended", 409, Exit.FAILED, "A GPU that was already given back",
    "Start the container again: a GPU is then leased anew.",
)  # fmt: skip
REQUEST_ENDED = _kind(
    "request.ended", 409, Exit.FAILED, "A request that is not waiting any more",
    "Ask again: `ds01 launch NAME --wait`.",
)  # fmt: skip
REQUEST_OTHER = _kind(
    "request.other", 409, Exit.FAILED, "A request for something else under the same name",
    "`ds01 cancel NAME` gives the old one up; then ask again.",
)  # fmt: skip
NOT_YET = _kind(
    "request.waiting", 409, Exit.NO_RESOURCE, "A turn that has not come yet",
    "`ds01 why NAME` says when it is expected.",
)  # fmt: skip
NAME_TAKEN = _kind(
    "name.taken", 409, Exit.FAILED, "A name that is in use",
    "Choose another name, or retire what has it.",
)  # fmt: skip
IMAGE_HEAVY = _kind(
    "image.heavy", 400, Exit.FAILED, "An image that says too much of itself",
    "Shorten its labels and variables: put what is long into a file of the image.",
)  # fmt: skip
IMAGE_IN_USE = _kind(
    "image.in_use", 409, Exit.FAILED, "An image that containers still use",
    "Retire the containers that use it first.",
)  # fmt: skip
SILENT = _kind(
    "container.silent", 503, Exit.FAILED, "A container that does not answer",
    "The engine waits for something that is going on with it, as files that somebody copies out of it slowly: let that "
    "end, and try again.",
)  # fmt: skip
BUSY = _kind(
    "container.busy", 409, Exit.FAILED, "Somebody is working on the same container",
    "Try again in a moment.",
)  # fmt: skip

TOO_MANY = _kind(
    "requests.many", 429, Exit.FAILED, "Too much asked for at once",
    "Let some of what you asked for end, then ask again; `docker compose up` has `--parallel`.",
)  # fmt: skip

# The world ------------------------------------------------------------------------------------------
BUILD_FAILED = _kind(
    "image.build", 422, Exit.FAILED, "An image that does not build",
    "The failing line and its likely cause are in the message; correct the project file and build again.",
)  # fmt: skip
CLONE_FAILED = _kind(
    "git.clone", 502, Exit.FAILED, "A repository that cannot be cloned",
    "See what git said: an address that is wrong, a key that is not there, a server that cannot be reached.",
)  # fmt: skip
START_FAILED = _kind(
    "container.start", 502, Exit.FAILED, "A container that does not start",
    "`ds01 why NAME` tells what happened, `ds01 logs NAME` its last output.",
)  # fmt: skip
COPY_FAILED = _kind(
    "copy.failed", 500, Exit.FAILED, "Files that were not copied",
    "Check the space and the rights of the target, and copy again.",
)  # fmt: skip
NO_PORT = _kind(
    "ports.taken", 503, Exit.NO_RESOURCE, "None of your ports is free",
    "End a program you no longer need: `ds01 jupyter NAME --stop`.",
)  # fmt: skip
DOOR_ANEW = _kind(
    "door.anew", 503, Exit.FAILED, "ds01d was just started",
    "The gateway first says what goes on, and asks again by itself.",
)  # fmt: skip
ENGINE_DOWN = _kind(
    "engine.unreachable", 503, Exit.FAILED, "The Docker engine does not answer",
    "Running containers go on. An admin starts the engine; `ds01 doctor` tells more.",
)  # fmt: skip
ENGINE_ERROR = _kind(
    "engine.error", 502, Exit.FAILED, "The Docker engine refused",
    "The engine's own words are in the message; `ds01 doctor` tells more.",
)  # fmt: skip
FENCE_FAILED = _kind(
    "fence.failed", 502, Exit.FAILED, "The firewall refused DS01's rules",
    "An admin looks at `iptables -S`; `ds01 doctor` says what is missing.",
)  # fmt: skip
NOTICE_FAILED = _kind(
    "notice.failed", 502, Exit.FAILED, "A notice that could not be brought",
    "Check the address with `ds01 notices`; an admin checks `notices` in limits.yaml.",
)  # fmt: skip
DAEMON_DOWN = _kind(
    "daemon.unreachable", 503, Exit.UNREACHABLE, "ds01d does not answer",
    "Running containers and shells go on. An admin starts ds01d; then try again.",
)  # fmt: skip
DAEMON_SECOND = _kind(
    "daemon.second", 409, Exit.FAILED, "A ds01d is already running",
    "One ds01d serves one state folder; stop the other first.",
)  # fmt: skip
DAEMON_UNSURE = _kind(
    "daemon.unsure", 409, Exit.FAILED, "Containers run that say they are DS01's, where DS01 never was",
    "An admin says which it is: the state folder was lost, or somebody made them before DS01 came.",
)  # fmt: skip
LEDGER_ERROR = _kind(
    "ledger.error", 503, Exit.FAILED, "The ledger cannot be written",
    "Nothing was granted. An admin looks at the disk of the state folder; then try again.",
)  # fmt: skip
INSTALL_BLOCKED = _kind(
    "install.blocked", 409, Exit.FAILED, "Something on this server stands in the way of installing DS01",
    "Nothing was changed. Do what the message says, then type the command again; `docs/howto/install.md` has the rest.",
)  # fmt: skip
INSTALL_FAILED = _kind(
    "install.failed", 500, Exit.FAILED, "DS01 could not be put in place",
    "What was changed was put back. The message says which step failed, `journalctl -u docker -u ds01d` often why.",
)  # fmt: skip
INTERNAL = _kind(
    "internal", 500, Exit.FAILED, "A mistake in DS01",
    "Please report it with the request's time; nothing half done was kept.",
)  # fmt: skip


UNANSWERED = frozenset({ENGINE_DOWN, SILENT})
"""Kinds that leave open what the engine does of what it was asked for."""


def kinds() -> tuple[ErrorKind, ...]:
    """All kinds, in the order of this file."""
    return tuple(_KINDS.values())


def kind(code: str) -> ErrorKind:
    """The kind with this code; an unknown code (a newer daemon) counts as an internal error."""
    return _KINDS.get(code, INTERNAL)


@record
class Problem:
    """An error as data: what happened, why, and what to type next."""

    kind: ErrorKind
    message: str
    reason: str = ""
    hint: str = ""
    details: dict[str, str] = made(factory=dict)


class Ds01Error(Exception):
    """The one exception of the rules and services; adapters turn foreign errors into it."""

    def __init__(self, kind: ErrorKind, message: str, *, reason: str = "", hint: str = "", **details: str) -> None:
        super().__init__(message)
        self.problem = Problem(kind=kind, message=message, reason=reason, hint=hint, details=details)

    @property
    def kind(self) -> ErrorKind:
        """The kind of the problem, for ``except`` blocks that look at it."""
        return self.problem.kind

    def at(self, place: str) -> Ds01Error:
        """The same error, with where it is (``environment.yml:3``) before its sentence."""
        there = self.problem
        return Ds01Error(there.kind, f"{place}: {there.message}", reason=there.reason, hint=there.hint)


_MOST_TOLD = 20


def together(errors: Sequence[Ds01Error]) -> Ds01Error:
    """Several mistakes as one error: the first, and below it the others, each with its reason and its own remedy."""
    first, others = errors[0].problem, [error.problem for error in errors[1:]]
    if not others:
        return errors[0]
    shared = all(other.hint == first.hint for other in others)
    lines = [_told(other, with_hint=not shared) for other in others[: _MOST_TOLD - 1]]
    if len(errors) > _MOST_TOLD:
        lines.append(f"… and {len(errors) - _MOST_TOLD} more.")
    before = [first.reason, "" if shared else first.hint]
    reason = "\n".join([*filter(None, [" ".join(filter(None, before))]), "Also:", *lines])
    hint = first.hint if shared else "Correct these lines and repeat the command."
    return Ds01Error(first.kind, first.message, reason=reason, hint=hint)


def _told(problem: Problem, *, with_hint: bool) -> str:
    return " ".join(filter(None, [problem.message, problem.reason, problem.hint if with_hint else ""]))
