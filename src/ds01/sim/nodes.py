"""How simulated slots get into a container.

A slot is a character node with the numbers of ``/dev/null``: a program that opens ``/dev/nvidia0`` finds a device,
and writing to it harms nobody. Every slot has a node of its own on the host, so that a container's device list says
which slots it holds. The nodes and the stand-in for nvidia-smi are staged in the run folder when ds01d starts,
because containers of before a reboot need them before anybody asks for a new one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from ds01.domain.container import Attachment, Device, Mount
from ds01.domain.gpu import SMI, Slot

_NULL = os.makedev(1, 3)


class Nodes:
    """The staged files of one ds01d."""

    def __init__(self, run: Path) -> None:
        self._dev = run / "dev"
        self._smi = run / "lib" / "nvidia-smi"

    def stage(self, slots: Sequence[Slot]) -> None:
        """Write the stand-in and make the missing nodes. Without root there are none, and /dev/null itself serves."""
        self._write_stand_in()
        self._dev.mkdir(parents=True, exist_ok=True)
        for name in names(slots).values():
            if os.geteuid() == 0 and not _is_node(self._dev / name):
                (self._dev / name).unlink(missing_ok=True)
                os.mknod(self._dev / name, stat.S_IFCHR | 0o666, _NULL)
                (self._dev / name).chmod(0o666)

    def attach(self, slots: Sequence[Slot]) -> Attachment:
        """Devices numbered from 0, the lease's UUIDs and the data of the stand-in."""
        if not slots:
            return Attachment(environment={"NVIDIA_VISIBLE_DEVICES": "void"})
        self.stage(slots)
        own = names(slots)
        return Attachment(
            devices=tuple(
                Device(host=self._host(own[slot.id]), inside=f"/dev/nvidia{number}", permissions="rw")
                for number, slot in enumerate(slots)
            ),
            environment={
                "NVIDIA_VISIBLE_DEVICES": ",".join(slot.id for slot in slots),
                "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
                "DS01_SIMULATED_GPUS": ";".join(_record(slot) for slot in slots),
            },
            mounts=(Mount(source=str(self._smi), target=SMI, read_only=True),),
        )

    def _host(self, name: str) -> str:
        node = self._dev / name
        return str(node) if _is_node(node) else "/dev/null"

    def _write_stand_in(self) -> None:
        text = _stand_in()
        self._smi.parent.mkdir(parents=True, exist_ok=True)
        if self._smi.exists() and self._smi.read_text() == text:
            return
        fresh = self._smi.with_suffix(".new")
        fresh.write_text(text)
        fresh.chmod(0o755)
        fresh.replace(self._smi)


def names(slots: Sequence[Slot]) -> dict[str, str]:
    """Slot id to node name: ``nvidia2`` for GPU 2, ``nvidia2-1a2b3c4d`` for an instance on it."""
    return {
        slot.id: f"nvidia{slot.minor}" if slot.whole else f"nvidia{slot.minor}-{slot.id.removeprefix('MIG-')[:8]}"
        for slot in slots
    }


@cache
def _stand_in() -> str:
    return (resources.files("ds01.sim") / "nvidia-smi.sh").read_text()


def _is_node(path: Path) -> bool:
    if not path.exists():
        return False
    found = path.lstat()
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == _NULL


def _record(slot: Slot) -> str:
    """One slot for the stand-in: name, uuid, MiB, profile."""
    return "|".join((slot.model, slot.id, str(slot.memory_bytes // 1024**2), slot.profile))
