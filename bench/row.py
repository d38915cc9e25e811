"""One line of the table that ``make bench`` prints: our figure, the peer's from the same run, and the budget."""

from __future__ import annotations

import importlib
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measurement. ``peer`` None: a budget of its own, with nothing to compare to.

    ``budget`` is what ``judged`` must not exceed (or must reach, with ``at_least``); ``rule`` says it in words.
    """

    path: str
    ours: float
    unit: str
    rule: str
    judged: float
    budget: float
    peer_name: str = ""
    peer: float | None = None
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the budget is kept."""
        return self.judged >= self.budget if self.at_least else self.judged <= self.budget

    @property
    def ratio(self) -> float | None:
        """Ours to the peer's."""
        return None if not self.peer else self.ours / self.peer


def added(path: str, ours: float, peer_name: str, peer: float, budget_ms: float, *, which: str = "p50") -> Row:
    """A row whose budget is milliseconds on top of a peer."""
    return Row(
        path=f"{path} ({which})", ours=ours, unit="ms", peer_name=peer_name, peer=peer,
        rule=f"peer + {budget_ms:g} ms", judged=ours - peer, budget=budget_ms,
    )  # fmt: skip


def interleaved(times: int, *measured: Callable[[], object]) -> list[list[float]]:
    """Milliseconds of each function, called in turn ``times`` times: noise of the machine hits all alike."""
    taken: list[list[float]] = [[] for _ in measured]
    for _ in range(times):
        for index, function in enumerate(measured):
            began = time.perf_counter()
            function()
            taken[index].append((time.perf_counter() - began) * 1000)
    return taken


def p50(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    """The value that 19 of 20 stay below."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def p99(values: Sequence[float]) -> float:
    """The value that 99 of 100 stay below."""
    return statistics.quantiles(values, n=100, method="inclusive")[-1] if len(values) > 1 else values[0]


def measure(name: str) -> list[Row]:
    """All rows of the benchmark of this name."""
    return [*importlib.import_module(f"bench.{name}").measure()]
