"""Views that tests of the command line need."""

from __future__ import annotations

from typing import Any

from ds01.wire.containers import ContainerView
from ds01.wire.gpus import GpusView, SlotView
from ds01.wire.status import StatusView, UsageView

GIB = 1024**3


def container(name: str = "thesis", state: str = "running", **more: Any) -> ContainerView:
    """A container with sensible values."""
    fields: dict[str, Any] = {
        "id": name.encode().hex().ljust(64, "0")[:64], "owner": "anna", "project": name, "image": f"ds01-1001/{name}",
        "door": "ds01", "created_at": "2026-03-02T09:00:00+00:00", "workspace": f"/home/anna/workspace/{name}",
    }  # fmt: skip
    return ContainerView(name=name, state=state, **(fields | more))


def busy(name: str = "thesis", **more: Any) -> ContainerView:
    """A running container with everything there is to show."""
    return container(
        name, gpus=("2:1g.5gb",), gpu_count=1, lease="active", gpu_utilisation=87.4, memory_bytes=12 * GIB,
        idle_left_seconds=1740, runtime_left_seconds=80000, **more,
    )  # fmt: skip


def slot(label: str, state: str = "free", **more: Any) -> SlotView:
    """A whole GPU."""
    fields: dict[str, Any] = {
        "id": f"GPU-{label}",
        "model": "NVIDIA A100-SXM4-40GB",
        "profile": "full",
        "memory_bytes": 40 * GIB,
        "gpueq": 1.0,
    }
    return SlotView(label=label, state=state, **(fields | more))


def gpus(*slots: SlotView, simulated: bool = False) -> GpusView:
    """The server's slots."""
    return GpusView(
        simulated=simulated, slots=slots, free=sum(each.state == "free" for each in slots), total=len(slots)
    )  # fmt: skip


def status(*containers: ContainerView, simulated: bool = False, **more: Any) -> StatusView:
    """A status of Anna's."""
    usage = (UsageView(what="GPUs", used="1", limit="2"), UsageView(what="containers", used="1", limit="3"))
    return StatusView(
        login="anna", group="student", server="lab1", simulated_gpus=simulated, usage=usage,
        gpus=gpus(slot("0"), slot("1", "active", holder="in use"), simulated=simulated), containers=containers, **more,
    )  # fmt: skip
