"""How much a container may use. The numbers asked for are collected; ds01d answers with the ones it gets.

For the engine 0 and -1 mean unlimited, so every limit is always set.
"""

from __future__ import annotations

import re

from ds01.domain.dockerpolicy import shape
from ds01.domain.dockerpolicy.case import Case
from ds01.domain.dockerpolicy.field import DROP, Dropped, Field, must_be_empty
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.verdict import malformed, not_allowed

OOM_SCORE = 500
"""Containers go before the server's own services when memory is short."""

NOFILE = 1048576
_CPUSET = re.compile(r"\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*")
_ULIMITS = {
    "core": 0, "cpu": None, "data": None, "fsize": None, "locks": None, "memlock": None, "msgqueue": None,
    "nofile": NOFILE, "nproc": None, "rss": None, "sigpending": None, "stack": None,
}  # fmt: skip
"""Limits a user may set, each with the most it may be; None is unlimited."""

_ULIMIT = shape.names("Name", "Soft", "Hard")


def _memory(case: Case, value: Json) -> Dropped:
    asked = shape.integer("Memory", value)
    case.memory_bytes = asked if asked > 0 else case.memory_bytes
    return DROP


def _reservation(case: Case, value: Json) -> Dropped:
    case.memory_reservation_bytes = max(0, shape.integer("MemoryReservation", value))
    return DROP


def _swap(case: Case, value: Json) -> Dropped:
    if shape.integer("MemorySwap", value) != 0:
        case.changed("create.memory", "memory and swap together are set by your limits")
    return DROP


def _shm(case: Case, value: Json) -> Dropped:
    asked = shape.integer("ShmSize", value)
    case.shm_bytes = asked if asked > 0 else None
    return DROP


def _pids(case: Case, value: Json) -> Dropped:
    asked = shape.integer("PidsLimit", value)
    case.pids = asked if asked > 0 else None
    case.endless_pids = asked < 0
    return DROP


def _cpus(case: Case, value: Json) -> Dropped:
    asked = shape.integer("NanoCpus", value)
    if asked > 0:
        case.cpus = asked / 1e9
    return DROP


def _quota(case: Case, value: Json) -> Dropped:
    asked = shape.integer("CpuQuota", value)
    if asked > 0:
        case.quota_us = asked
    return DROP


def _period(case: Case, value: Json) -> Dropped:
    asked = shape.integer("CpuPeriod", value)
    if asked and not 1000 <= asked <= 1_000_000:
        raise malformed("create.cpus", "CpuPeriod must be between 1000 and 1000000 microseconds")
    if asked:
        case.period_us = asked
    return DROP


def _shares(case: Case, value: Json) -> Json | Dropped:
    asked = shape.integer("CpuShares", value)
    if not asked:
        return DROP
    given = min(max(asked, 2), 1024)
    if given != asked:
        case.changed("create.cpus", f"CPU shares set to {given}", told=True)
    return given


def _weight(case: Case, value: Json) -> Json | Dropped:
    asked = shape.integer("BlkioWeight", value)
    if not asked:
        return DROP
    given = min(max(asked, 10), 500)
    if given != asked:
        case.changed("create.blkio", f"block I/O weight set to {given}", told=True)
    return given


def _set(name: str) -> Field:
    def judge(case: Case, value: Json) -> Json | Dropped:
        del case
        chosen = shape.text(name, value)
        if chosen and not _CPUSET.fullmatch(chosen):
            raise malformed("create.cpus", f"{name} {chosen!r} is no list of numbers")
        return chosen or DROP

    return Field(name=name, rule="create.cpus", says="kept", judge=judge)


def _oom_score(case: Case, value: Json) -> Json:
    if shape.integer("OomScoreAdj", value) < 0:
        raise not_allowed("create.oom", "a negative OOM score", "Leave it out.")
    del case
    return OOM_SCORE


def _swappiness(case: Case, value: Json) -> Dropped:
    del case
    if shape.integer("MemorySwappiness", value) not in (0, -1):
        raise not_allowed("create.memory", "setting swappiness", "Leave it out.")
    return DROP


def _ulimits(case: Case, value: Json) -> Json:
    found: list[Json] = []
    for index, entry in enumerate(shape.items("Ulimits", value)):
        limit = shape.struct(f"Ulimits[{index}]", entry, _ULIMIT)
        name = shape.text("Name", limit.get("Name"))
        if name not in _ULIMITS:
            raise not_allowed("create.ulimits", f"the ulimit '{name}'", f"Use {', '.join(sorted(_ULIMITS))}.")
        asked = shape.integer("Soft", limit.get("Soft")), shape.integer("Hard", limit.get("Hard"))
        soft, hard = (_clamped(each, _ULIMITS[name]) for each in asked)
        soft = min(soft, hard) if hard >= 0 and soft >= 0 else soft
        if (soft, hard) != asked:
            case.changed("create.ulimits", f"ulimit {name} set to {soft}:{hard}", told=True)
        found.append({"Name": name, "Soft": soft, "Hard": hard})
    return found


def _clamped(asked: int, most: int | None) -> int:
    if most is None:
        return max(asked, -1)
    return most if asked < 0 or asked > most else asked


RESOURCES: tuple[Field, ...] = (
    Field(name="Memory", rule="create.memory", judge=_memory, says="at most your limit; always set"),
    Field(name="MemorySwap", rule="create.memory", judge=_swap, says="your limit's"),
    Field(name="MemoryReservation", rule="create.memory", judge=_reservation, says="at most the memory"),
    Field(name="MemorySwappiness", rule="create.memory", judge=_swappiness, says="must be empty"),
    Field(name="NanoCpus", rule="create.cpus", judge=_cpus, says="at most your limit; always set"),
    Field(name="CpuQuota", rule="create.cpus", judge=_quota, says="counted as CPUs"),
    Field(name="CpuPeriod", rule="create.cpus", judge=_period, says="counted as CPUs"),
    Field(name="CpuShares", rule="create.cpus", judge=_shares, says="2 to 1024"),
    _set("CpusetCpus"),
    _set("CpusetMems"),
    Field(name="PidsLimit", rule="create.pids", judge=_pids, says="at most your limit; always set"),
    Field(name="ShmSize", rule="create.shm", judge=_shm, says="at most your limit; always set"),
    Field(name="BlkioWeight", rule="create.blkio", judge=_weight, says="10 to 500"),
    *(
        must_be_empty(name, "create.blkio", "limiting single disks")
        for name in ("BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps",
                     "BlkioDeviceWriteIOps")
    ),
    *(must_be_empty(name, "create.memory", "limiting kernel memory") for name in ("KernelMemory", "KernelMemoryTCP")),
    *(must_be_empty(name, "create.cpus", "real-time CPU time") for name in ("CpuRealtimePeriod", "CpuRealtimeRuntime")),
    *(
        must_be_empty(name, "create.windows", "a limit of Windows containers")
        for name in ("CpuCount", "CpuPercent", "IOMaximumIOps", "IOMaximumBandwidth", "DiskQuota")
    ),
    must_be_empty("OomKillDisable", "create.oom", "a container the kernel may not end when memory is short"),
    Field(name="OomScoreAdj", rule="create.oom", judge=_oom_score, says=f"not negative; always set to {OOM_SCORE}"),
    Field(name="Ulimits", rule="create.ulimits", judge=_ulimits, says=f"known names; nofile at most {NOFILE}, core 0"),
)  # fmt: skip
"""The fields of ``HostConfig`` that are amounts."""
