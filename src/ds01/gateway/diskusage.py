"""The form that ``/system/df`` has since API 1.52, a sum for each kind of thing, of the lists it had before."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ds01.gateway.measured import KINDS
from ds01.gateway.things import Found

_ACTIVE = frozenset({"running", "paused", "restarting"})
_FIELDS = {"Images": "ImageUsage", "Containers": "ContainerUsage", "Volumes": "VolumeUsage",
           "BuildCache": "BuildCacheUsage"}  # fmt: skip


def summed(found: Found, types: Collection[str], *, verbose: bool) -> Found:
    """Sums of the lists that were asked for, of all without ``types``; with their rows when it is ``verbose``."""
    sums = {"Images": _images, "Containers": _containers, "Volumes": _volumes, "BuildCache": _cache}
    asked = [name for name, kind in KINDS.items() if not types or kind in types]
    rows = {name: {"Items": found[name]} if verbose else {} for name in asked}
    return {_FIELDS[name]: {**sums[name](found), **rows[name]} for name in asked}


def _images(found: Found) -> Found:
    rows = found["Images"]
    unused = [row for row in rows if int(row.get("Containers") or 0) <= 0]
    free = sum(_size(row) - _size(row, "SharedSize") for row in unused if -1 not in (row["Size"], row["SharedSize"]))
    return _sum(len(rows), len(rows) - len(unused), int(found["LayersSize"]), free)


def _containers(found: Found) -> Found:
    rows = found["Containers"]
    active = [row for row in rows if row.get("State") in _ACTIVE]
    total = _total(rows, "SizeRw")
    return _sum(len(rows), len(active), total, total - _total(active, "SizeRw"))


def _volumes(found: Found) -> Found:
    used = [row.get("UsageData") or {} for row in found["Volumes"]]
    active = [row for row in used if int(row.get("RefCount") or 0) > 0]
    total = _total(used, "Size")
    return _sum(len(used), len(active), total, total - _total(active, "Size"))


def _cache(found: Found) -> Found:
    rows = found["BuildCache"]
    own = [row for row in rows if not row.get("Shared")]
    total = _total(own, "Size")
    used = _total((row for row in own if row.get("InUse")), "Size")
    return _sum(len(rows), sum(bool(row.get("InUse")) for row in rows), total, total - used)


def _sum(count: int, active: int, total: int, free: int) -> Found:
    return {"TotalCount": count, "ActiveCount": active, "TotalSize": total, "Reclaimable": free}


def _total(rows: Iterable[Found], name: str) -> int:
    return sum(_size(row, name) for row in rows)


def _size(row: Found, name: str = "Size") -> int:
    return max(0, int(row.get(name) or 0))
