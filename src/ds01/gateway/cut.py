"""Amounts that a create or an update asks for and one container of hers may not have: told, and not refused."""

from __future__ import annotations

from collections.abc import Iterator

from ds01.domain.dockerpolicy.case import Case
from ds01.domain.dockerpolicy.verdict import Change
from ds01.domain.quantity import show_size
from ds01.wire.door import DoorAmountsGrant, DoorGrant


def cut(case: Case, grant: DoorGrant | DoorAmountsGrant) -> Iterator[Change]:
    """What is told of each. What nobody asked for is set to the limit as well, without a word. Shared memory is asked
    for by a create only.
    """
    if _less(grant.memory_bytes, case.memory_bytes):
        yield _told("memory", "memory", show_size(grant.memory_bytes))
    if _less(grant.cpus, case.asked_cpus):
        yield _told("cpus", "CPUs", f"{grant.cpus:g}")
    if isinstance(grant, DoorGrant) and _less(grant.shm_bytes, case.shm_bytes):
        yield _told("shm", "shared memory", show_size(grant.shm_bytes))
    if case.endless_pids or _less(grant.pids, case.pids):
        yield _told("pids", "processes", str(grant.pids))


def _less(given: float, asked: float | None) -> bool:
    return asked is not None and given < asked


def _told(limit: str, what: str, given: str) -> Change:
    text = f"{what} set to at most {given}: ds01 limits explain {limit}"
    return Change(rule=f"create.{limit}", text=text, told=True)
