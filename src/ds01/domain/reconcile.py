"""What is, against what is written down: one pure judgement per container.

The engine is right about what runs, the ledger about whose it is. A difference is repaired when it is plain what
happened; what would mean guessing is set aside and reported. What carries no label of DS01 is nobody's and is not
even looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ds01.domain.assembly import read_slots
from ds01.domain.container import Container, ContainerState, Door, Observed, StopReason
from ds01.domain.labels import Label
from ds01.domain.lease import Lease
from ds01.domain.names import stored_container
from ds01.domain.reasons import oom_detail

MARGIN = timedelta(seconds=30)
"""A container that ended this close to an absence of the engine ended with it."""


class Verdict(StrEnum):
    """What to write down about a container of the ledger."""

    TRUE = "true"
    GONE = "gone"
    STARTED = "started"
    STOPPED = "stopped"
    PAUSED = "paused"
    UNPAUSED = "unpaused"


class Stranger(StrEnum):
    """What to do about a container of DS01 that the ledger does not know."""

    IGNORE = "ignore"
    ADOPT = "adopt"
    CLEAR = "clear"


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A time in which the engine did not answer; ``until`` None: it still does not."""

    since: datetime
    until: datetime | None = None


def judge(container: Container, seen: Observed | None) -> Verdict:
    """Compare one container of the ledger with what the engine shows (its list is enough)."""
    if seen is None:
        return Verdict.GONE
    match container.state:
        case ContainerState.RUNNING if not seen.running:
            return Verdict.STOPPED
        case ContainerState.RUNNING if seen.paused:
            return Verdict.PAUSED
        case ContainerState.PAUSED if not seen.running:
            return Verdict.STOPPED
        case ContainerState.PAUSED if not seen.paused:
            return Verdict.UNPAUSED
        case ContainerState.STOPPED | ContainerState.CREATING if seen.running:
            return Verdict.STARTED
        case _:
            return Verdict.TRUE


def judge_stranger(seen: Observed, *, removed: bool, name_taken: bool, settled: bool) -> Stranger:
    """``removed``: the ledger knows that it was removed. ``name_taken``: a live container has its name. ``settled``:
    it is old enough that whoever made it would have said so.
    """
    if Label.OWNER not in seen.labels:
        return Stranger.IGNORE
    if removed or name_taken:
        return Stranger.CLEAR
    if seen.ever_started:
        return Stranger.ADOPT
    if seen.labels.get(Label.DOOR) in (Door.DS01.value, Door.JOB.value):
        return Stranger.CLEAR
    return Stranger.ADOPT if settled else Stranger.IGNORE


def stop_reason(
    container: Container, seen: Observed, *, rebooted: bool, outages: Sequence[Outage] = (), peak: int | None = None
) -> tuple[StopReason, str]:
    """Why it stopped, with the detail ``domain.reasons`` reads. What somebody asked for was written down before.

    ``peak`` is the most memory it had, where that was read in time; its counters went with it.
    """
    if container.reason is not None:
        return container.reason, container.reason_detail
    if container.door is Door.JOB and _by_itself(seen):
        return StopReason.EXIT, str(seen.exit_code)
    if rebooted:
        return StopReason.HOST_RESTART, ""
    if seen.oom_killed:
        return StopReason.OOM, oom_detail(peak, seen.memory_limit_bytes)
    if any(_during(seen, outage) for outage in outages):
        return StopReason.ENGINE, ""
    if container.door is Door.DS01 and seen.exit_code == 0:
        # The main program is a session, which ends by itself never and with 0 when it is asked to. Nobody asked
        # through DS01, so an engine that went down did, while nobody was looking.
        return StopReason.ENGINE, ""
    return StopReason.EXIT, str(seen.exit_code)


def removal_reason(container: Container, died: int | None) -> tuple[StopReason, str]:
    """Why what is gone had stopped, with its detail. ``died`` is the exit code that the engine told when it did: what
    was started with ``--rm`` is gone with its end. A code of what was killed, or no word of its end, means that
    somebody with the engine's own socket took it away.
    """
    if container.reason is not None:
        return container.reason, container.reason_detail
    if died is None or died in _KILLED:
        return StopReason.ADMIN, ""
    return StopReason.EXIT, str(died)


def fell_with_engine(container: Container, lost_at: datetime) -> bool:
    """Whether a stop that was taken for the program's own end was the engine's: it stops every container before it
    goes, by SIGTERM or SIGKILL, and only its going tells.
    """
    return (
        container.state is ContainerState.STOPPED
        and container.reason is StopReason.EXIT
        and container.reason_detail in {str(code) for code in _KILLED}
        and container.stopped_at is not None
        and lost_at - MARGIN <= container.stopped_at <= lost_at
    )


def _by_itself(seen: Observed) -> bool:
    """Whether a job's program ended by itself, whatever happened around it: its main program never ends like one that
    was asked to, that was killed, or that went down with the engine, when it was not.
    """
    return seen.exit_code == 0 or (seen.exit_code not in _TAKEN_DOWN and not seen.oom_killed)


_KILLED = (137, 143)
_TAKEN_DOWN = (*_KILLED, 255)


def _during(seen: Observed, outage: Outage) -> bool:
    """Whether it ended in this absence of the engine, and not in a life that began after it."""
    at, begun = seen.finished_at, seen.started_at
    if at is None or (outage.until is not None and begun is not None and begun > outage.until):
        return False
    return outage.since - MARGIN <= at and (outage.until is None or at <= outage.until + MARGIN)


def misplaced(seen: Observed, lease: Lease | None, gpus: int) -> str:
    """I2: what is wrong with a running container's GPUs; ``""`` when its lease covers what it has."""
    has = frozenset(read_slots(seen.labels))
    if not has and not gpus:
        return ""
    if lease is None or not lease.state.open:
        return "it uses a GPU that is not leased to it"
    if has != frozenset(lease.slots):
        return "it uses another GPU than the one leased to it"
    return ""


def parked(seen: Observed, container: Container) -> bool:
    """Whether it still bears the name it got while it was being replaced: the replacement never came to be."""
    return seen.stored_name == stored_container(container.name, container.uid) + WAITING


WAITING = ".old"
"""Ending of the engine's name of a container that is being replaced."""
