"""``POST /containers/{id}/update``: amounts of a container that is there, each at most what its user may have.

For the engine 0 or -1 mean unlimited here as well; what is no amount is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ds01.domain.dockerpolicy.case import Asker, Case, Kept
from ds01.domain.dockerpolicy.field import Field, judge_struct, must_be_empty
from ds01.domain.dockerpolicy.resources import RESOURCES
from ds01.domain.dockerpolicy.running import RUNNING
from ds01.domain.dockerpolicy.strictjson import Json

_CHANGEABLE = frozenset(
    {"Memory", "MemorySwap", "MemoryReservation", "NanoCpus", "CpuQuota", "CpuPeriod", "CpuShares", "CpusetCpus",
     "CpusetMems", "PidsLimit", "BlkioWeight", "RestartPolicy"}
)  # fmt: skip
_EMPTY = ("CgroupParent", "Devices", "DeviceRequests", "DeviceCgroupRules", "Ulimits")


@dataclass(frozen=True, kw_only=True)
class UpdatePlan:
    """A judged update. None: not asked for; a number below 1: as much as there may be."""

    kept: Mapping[str, Kept]
    cpus: float | None
    memory_bytes: int | None
    pids: int | None
    case: Case


UPDATE: tuple[Field, ...] = (
    *(field for field in (*RESOURCES, *RUNNING) if field.name in _CHANGEABLE),
    *(must_be_empty(name, "update.field", f"changing {name}") for name in _EMPTY),
    *(
        must_be_empty(field.name, "update.field", f"changing {field.name}")
        for field in RESOURCES
        if field.name not in (*_CHANGEABLE, *_EMPTY)
    ),
)
"""Every field of an update there is a rule for."""


def judge_update(body: dict[str, Json], asker: Asker) -> UpdatePlan:
    """The plan of an update. Raises RefusedError."""
    case = Case(asker=asker)
    kept = judge_struct("", body, UPDATE, case)
    asked = {key.casefold(): value for key, value in body.items()}
    return UpdatePlan(
        kept=kept,
        cpus=case.asked_cpus if case.asked_cpus is not None else _all(asked, "nanocpus", "cpuquota"),
        memory_bytes=case.memory_bytes if case.memory_bytes is not None else _all(asked, "memory", "memoryswap"),
        pids=case.pids if case.pids is not None or asked.get("pidslimit") is None else 0,
        case=case,
    )


def _all(asked: Mapping[str, Json], *names: str) -> int | None:
    """0, as much as there may be, when one of these is asked for without an end."""
    values = (asked.get(name) for name in names)
    return 0 if any(isinstance(value, int) and value < 0 for value in values) else None
