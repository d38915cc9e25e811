"""What happens to simulated GPUs: load, processes, faults, cards that fall off. Set by a test, or by a file.

The file is for tests of a ds01d that runs as its own process: JSON in the run folder, read anew at every look::

    {"slots": {"0": {"utilisation": 0.9, "fault": "Xid 79"}}, "lost": [3]}

Slots are named by id or by label (``0``, ``2:1g.5gb``), lost GPUs by index.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ds01.domain.errors import INTERNAL, Ds01Error
from ds01.domain.gpu import Slot


@dataclass(frozen=True, kw_only=True)
class Load:
    """What one slot shows. ``utilisation`` is 0 to 1; None is a driver that cannot tell."""

    utilisation: float | None = 0.0
    memory_used_bytes: int | None = 0
    temperature_c: int = 35
    processes: tuple[tuple[int, int], ...] | None = ()
    """Host pid and bytes of GPU memory of each; None is a driver that cannot tell."""
    fault: str = ""


@dataclass
class Script:
    """Loads by slot id or label, and the indexes of GPUs that are gone."""

    path: Path | None = None
    loads: dict[str, Load] = field(default_factory=dict)
    lost: set[int] = field(default_factory=set)

    def load(self, slot: Slot) -> Load:
        """What this slot shows now; the file wins over the test's own words."""
        load = self.loads.get(slot.id) or self.loads.get(slot.label) or Load()
        written = self._file().get("slots", {})
        return _overlay(load, written.get(slot.id) or written.get(slot.label) or {})

    def gone(self) -> frozenset[int]:
        """Indexes of GPUs that fell off."""
        return frozenset(self.lost | set(self._file().get("lost", [])))

    def _file(self) -> dict[str, Any]:
        if self.path is None or not self.path.exists():
            return {}
        try:
            read: dict[str, Any] = json.loads(self.path.read_text())
        except ValueError as error:
            raise Ds01Error(
                INTERNAL, f"The script of the simulated GPUs, {self.path}, cannot be read.", reason=str(error)
            ) from error
        return read


def _overlay(load: Load, words: dict[str, Any]) -> Load:
    processes = words.pop("processes", None)
    changed = replace(load, **words)
    return changed if processes is None else replace(changed, processes=tuple((p[0], p[1]) for p in processes))
